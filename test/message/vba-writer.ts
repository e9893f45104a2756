/** A VBA module as it lies in its stream: cached code, then the source, compressed without any repetition found. */
export function vbaModule(source: string, cached = Buffer.alloc(100, 0xaa)): Buffer {
  const text = Buffer.from(`Attribute VB_Name = "Module1"\r\n${source}`, 'latin1');
  const chunks: Buffer[] = [];
  for (let at = 0; at < text.length; at += 3600) {
    const pieces: Buffer[] = [];
    const chunk = text.subarray(at, at + 3600);
    for (let from = 0; from < chunk.length; from += 8) pieces.push(Buffer.from([0]), chunk.subarray(from, from + 8));
    const data = Buffer.concat(pieces);
    const head = Buffer.alloc(2);
    head.writeUInt16LE(0xb000 | (data.length - 1));
    chunks.push(head, data);
  }
  return Buffer.concat([cached, Buffer.from([1]), ...chunks]);
}

export interface TarInput {
  readonly name: string;
  readonly content: Buffer;
  /** How a name over 100 bytes is written. */
  readonly style?: 'pax' | 'gnu';
}

/** Writes a tar of regular files. */
export function writeTar(inputs: readonly TarInput[]): Buffer {
  const pieces: Buffer[] = [];
  for (const { name, content, style } of inputs) {
    if (style === 'pax') pieces.push(...block('pax', 'x', paxRecord('path', name)));
    if (style === 'gnu') pieces.push(...block('././@LongLink', 'L', Buffer.from(`${name}\0`)));
    pieces.push(...block(name.slice(0, 100), '0', content));
  }
  return Buffer.concat([...pieces, Buffer.alloc(1024)]);
}

function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (`${length}${rest}`.length !== length) length += 1;
  return Buffer.from(`${length}${rest}`);
}

function block(name: string, kind: string, content: Buffer): Buffer[] {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, 'latin1');
  header.write('0000644\0', 100);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('        ', 148);
  header.write(kind, 156);
  header.write('ustar\0', 257);
  header.write('00', 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}

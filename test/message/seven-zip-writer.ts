import { crc32 } from 'node:zlib';

const MAGIC = Buffer.from("7z\xbc\xaf'\x1c", 'latin1');

export interface SevenZipInput {
  readonly name: string;
  readonly content: Buffer;
  /** Claims that the file is AES encrypted. */
  readonly encrypted?: boolean;
}

/** Writes a 7z that stores its files, each in a folder of its own, with a plain header. */
export function writeSevenZip(inputs: readonly SevenZipInput[]): Buffer {
  const data = Buffer.concat(inputs.map(({ content }) => content));
  const names = Buffer.from(inputs.map(({ name }) => `${name}\0`).join(''), 'utf16le');
  const header = Buffer.concat([
    Buffer.from([0x01, 0x04, 0x06]),
    number(0),
    number(inputs.length),
    Buffer.from([0x09]),
    ...inputs.map(({ content }) => number(content.length)),
    Buffer.from([0x00, 0x07, 0x0b]),
    number(inputs.length),
    Buffer.from([0x00]),
    ...inputs.map(({ encrypted }) =>
      encrypted === true
        ? Buffer.from([0x01, 0x24, 0x06, 0xf1, 0x07, 0x01, 0x02, 0x00, 0x00])
        : Buffer.from([0x01, 0x01, 0x00]),
    ),
    Buffer.from([0x0c]),
    ...inputs.map(({ content }) => number(content.length)),
    Buffer.from([0x00, 0x08, 0x00, 0x00, 0x05]),
    number(inputs.length),
    Buffer.from([0x11]),
    number(names.length + 1),
    Buffer.from([0x00]),
    names,
    Buffer.from([0x00, 0x00]),
  ]);
  const start = Buffer.alloc(32);
  MAGIC.copy(start);
  start[7] = 4;
  start.writeBigUInt64LE(BigInt(data.length), 12);
  start.writeBigUInt64LE(BigInt(header.length), 20);
  start.writeUInt32LE(crc32(header), 28);
  start.writeUInt32LE(crc32(start.subarray(12)), 8);
  return Buffer.concat([start, data, header]);
}

/** A number of 7z: the first byte tells how many follow. Up to 64 bits. */
function number(value: number): Buffer {
  if (value < 128) return Buffer.from([value]);
  const wide = Buffer.alloc(9, 0xff);
  wide.writeBigUInt64LE(BigInt(value), 1);
  return wide;
}

import { crc32 } from 'node:zlib';

export interface RarInput {
  readonly name: string;
  readonly content: Buffer;
  /** Marked as encrypted; nothing is scrambled. */
  readonly encrypted?: boolean;
}

/** Writes a RAR of version 4 that stores its files, after the public description of the format. */
export function writeRar4(inputs: readonly RarInput[], options: { readonly headersEncrypted?: boolean } = {}): Buffer {
  const mark = Buffer.from('Rar!\x1a\x07\0', 'latin1');
  const main = block4(0x73, options.headersEncrypted === true ? 0x80 : 0, Buffer.alloc(6));
  if (options.headersEncrypted === true) return Buffer.concat([mark, main, Buffer.alloc(64, 0x5a)]);
  const files = inputs.flatMap(({ name, content, encrypted }) => {
    const path = Buffer.from(name, 'latin1');
    const fixed = Buffer.alloc(25);
    fixed.writeUInt32LE(content.length, 0);
    fixed.writeUInt32LE(content.length, 4);
    fixed[8] = 3;
    fixed.writeUInt32LE(crc32(content), 9);
    fixed.writeUInt32LE(0x58210000, 13);
    fixed[17] = 20;
    fixed[18] = 0x30;
    fixed.writeUInt16LE(path.length, 19);
    fixed.writeUInt32LE(0o100644, 21);
    return [block4(0x74, 0x8000 | (encrypted === true ? 4 : 0), Buffer.concat([fixed, path])), content];
  });
  return Buffer.concat([mark, main, ...files, block4(0x7b, 0x4000, Buffer.alloc(0))]);
}

function block4(type: number, flags: number, body: Buffer): Buffer {
  const head = Buffer.alloc(7);
  head[2] = type;
  head.writeUInt16LE(flags, 3);
  head.writeUInt16LE(7 + body.length, 5);
  const whole = Buffer.concat([head, body]);
  whole.writeUInt16LE(crc32(whole.subarray(2)) & 0xffff, 0);
  return whole;
}

/** Writes a RAR of version 5 that stores its files. */
export function writeRar5(inputs: readonly RarInput[], options: { readonly headersEncrypted?: boolean } = {}): Buffer {
  const mark = Buffer.from('Rar!\x1a\x07\x01\0', 'latin1');
  if (options.headersEncrypted === true) {
    const crypt = Buffer.concat([number(4), number(0), number(0), number(0), Buffer.from([15]), Buffer.alloc(16, 7)]);
    return Buffer.concat([mark, block5(crypt), Buffer.alloc(80, 0x5a)]);
  }
  const files = inputs.flatMap(({ name, content, encrypted }) => {
    const path = Buffer.from(name, 'utf8');
    const crc = Buffer.alloc(4);
    crc.writeUInt32LE(crc32(content));
    const record = Buffer.concat([number(1), number(0), number(0), Buffer.from([15]), Buffer.alloc(32, 7)]);
    const extra = encrypted === true ? Buffer.concat([number(record.length), record]) : Buffer.alloc(0);
    const header = Buffer.concat([
      number(2),
      number(encrypted === true ? 3 : 2),
      ...(encrypted === true ? [number(extra.length)] : []),
      number(content.length),
      number(4),
      number(content.length),
      number(0x20),
      crc,
      number(0),
      number(0),
      number(path.length),
      path,
      extra,
    ]);
    return [block5(header), content];
  });
  const main = block5(Buffer.concat([number(1), number(0), number(0)]));
  return Buffer.concat([mark, main, ...files, block5(Buffer.concat([number(5), number(0), number(0)]))]);
}

function block5(header: Buffer): Buffer {
  const sized = Buffer.concat([number(header.length), header]);
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(sized));
  return Buffer.concat([crc, sized]);
}

/** Seven bits a byte, the lowest first. */
function number(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left > 127) {
    bytes.push((left & 127) | 128);
    left = Math.floor(left / 128);
  }
  return Buffer.from([...bytes, left]);
}

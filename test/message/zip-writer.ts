import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipInput {
  readonly name: string;
  readonly content: Buffer;
  readonly stored?: boolean;
  /** Sets the flag and scrambles nothing: readers only look at the flag. */
  readonly encrypted?: boolean;
  /** Sizes and checksum stand behind the data. */
  readonly descriptor?: boolean;
  /** Name in the central directory, when it shall differ. */
  readonly centralName?: string;
  /** Left out of the central directory. */
  readonly localOnly?: boolean;
  readonly method?: number;
  /** The content is packed already. */
  readonly raw?: boolean;
}

/** Writes a zip, on request one that contradicts itself. */
export function writeZip(inputs: readonly ZipInput[], options: { readonly directory?: boolean } = {}): Buffer {
  const pieces: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const input of inputs) {
    const name = Buffer.from(input.name, 'utf8');
    const method = input.method ?? (input.stored === true ? 0 : 8);
    const data = method === 8 && input.raw !== true ? deflateRawSync(input.content) : input.content;
    const flags = 0x0800 | (input.encrypted === true ? 1 : 0) | (input.descriptor === true ? 8 : 0);
    const crc = crc32(input.content);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(20, 4);
    local.writeUInt16LE(flags, 6);
    local.writeUInt16LE(method, 8);
    if (input.descriptor !== true) {
      local.writeUInt32LE(crc, 14);
      local.writeUInt32LE(data.length, 18);
      local.writeUInt32LE(input.content.length, 22);
    }
    local.writeUInt16LE(name.length, 26);
    const descriptor = Buffer.alloc(input.descriptor === true ? 16 : 0);
    if (descriptor.length > 0) {
      descriptor.writeUInt32LE(0x08074b50, 0);
      descriptor.writeUInt32LE(crc, 4);
      descriptor.writeUInt32LE(data.length, 8);
      descriptor.writeUInt32LE(input.content.length, 12);
    }
    pieces.push(local, name, data, descriptor);
    if (input.localOnly !== true) {
      const shown = Buffer.from(input.centralName ?? input.name, 'utf8');
      const entry = Buffer.alloc(46);
      entry.writeUInt32LE(0x02014b50, 0);
      entry.writeUInt16LE(20, 4);
      entry.writeUInt16LE(20, 6);
      entry.writeUInt16LE(flags, 8);
      entry.writeUInt16LE(method, 10);
      entry.writeUInt32LE(crc, 16);
      entry.writeUInt32LE(data.length, 20);
      entry.writeUInt32LE(input.content.length, 24);
      entry.writeUInt16LE(shown.length, 28);
      entry.writeUInt32LE(offset, 42);
      central.push(Buffer.concat([entry, shown]));
    }
    offset += 30 + name.length + data.length + descriptor.length;
  }
  if (options.directory === false) return Buffer.concat(pieces);
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(central.length, 8);
  end.writeUInt16LE(central.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...pieces, directory, end]);
}

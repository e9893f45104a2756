const SECTOR = 512;
const FREE = 0xffffffff;
const END = 0xfffffffe;
const TABLE = 0xfffffffd;

/**
 * Writes a compound file (MS-CFB) with a directory of streams; the first one holds the content.
 * @param content at least 4,096 bytes, so that it lies in ordinary sectors
 */
export function writeOle(names: readonly string[], content: Buffer = Buffer.alloc(4096)): Buffer {
  const directorySectors = Math.ceil((names.length + 1) / 4);
  const contentSectors = Math.ceil(content.length / SECTOR);
  const header = Buffer.alloc(SECTOR);
  header.write('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'latin1');
  header.writeUInt16LE(0x3e, 24);
  header.writeUInt16LE(3, 26);
  header.writeUInt16LE(0xfffe, 28);
  header.writeUInt16LE(9, 30);
  header.writeUInt16LE(6, 32);
  header.writeUInt32LE(1, 44);
  header.writeUInt32LE(1, 48);
  header.writeUInt32LE(4096, 56);
  header.writeUInt32LE(END, 60);
  header.writeUInt32LE(END, 68);
  header.fill(0xff, 76);
  header.writeUInt32LE(0, 76);

  const table = Buffer.alloc(SECTOR, 0xff);
  table.writeUInt32LE(TABLE, 0);
  chain(table, 1, directorySectors);
  chain(table, 1 + directorySectors, contentSectors);

  const directory = Buffer.alloc(directorySectors * SECTOR);
  entry(directory, 0, 'Root Entry', 5, END, 0);
  for (const [index, name] of names.entries()) {
    entry(directory, index + 1, name, 2, index === 0 ? 1 + directorySectors : END, index === 0 ? content.length : 0);
  }
  const body = Buffer.alloc(contentSectors * SECTOR);
  content.copy(body);
  return Buffer.concat([header, table, directory, body]);
}

function chain(table: Buffer, start: number, count: number): void {
  for (let at = 0; at < count; at += 1) table.writeUInt32LE(at === count - 1 ? END : start + at + 1, (start + at) * 4);
}

function entry(directory: Buffer, index: number, name: string, type: number, start: number, size: number): void {
  const at = index * 128;
  directory.write(name, at, 'utf16le');
  directory.writeUInt16LE((name.length + 1) * 2, at + 64);
  directory[at + 66] = type;
  directory.writeUInt32LE(FREE, at + 68);
  directory.writeUInt32LE(FREE, at + 72);
  directory.writeUInt32LE(FREE, at + 76);
  directory.writeUInt32LE(start, at + 116);
  directory.writeUInt32LE(size, at + 120);
}

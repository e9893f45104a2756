const SECTOR = 512;
const MINI = 64;
const CUTOFF = 4096;
const FREE = 0xffffffff;
const END = 0xfffffffe;
const TABLE = 0xfffffffd;

/** A stream, or a storage with what is in it. */
export type CompoundNode =
  | { readonly name: string; readonly content: Buffer }
  | { readonly name: string; readonly children: readonly CompoundNode[] };

interface Row {
  readonly name: string;
  readonly type: number;
  readonly content: Buffer;
  right: number;
  child: number;
  start: number;
}

/** Writes a compound file (MS-CFB) with a tree of storages and streams, small ones in the mini stream. */
export function writeCompound(nodes: readonly CompoundNode[]): Buffer {
  const rows: Row[] = [{ name: 'Root Entry', type: 5, content: Buffer.alloc(0), right: FREE, child: FREE, start: END }];
  const root = rows[0];
  if (root !== undefined) root.child = addAll(rows, nodes);

  const miniPieces: Buffer[] = [];
  const miniTable: number[] = [];
  for (const row of rows) {
    if (row.type !== 2 || row.content.length >= CUTOFF || row.content.length === 0) continue;
    row.start = miniTable.length;
    appendChain(miniTable, Math.ceil(row.content.length / MINI));
    miniPieces.push(padded(row.content, MINI));
  }
  const miniStream = Buffer.concat(miniPieces);
  const directory = Buffer.alloc(Math.ceil((rows.length * 128) / SECTOR) * SECTOR);
  const miniTableBytes = padded(numbers(miniTable), SECTOR, 0xff);

  // Sector 0 is the table: enough for 128 sectors of 512 bytes, which is what the tests need.
  const table: number[] = [TABLE];
  const pieces: Buffer[] = [];
  const put = (bytes: Buffer): number => {
    if (bytes.length === 0) return END;
    const start = table.length;
    appendChain(table, Math.ceil(bytes.length / SECTOR));
    pieces.push(padded(bytes, SECTOR));
    return start;
  };
  for (const row of rows) if (row.type === 2 && row.content.length >= CUTOFF) row.start = put(row.content);
  const miniStart = put(miniStream);
  const miniTableStart = put(miniTableBytes);
  for (const [index, row] of rows.entries()) {
    const start = index === 0 ? miniStart : row.start;
    writeRow(directory, index, row, start, index === 0 ? miniStream.length : row.content.length);
  }
  const directoryStart = put(directory);
  if (table.length > SECTOR / 4) throw new Error('too large for one table sector');

  const header = Buffer.alloc(SECTOR);
  header.write('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'latin1');
  header.writeUInt16LE(0x3e, 24);
  header.writeUInt16LE(3, 26);
  header.writeUInt16LE(0xfffe, 28);
  header.writeUInt16LE(9, 30);
  header.writeUInt16LE(6, 32);
  header.writeUInt32LE(1, 44);
  header.writeUInt32LE(directoryStart, 48);
  header.writeUInt32LE(CUTOFF, 56);
  header.writeUInt32LE(miniTableStart, 60);
  header.writeUInt32LE(END, 68);
  header.fill(0xff, 76);
  header.writeUInt32LE(0, 76);
  return Buffer.concat([header, padded(numbers(table), SECTOR, 0xff), ...pieces]);
}

/** Adds siblings, each the right neighbour of the one before; gives the index of the first. */
function addAll(rows: Row[], nodes: readonly CompoundNode[]): number {
  let first = FREE;
  let before: Row | undefined;
  for (const node of nodes) {
    const index = rows.length;
    const isStream = 'content' in node;
    const row: Row = {
      name: node.name,
      type: isStream ? 2 : 1,
      content: isStream ? node.content : Buffer.alloc(0),
      right: FREE,
      child: FREE,
      start: isStream ? END : 0,
    };
    rows.push(row);
    if (before === undefined) first = index;
    else before.right = index;
    if (!isStream) row.child = addAll(rows, node.children);
    before = row;
  }
  return first;
}

function appendChain(table: number[], count: number): void {
  for (let at = 0; at < count; at += 1) table.push(at === count - 1 ? END : table.length + 1);
}

function numbers(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, index * 4);
  return bytes;
}

function padded(bytes: Buffer, unit: number, fill = 0): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((unit - (bytes.length % unit)) % unit, fill)]);
}

function writeRow(directory: Buffer, index: number, row: Row, start: number, size: number): void {
  const at = index * 128;
  directory.write(row.name, at, 'utf16le');
  directory.writeUInt16LE((row.name.length + 1) * 2, at + 64);
  directory[at + 66] = row.type;
  directory.writeUInt32LE(FREE, at + 68);
  directory.writeUInt32LE(row.right, at + 72);
  directory.writeUInt32LE(row.child, at + 76);
  directory.writeUInt32LE(start, at + 116);
  directory.writeUInt32LE(size, at + 120);
}

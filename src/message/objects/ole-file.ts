const MAGIC = Buffer.from('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'latin1');
const END_OF_CHAIN = 0xfffffffa;
/** Directory bytes that are read: 32,768 entries of 128 bytes. */
const MAX_DIRECTORY = 4 * 1024 * 1024;
const ENTRY = 128;

export interface OleEntry {
  readonly name: string;
  readonly kind: 'storage' | 'stream' | 'root';
  readonly start: number;
  readonly size: number;
  /** Where it stands in the directory, and its neighbours there: its siblings form a tree. */
  readonly index: number;
  readonly left: number;
  readonly right: number;
  readonly child: number;
  /** Class identifier, 32 hexadecimal digits. */
  readonly classId: string;
}

export function isOle(bytes: Buffer): boolean {
  return bytes.length >= 512 && bytes.subarray(0, 8).equals(MAGIC);
}

/** A compound file (MS-CFB): the directory, and the start of its streams. Never throws on damaged ones. */
export class OleFile {
  readonly entries: readonly OleEntry[];
  readonly #bytes: Buffer;
  readonly #sectorSize: number;
  readonly #miniSize: number;
  readonly #cutoff: number;
  /** Sectors that hold the allocation table, in order. */
  readonly #tableSectors: readonly number[];
  readonly #miniTableStart: number;
  #byIndex: ReadonlyMap<number, OleEntry> | undefined;
  #mini: { readonly container: Buffer; readonly table: Buffer } | undefined;

  /** @param bytes for which `isOle` holds */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#sectorSize = bytes.readUInt16LE(30) === 12 ? 4096 : 512;
    this.#miniSize = 64;
    this.#cutoff = 4096;
    this.#tableSectors = this.#readTableSectors();
    this.#miniTableStart = bytes.readUInt32LE(60);
    this.entries = this.#readDirectory();
  }

  /** The first bytes of a stream, at most `max` of them; empty when there is no such stream. */
  head(name: string, max: number): Buffer {
    const entry = this.entries.find((one) => one.kind === 'stream' && one.name === name);
    return entry === undefined ? Buffer.alloc(0) : this.read(entry, max);
  }

  /** The entries in a storage; of a tree that runs in circles each one once. */
  childrenOf(storage: OleEntry): readonly OleEntry[] {
    this.#byIndex ??= new Map(this.entries.map((entry) => [entry.index, entry]));
    const found = new Set<OleEntry>();
    const open = [storage.child];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const entry = this.#byIndex.get(next);
      if (entry === undefined || found.has(entry)) continue;
      found.add(entry);
      open.push(entry.left, entry.right);
    }
    return [...found];
  }

  /** The first bytes of a stream, at most `max` of them. */
  read(entry: OleEntry, max: number): Buffer {
    const wanted = Math.min(entry.size, max);
    return entry.size >= this.#cutoff ? this.#chain(entry.start, wanted) : this.#miniChain(entry.start, wanted);
  }

  #readTableSectors(): readonly number[] {
    const bytes = this.#bytes;
    const bound = Math.ceil(bytes.length / this.#sectorSize);
    const list: number[] = [];
    for (let at = 76; at < 512 && list.length < bound; at += 4) {
      const sector = bytes.readUInt32LE(at);
      if (sector >= END_OF_CHAIN) break;
      list.push(sector);
    }
    let next = bytes.readUInt32LE(68);
    const perSector = this.#sectorSize / 4 - 1;
    for (let turns = 0; next < END_OF_CHAIN && turns < bound && list.length < bound; turns += 1) {
      const view = this.#sector(next);
      if (view.length < this.#sectorSize) break;
      for (let index = 0; index < perSector; index += 1) {
        const sector = view.readUInt32LE(index * 4);
        if (sector < END_OF_CHAIN) list.push(sector);
      }
      next = view.readUInt32LE(perSector * 4);
    }
    return list;
  }

  #readDirectory(): readonly OleEntry[] {
    const directory = this.#chain(this.#bytes.readUInt32LE(48), MAX_DIRECTORY);
    const entries: OleEntry[] = [];
    for (let at = 0; at + ENTRY <= directory.length; at += ENTRY) {
      const type = directory[at + 66];
      if (type !== 1 && type !== 2 && type !== 5) continue;
      const length = Math.max(0, Math.min(64, directory.readUInt16LE(at + 64)) - 2) & ~1;
      entries.push({
        name: directory.toString('utf16le', at, at + length),
        kind: type === 1 ? 'storage' : type === 2 ? 'stream' : 'root',
        start: directory.readUInt32LE(at + 116),
        size: directory.readUInt32LE(at + 120),
        index: at / ENTRY,
        left: directory.readUInt32LE(at + 68),
        right: directory.readUInt32LE(at + 72),
        child: directory.readUInt32LE(at + 76),
        classId: directory.toString('hex', at + 80, at + 96),
      });
    }
    return entries;
  }

  #sector(number: number): Buffer {
    const start = (number + 1) * this.#sectorSize;
    return this.#bytes.subarray(Math.min(start, this.#bytes.length), start + this.#sectorSize);
  }

  #nextSector(sector: number): number {
    const perSector = this.#sectorSize / 4;
    const table = this.#tableSectors[Math.floor(sector / perSector)];
    if (table === undefined) return END_OF_CHAIN;
    const at = (table + 1) * this.#sectorSize + (sector % perSector) * 4;
    return at + 4 <= this.#bytes.length ? this.#bytes.readUInt32LE(at) : END_OF_CHAIN;
  }

  /** A chain of sectors; one that runs in a circle ends when `max` is reached. */
  #chain(start: number, max: number): Buffer {
    const bound = Math.min(max, this.#bytes.length);
    const pieces: Buffer[] = [];
    let length = 0;
    for (let sector = start; sector < END_OF_CHAIN && length < bound; sector = this.#nextSector(sector)) {
      const piece = this.#sector(sector);
      if (piece.length === 0) break;
      pieces.push(piece);
      length += piece.length;
    }
    return Buffer.concat(pieces).subarray(0, bound);
  }

  #miniChain(start: number, max: number): Buffer {
    const root = this.entries.find((one) => one.kind === 'root');
    if (root === undefined) return Buffer.alloc(0);
    this.#mini ??= this.#readMini(root);
    const { container, table } = this.#mini;
    const pieces: Buffer[] = [];
    let length = 0;
    for (let sector = start; sector < END_OF_CHAIN && length < max;) {
      const at = sector * this.#miniSize;
      const piece = container.subarray(Math.min(at, container.length), at + this.#miniSize);
      if (piece.length === 0) break;
      pieces.push(piece);
      length += piece.length;
      sector = sector * 4 + 4 <= table.length ? table.readUInt32LE(sector * 4) : END_OF_CHAIN;
    }
    return Buffer.concat(pieces).subarray(0, max);
  }

  /** Small streams lie in a stream of their own, with a table of its own. */
  #readMini(root: OleEntry): { readonly container: Buffer; readonly table: Buffer } {
    const container = this.#chain(root.start, root.size);
    return { container, table: this.#chain(this.#miniTableStart, container.length) };
  }
}

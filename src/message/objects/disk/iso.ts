import { decodeUnlabelled } from '../../decode/charset.js';
import type { ByteRange } from '../../types.js';
import { type ImageFile, type ImageListing, sameBytes } from './extents.js';

const SECTOR = 2048;
const FIRST_DESCRIPTOR = 16;
const MAX_DESCRIPTORS = 64;
const PRIMARY = 1;
const SUPPLEMENTARY = 2;
const TERMINATOR = 255;
const ROOT_RECORD = 156;
const ESCAPES = 88;
const FLAG_FOLDER = 0x02;
const FLAG_MORE = 0x80;

interface Folder {
  readonly path: string;
  readonly extent: ByteRange;
}

/**
 * The files of an ISO 9660 image (ECMA-119), under the names of Joliet where it has them, else of Rock Ridge. The trees
 * may differ: a file that only one of them names is listed as well.
 */
export function listIso(image: Buffer, maxFiles: number): ImageListing {
  const trees: Tree[] = [];
  for (let index = 0; index < MAX_DESCRIPTORS; index += 1) {
    const at = (FIRST_DESCRIPTOR + index) * SECTOR;
    if (at + SECTOR > image.length || image.toString('latin1', at + 1, at + 6) !== 'CD001') break;
    const kind = image[at];
    if (kind === TERMINATOR) break;
    if (kind !== PRIMARY && kind !== SUPPLEMENTARY) continue;
    const joliet = kind === SUPPLEMENTARY && /^%\/[@CE]/.test(image.toString('latin1', at + ESCAPES, at + ESCAPES + 3));
    trees.push(new Tree(image, image.readUInt16LE(at + 128) || SECTOR, joliet, at + ROOT_RECORD, maxFiles));
  }
  const files: ImageFile[] = [];
  const known = new Set<string>();
  for (const tree of trees.sort((a, b) => Number(b.joliet) - Number(a.joliet))) {
    for (const file of tree.read()) {
      if (files.length >= maxFiles) return { files, damaged: tree.damaged, cut: true };
      if (known.has(sameBytes(file)) && tree !== trees[0]) continue;
      known.add(sameBytes(file));
      files.push(file);
    }
  }
  return { files, damaged: trees.some((tree) => tree.damaged), cut: trees.some((tree) => tree.cut) };
}

class Tree {
  readonly joliet: boolean;
  damaged = false;
  cut = false;
  readonly #image: Buffer;
  readonly #block: number;
  readonly #root: number;
  readonly #maxFiles: number;

  constructor(image: Buffer, block: number, joliet: boolean, root: number, maxFiles: number) {
    this.#image = image;
    this.#block = block;
    this.joliet = joliet;
    this.#root = root;
    this.#maxFiles = maxFiles;
  }

  read(): readonly ImageFile[] {
    const files: ImageFile[] = [];
    const seen = new Set<number>();
    const folders: Folder[] = [{ path: '', extent: this.#extent(this.#root) }];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      // Folders that contain each other, or share their bytes, are read once.
      if (seen.has(folder.extent.start)) continue;
      seen.add(folder.extent.start);
      this.#folder(folder, files, folders);
      if (files.length + folders.length > this.#maxFiles * 2 + 1000) {
        this.cut = true;
        break;
      }
    }
    return files;
  }

  #folder({ path, extent }: Folder, files: ImageFile[], folders: Folder[]): void {
    const image = this.#image;
    if (extent.end > image.length) this.damaged = true;
    const end = Math.min(extent.end, image.length);
    let pieces: ByteRange[] = [];
    for (let at = extent.start; at + 33 <= end && files.length <= this.#maxFiles;) {
      const length = image[at] ?? 0;
      if (length === 0) {
        // Records do not cross sectors.
        at = extent.start + (Math.floor((at - extent.start) / SECTOR) + 1) * SECTOR;
        continue;
      }
      if (length < 34) {
        this.damaged = true;
        return;
      }
      const flags = image[at + 25] ?? 0;
      const nameLength = image[at + 32] ?? 0;
      const raw = image.subarray(at + 33, Math.min(end, at + 33 + nameLength));
      const isSpecial = nameLength === 1 && (raw[0] ?? 2) < 2;
      if (!isSpecial) {
        const name = `${path}${this.#name(raw, image.subarray(at + 33 + nameLength, at + length))}`;
        if ((flags & FLAG_FOLDER) !== 0) folders.push({ path: `${name}/`, extent: this.#extent(at) });
        else {
          pieces.push(this.#extent(at));
          if ((flags & FLAG_MORE) === 0) {
            files.push({ name, size: pieces.reduce((sum, piece) => sum + piece.end - piece.start, 0), pieces });
            pieces = [];
          }
        }
      }
      at += length;
    }
  }

  #extent(record: number): ByteRange {
    const image = this.#image;
    if (record + 14 > image.length) return { start: 0, end: 0 };
    const start = (image.readUInt32LE(record + 2) + (image[record + 1] ?? 0)) * this.#block;
    return { start, end: start + image.readUInt32LE(record + 10) };
  }

  #name(raw: Buffer, systemUse: Buffer): string {
    if (this.joliet) return swapped(raw).replace(/;\d+$/, '');
    return rockRidgeName(systemUse) || decodeUnlabelled(raw).replace(/;\d+$/, '').replace(/\.$/, '');
  }
}

/** UTF-16, the high byte first. */
export function swapped(bytes: Buffer): string {
  return Buffer.from(bytes.subarray(0, bytes.length & ~1))
    .swap16()
    .toString('utf16le');
}

/** The NM entries of the system use field (IEEE P1282 4.1.4); empty when there are none. */
function rockRidgeName(field: Buffer): string {
  const pieces: Buffer[] = [];
  // The field starts at an even place: a padding byte may come first.
  let at = field[0] === 0 ? 1 : 0;
  while (at + 5 <= field.length) {
    const length = field[at + 2] ?? 0;
    if (length < 4) break;
    if (field.toString('latin1', at, at + 2) === 'NM') pieces.push(field.subarray(at + 5, at + length));
    at += length;
  }
  return decodeUnlabelled(Buffer.concat(pieces));
}

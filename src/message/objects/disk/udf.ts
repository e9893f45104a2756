import type { ByteRange } from '../../types.js';
import { decodeUnlabelled } from '../../decode/charset.js';
import type { ImageFile, ImageListing } from './extents.js';
import { swapped } from './iso.js';

const SECTOR = 2048;
const ANCHOR = 256;
const MAX_DESCRIPTORS = 64;
/** Tag identifiers (ECMA-167 3/7.2.1 and 4/7.2.1). */
const TAG_ANCHOR = 2;
const TAG_PARTITION = 5;
const TAG_VOLUME = 6;
const TAG_FILE_SET = 256;
const TAG_FILE_IDENTIFIER = 257;
const TAG_FILE_ENTRY = 261;
const TAG_EXTENDED_FILE_ENTRY = 266;
const FOLDER = 4;
const FLAG_PARENT = 0x08;
const FLAG_DELETED = 0x04;
const LENGTH_MASK = 0x3fffffff;

/** Whether an image says in its volume recognition sequence that it has a UDF file system (ECMA-167 2/9.1). */
export function hasUdf(image: Buffer): boolean {
  for (let sector = 16; sector < 32; sector += 1) {
    if (/^NSR0[23]/.test(image.toString('latin1', sector * SECTOR + 1, sector * SECTOR + 6))) return true;
  }
  return false;
}

/**
 * The files of a UDF image, as far as it has one plain partition: that is what tools for optical media write. Undefined
 * where it is of another make.
 */
export function listUdf(image: Buffer, maxFiles: number): ImageListing | undefined {
  const anchor = ANCHOR * SECTOR;
  if (tagAt(image, anchor) !== TAG_ANCHOR) return undefined;
  let start: number | undefined;
  let root: number | undefined;
  const first = image.readUInt32LE(anchor + 20);
  for (let index = 0; index < MAX_DESCRIPTORS; index += 1) {
    const at = (first + index) * SECTOR;
    const tag = tagAt(image, at);
    if (tag === TAG_PARTITION) start = image.readUInt32LE(at + 188) * SECTOR;
    // One partition map, of type 1.
    if (tag === TAG_VOLUME && image.readUInt32LE(at + 268) === 1 && image[at + 440] === 1)
      root = image.readUInt32LE(at + 252);
  }
  if (start === undefined || root === undefined) return undefined;
  const fileSet = start + root * SECTOR;
  if (tagAt(image, fileSet) !== TAG_FILE_SET) return undefined;
  return new UdfTree(image, start, maxFiles).read(image.readUInt32LE(fileSet + 404));
}

/** The tag of a descriptor, or 0 when there is none: the sum of its bytes is checked (ECMA-167 3/7.2). */
function tagAt(image: Buffer, at: number): number {
  if (at < 0 || at + SECTOR > image.length) return 0;
  let sum = 0;
  for (let index = 0; index < 16; index += 1) if (index !== 4) sum += image[at + index] ?? 0;
  return (sum & 0xff) === image[at + 4] ? image.readUInt16LE(at) : 0;
}

interface Node {
  readonly folder: boolean;
  readonly size: number;
  readonly pieces: readonly ByteRange[];
}

class UdfTree {
  readonly #image: Buffer;
  readonly #partition: number;
  readonly #maxFiles: number;
  readonly #files: ImageFile[] = [];
  #damaged = false;
  #cut = false;

  constructor(image: Buffer, partition: number, maxFiles: number) {
    this.#image = image;
    this.#partition = partition;
    this.#maxFiles = maxFiles;
  }

  read(root: number): ImageListing {
    const seen = new Set<number>();
    const open = [{ path: '', block: root }];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (seen.has(next.block)) continue;
      seen.add(next.block);
      const node = this.#node(next.block);
      if (node?.folder !== true) {
        this.#damaged = true;
        continue;
      }
      this.#folder(next.path, node, open);
      if (this.#cut || open.length > this.#maxFiles * 2 + 1000) {
        this.#cut = true;
        break;
      }
    }
    return { files: this.#files, damaged: this.#damaged, cut: this.#cut };
  }

  /** File identifier descriptors (ECMA-167 4/14.4). */
  #folder(path: string, node: Node, open: { readonly path: string; readonly block: number }[]): void {
    const bytes = Buffer.concat(node.pieces.map(({ start, end }) => this.#image.subarray(start, end)));
    for (let at = 0; at + 38 <= bytes.length;) {
      if (bytes.readUInt16LE(at) !== TAG_FILE_IDENTIFIER) {
        this.#damaged = true;
        return;
      }
      const flags = bytes[at + 18] ?? 0;
      const nameLength = bytes[at + 19] ?? 0;
      const block = bytes.readUInt32LE(at + 24);
      const nameStart = at + 38 + bytes.readUInt16LE(at + 36);
      if ((flags & (FLAG_PARENT | FLAG_DELETED)) === 0) {
        this.#member(`${path}${nameOf(bytes.subarray(nameStart, nameStart + nameLength))}`, block, open);
        if (this.#cut) return;
      }
      at = nameStart + nameLength;
      at += (4 - (at % 4)) % 4;
    }
  }

  #member(name: string, block: number, open: { readonly path: string; readonly block: number }[]): void {
    const node = this.#node(block);
    if (node === undefined) this.#damaged = true;
    else if (node.folder) open.push({ path: `${name}/`, block });
    else if (this.#files.length >= this.#maxFiles) this.#cut = true;
    else this.#files.push({ name, size: node.size, pieces: node.pieces });
  }

  /** A file entry (4/14.9) or extended file entry (4/14.17). */
  #node(block: number): Node | undefined {
    const image = this.#image;
    const at = this.#partition + block * SECTOR;
    const tag = tagAt(image, at);
    if (tag !== TAG_FILE_ENTRY && tag !== TAG_EXTENDED_FILE_ENTRY) return undefined;
    const fixed = tag === TAG_FILE_ENTRY ? 168 : 208;
    const size = Number(image.readBigUInt64LE(at + 56));
    const start = at + fixed + 8 + image.readUInt32LE(at + fixed);
    const length = Math.min(image.readUInt32LE(at + fixed + 4), SECTOR);
    const folder = image[at + 27] === FOLDER;
    const form = (image[at + 34] ?? 0) & 0x07;
    if (form === 3) return { folder, size, pieces: [{ start, end: start + length }] };
    const step = form === 0 ? 8 : form === 1 ? 16 : 0;
    if (step === 0 || start + length > image.length) return undefined;
    const pieces: ByteRange[] = [];
    for (let entry = start; entry + step <= start + length; entry += step) {
      const bytes = image.readUInt32LE(entry) & LENGTH_MASK;
      if (bytes === 0) break;
      const from = this.#partition + image.readUInt32LE(entry + 4) * SECTOR;
      pieces.push({ start: from, end: from + bytes });
    }
    return { folder, size, pieces };
  }
}

/** OSTA compressed unicode (UDF 2.1.1): the first byte tells the width. */
function nameOf(bytes: Buffer): string {
  if (bytes[0] === 16) return swapped(bytes.subarray(1));
  return bytes[0] === 8 ? bytes.toString('latin1', 1) : decodeUnlabelled(bytes);
}

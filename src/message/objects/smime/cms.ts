import type { Listing, Unpacked } from '../entry.js';
import { unzlib } from '../inflate.js';
import { BerReader, type Element } from './ber.js';

const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
/** Content types (RFC 5652 4 and 5, RFC 3274 1.1, RFC 5083), by the bytes of their identifiers. */
const TYPES: ReadonlyMap<string, CmsKind> = new Map([
  ['2a864886f70d010702', 'signed'],
  ['2a864886f70d010703', 'encrypted'],
  ['2a864886f70d010704', 'encrypted'],
  ['2a864886f70d010706', 'encrypted'],
  ['2a864886f70d0109100109', 'compressed'],
  ['2a864886f70d0109100117', 'encrypted'],
]);
const LONGEST = 32;
/** What a compressed message may unpack to for a look at its first line. */
const HEAD = 1024 * 1024;

export type CmsKind = 'signed' | 'encrypted' | 'compressed';

/** Which kind of cryptographic message (RFC 5652) bytes are; undefined when they are none. */
export function cmsKind(bytes: Buffer): CmsKind | undefined {
  if (bytes[0] !== SEQUENCE) return undefined;
  // The identifier follows the length of the sequence, which takes one to seven bytes.
  for (let at = 2; at < 9; at += 1) {
    const length = bytes[at] === OBJECT_IDENTIFIER ? (bytes[at + 1] ?? 0) : 0;
    if (length < 9 || length > LONGEST) continue;
    const kind = TYPES.get(bytes.toString('hex', at + 2, at + 2 + length));
    if (kind !== undefined) return kind;
  }
  return undefined;
}

/**
 * What is signed or compressed in a cryptographic message. A signature without its content (that of multipart/signed)
 * holds nothing.
 * @param name of the file; that of a signed file is the one without `.p7m`
 */
export function listCms(archive: Buffer, kind: 'signed' | 'compressed', name: string): Listing {
  const { content, damaged } = readContent(archive);
  if (damaged) return { entries: [], damage: ['unscannable: the signed message is damaged'], cut: false };
  if (content === undefined) return { entries: [], damage: [], cut: false };
  const look = kind === 'signed' ? undefined : unzlib(content, HEAD);
  const head = look === undefined ? content : look.kind === 'over' ? undefined : look.bytes;
  return {
    entries: [
      {
        name: head !== undefined && isEntity(head) ? 'smime.eml' : innerName(name),
        packed: archive.length,
        claimed: content.length,
        encrypted: false,
        unpack: (again, max) => unpackContent(readContent(again).content ?? Buffer.alloc(0), kind, max),
      },
    ],
    damage: [],
    cut: false,
  };
}

function unpackContent(content: Buffer, kind: 'signed' | 'compressed', max: number): Unpacked {
  if (kind === 'compressed') return unzlib(content, max);
  return content.length > max ? { kind: 'over' } : { kind: 'ok', bytes: content };
}

interface Content {
  readonly content: Buffer | undefined;
  readonly damaged: boolean;
}

/** ContentInfo, SignedData or CompressedData, EncapsulatedContentInfo: RFC 5652 3, 5.1 and 5.2. */
function readContent(archive: Buffer): Content {
  const reader = new BerReader(archive);
  const outer = reader.element(0, archive.length);
  const explicit = outer === undefined ? undefined : second(reader.children(outer));
  const data = explicit === undefined ? undefined : first(reader.children(explicit));
  if (data === undefined) return { content: undefined, damaged: true };
  let encapsulated: Element | undefined;
  for (const child of reader.children(data)) {
    // The first sequence after version and algorithms; in CompressedData one more stands before it.
    if (child.tag !== SEQUENCE) continue;
    const inner = second(reader.children(child));
    if (encapsulated === undefined || inner?.tag === 0xa0) encapsulated = child;
    if (inner?.tag === 0xa0) break;
  }
  if (encapsulated === undefined) return { content: undefined, damaged: true };
  const wrapped = second(reader.children(encapsulated));
  if (wrapped?.tag !== 0xa0) return { content: undefined, damaged: false };
  const octets = first(reader.children(wrapped));
  if (octets === undefined) return { content: undefined, damaged: true };
  return { content: reader.octets(octets), damaged: false };
}

function first(elements: Generator<Element>): Element | undefined {
  const result = elements.next();
  return result.done === true ? undefined : result.value;
}

function second(elements: Generator<Element>): Element | undefined {
  elements.next();
  return first(elements);
}

function isEntity(bytes: Buffer): boolean {
  return /^(content-|mime-version:|received:|from:|subject:)/i.test(bytes.toString('latin1', 0, 64).trimStart());
}

function innerName(name: string): string {
  const base = name.slice(name.lastIndexOf('/') + 1);
  return /\.(p7m|p7s|p7z)$/i.test(base) ? base.slice(0, -4) : 'content';
}

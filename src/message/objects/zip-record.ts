import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';

const FLAG_ENCRYPTED = 0x0001;
/** With LZMA alone. */
const FLAG_END_MARK = 0x0002;
const FLAG_STREAMED = 0x0008;
const FLAG_UTF8 = 0x0800;
const FLAG_MASKED = 0x2000;
const METHOD_AES = 99;
const EXTRA_ZIP64 = 0x0001;
const EXTRA_UNICODE_PATH = 0x7075;
const UNKNOWN_32 = 0xffffffff;

/** One entry as the central directory or a local header tells it. */
export interface ZipRecord {
  readonly name: string;
  /** Further names by which one unpacker or another shows it. */
  readonly otherNames?: readonly string[];
  readonly method: number;
  readonly encrypted: boolean;
  /** Sizes stand behind the data, in a data descriptor. */
  readonly streamed: boolean;
  /** An LZMA stream that ends with a mark, and may do so before its claimed size. */
  readonly endMark: boolean;
  /** Undefined where not known or not to be checked (encrypted). */
  readonly crc: number | undefined;
  readonly packed: number;
  readonly claimed: number;
  /** Where the local header starts. */
  readonly offset: number;
  /** Where the packed bytes start. */
  readonly data: number;
}

/** Reads a local file header (APPNOTE 4.3.7); undefined when the bytes are none. */
export function readLocalHeader(archive: Buffer, offset: number): ZipRecord | undefined {
  if (offset < 0 || offset + 30 > archive.length || archive.readUInt32LE(offset) !== 0x04034b50) return undefined;
  const nameLength = archive.readUInt16LE(offset + 26);
  const extraLength = archive.readUInt16LE(offset + 28);
  const data = offset + 30 + nameLength + extraLength;
  if (data > archive.length) return undefined;
  const flags = archive.readUInt16LE(offset + 6);
  const method = archive.readUInt16LE(offset + 8);
  const crc = archive.readUInt32LE(offset + 14);
  const name = archive.subarray(offset + 30, offset + 30 + nameLength);
  const extra = archive.subarray(offset + 30 + nameLength, data);
  const sizes = zip64Sizes(extra, archive.readUInt32LE(offset + 22), archive.readUInt32LE(offset + 18), 0);
  const encrypted = isEncrypted(flags, method);
  const streamed = (flags & FLAG_STREAMED) !== 0;
  return {
    method,
    encrypted,
    streamed,
    endMark: (flags & FLAG_END_MARK) !== 0,
    crc: encrypted || streamed ? undefined : crc,
    packed: sizes.packed,
    claimed: sizes.claimed,
    offset,
    data,
    ...decodeNames(name, flags, extra),
  };
}

/** Reads a central directory header (APPNOTE 4.3.12). */
export function readCentralHeader(
  archive: Buffer,
  at: number,
  base: number,
): { readonly record: ZipRecord; readonly next: number } | undefined {
  if (at + 46 > archive.length || archive.readUInt32LE(at) !== 0x02014b50) return undefined;
  const nameEnd = at + 46 + archive.readUInt16LE(at + 28);
  const extraEnd = nameEnd + archive.readUInt16LE(at + 30);
  const next = extraEnd + archive.readUInt16LE(at + 32);
  if (nameEnd > archive.length) return undefined;
  const flags = archive.readUInt16LE(at + 8);
  const method = archive.readUInt16LE(at + 10);
  const extra = archive.subarray(nameEnd, extraEnd);
  const sizes = zip64Sizes(
    extra,
    archive.readUInt32LE(at + 24),
    archive.readUInt32LE(at + 20),
    archive.readUInt32LE(at + 42),
  );
  const offset = sizes.offset + base;
  const local = readLocalHeader(archive, offset);
  const encrypted = isEncrypted(flags, method) || local?.encrypted === true;
  const record: ZipRecord = {
    method,
    encrypted,
    streamed: false,
    endMark: (flags & FLAG_END_MARK) !== 0,
    crc: encrypted ? undefined : archive.readUInt32LE(at + 16),
    packed: sizes.packed,
    claimed: sizes.claimed,
    offset,
    data: local?.data ?? Math.max(0, Math.min(archive.length, offset + 30 + (nameEnd - at - 46))),
    ...decodeNames(archive.subarray(at + 46, nameEnd), flags, extra),
  };
  return { record, next };
}

function isEncrypted(flags: number, method: number): boolean {
  return (flags & (FLAG_ENCRYPTED | FLAG_MASKED)) !== 0 || method === METHOD_AES;
}

interface Sizes {
  readonly claimed: number;
  readonly packed: number;
  readonly offset: number;
}

/** Sizes over 4 GiB stand in an extra field, each only where the 32-bit one is all ones (APPNOTE 4.5.3). */
function zip64Sizes(extra: Buffer, claimed: number, packed: number, offset: number): Sizes {
  const sizes = { claimed, packed, offset };
  if (claimed !== UNKNOWN_32 && packed !== UNKNOWN_32 && offset !== UNKNOWN_32) return sizes;
  const field = extraField(extra, EXTRA_ZIP64);
  if (field === undefined) return sizes;
  let at = 0;
  for (const key of ['claimed', 'packed', 'offset'] as const) {
    if (sizes[key] !== UNKNOWN_32 || at + 8 > field.length) continue;
    sizes[key] = Math.min(Number.MAX_SAFE_INTEGER, Number(field.readBigUInt64LE(at)));
    at += 8;
  }
  return sizes;
}

function extraField(extra: Buffer, id: number): Buffer | undefined {
  for (let at = 0; at + 4 <= extra.length;) {
    const length = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === id) return extra.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
  return undefined;
}

interface Names {
  readonly name: string;
  readonly otherNames?: readonly string[];
}

/**
 * UTF-8 where the flag says so, or where the bytes are UTF-8 anyway; else the code page of DOS (APPNOTE D.1). A Unicode
 * path in the extra fields (4.6.9) goes before, and programs written in C end a name at a NUL: the other readings are
 * kept as well.
 */
function decodeNames(plain: Buffer, flags: number, extra: Buffer): Names {
  const field = extra.length > 0 ? extraField(extra, EXTRA_UNICODE_PATH) : undefined;
  const unicode = field !== undefined && field.length > 5 && (flags & FLAG_UTF8) === 0 ? field.subarray(5) : undefined;
  const name = decodeName(unicode ?? plain);
  const nul = name.indexOf('\0');
  const others = [...(unicode === undefined ? [] : [decodeName(plain)]), ...(nul < 0 ? [] : [name.slice(0, nul)])];
  const otherNames = others.filter((other) => other !== name);
  return otherNames.length === 0 ? { name } : { name, otherNames };
}

function decodeName(bytes: Buffer): string {
  const text = isUtf8(bytes) ? bytes.toString('utf8') : iconv.decode(bytes, 'cp437');
  return text.includes('\\') ? text.replaceAll('\\', '/') : text;
}

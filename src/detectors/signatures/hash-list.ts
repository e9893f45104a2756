import { excerptOf } from '../../config/excerpt.js';
import type { Problem } from '../../config/problems.js';
import { sharedCopy } from './shared.js';

/** More problems of one file than a person wants to read at once. */
const MAX_PROBLEMS = 20;
const MAX_NAME = 128;
const DIGEST = 32;

/** SHA-256 sums with the names of threats, in memory that threads share. */
export interface HashTable {
  /** Sums of 32 bytes, in order. */
  readonly digests: Uint8Array<SharedArrayBuffer>;
  /** For each sum the index of its name. */
  readonly nameIndex: Uint32Array<SharedArrayBuffer>;
  readonly names: readonly string[];
}

export interface HashEntry {
  /** 64 hexadecimal digits in lower case. */
  readonly digest: string;
  /** Empty when the line has none. */
  readonly name: string;
}

/**
 * Reads lines of `hash  name`; `#` starts a comment, the name may be left out.
 * @param file path as the author would write it, for the problems
 */
export function parseHashList(
  text: string,
  file: string,
): { readonly entries: readonly HashEntry[]; readonly problems: readonly Problem[] } {
  const entries: HashEntry[] = [];
  const problems: Problem[] = [];
  let line = 0;
  for (let start = 0; start <= text.length && problems.length < MAX_PROBLEMS;) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    line++;
    const parsed = parseLine(text.slice(start, end));
    if (parsed !== undefined && 'error' in parsed) {
      problems.push({
        severity: 'error',
        place: { file, line, column: parsed.column, ...excerptOf(text.slice(start, end).trimEnd(), parsed.column) },
        message: parsed.error,
        hint: 'write one SHA-256 sum of 64 hexadecimal digits a line, and behind it the name of the threat',
      });
    } else if (parsed !== undefined) entries.push(parsed);
    start = end + 1;
  }
  return { entries, problems };
}

function parseLine(raw: string): HashEntry | { readonly error: string; readonly column: number } | undefined {
  // A byte order mark is what Windows editors put in front.
  const line = raw.replace(/^\uFEFF/, '').replace(/(^|\s)#[^]*$/, '');
  const text = line.trim();
  if (text === '') return undefined;
  const column = line.search(/\S/) + 1;
  const [hash = ''] = text.split(/\s/, 1);
  if (!/^[0-9a-f]+$/i.test(hash)) return { error: `"${hash.slice(0, 70)}" is not a SHA-256 sum`, column };
  if (hash.length !== 2 * DIGEST) {
    const kind = hash.length === 32 ? ', it looks like MD5' : hash.length === 40 ? ', it looks like SHA-1' : '';
    return { error: `a SHA-256 sum has 64 digits, this has ${hash.length}${kind}`, column };
  }
  const digest = hash.toLowerCase();
  // sha256sum writes an asterisk before the name of a binary file.
  const name = text
    .slice(hash.length)
    .trim()
    .replace(/^\*/, '')
    .replace(/[\x00-\x1f\x7f]/g, '')
    .slice(0, MAX_NAME);
  return { digest, name };
}

/** Makes the table; of an entry that stands twice the first name holds. */
export function buildHashTable(entries: readonly HashEntry[]): HashTable {
  const unique = new Map<string, string>();
  for (const { digest, name } of entries) if (!unique.has(digest)) unique.set(digest, name);
  const order = [...unique.keys()].sort();
  const names: string[] = [];
  const indexOf = new Map<string, number>();
  const digests = Buffer.alloc(order.length * DIGEST);
  const nameIndex = new Uint32Array(new SharedArrayBuffer(order.length * Uint32Array.BYTES_PER_ELEMENT));
  for (const [i, digest] of order.entries()) {
    digests.write(digest, i * DIGEST, 'hex');
    const name = unique.get(digest) ?? '';
    const index = indexOf.get(name) ?? names.push(name) - 1;
    indexOf.set(name, index);
    nameIndex[i] = index;
  }
  return { digests: sharedCopy(digests), nameIndex, names };
}

/** Name of the threat with that sum, by binary search; where the list gives none, the start of the sum. */
export function lookUp(table: HashTable, digest: Buffer): string | undefined {
  let low = 0;
  let high = table.nameIndex.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const at = middle * DIGEST;
    const order = digest.compare(table.digests, at, at + DIGEST);
    if (order === 0) {
      const name = table.names[table.nameIndex[middle] ?? 0];
      return name === undefined || name === '' ? `sha256-${digest.toString('hex', 0, 8)}` : name;
    }
    if (order < 0) high = middle - 1;
    else low = middle + 1;
  }
  return undefined;
}

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Place, Problem } from '../config/problems.js';

/** A list that is there without a file: the domains of gatepost.yaml, as address masks. A file of the name wins. */
export const LIST_OF_DOMAINS = 'our-domains';

const MAX_LIST_BYTES = 64 * 2 ** 20;
const MAX_EXCERPT = 200;

export interface ListEntry {
  readonly text: string;
  readonly line: number;
  readonly column: number;
  readonly excerpt: string;
}

/** A file of `rules/lists/`. */
export interface ListFile {
  readonly name: string;
  /** Path as the author would write it. */
  readonly file: string;
  readonly bytes: Buffer;
  readonly entries: readonly ListEntry[];
}

/** Splits a list into its entries: one a line, `#` starts a comment. */
export function parseList(text: string): ListEntry[] {
  const entries: ListEntry[] = [];
  for (const [index, raw] of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/).entries()) {
    const hash = raw.indexOf('#');
    const line = hash < 0 ? raw : raw.slice(0, hash);
    const entry = line.trim();
    if (entry === '') continue;
    entries.push({
      text: entry,
      line: index + 1,
      column: line.length - line.trimStart().length + 1,
      excerpt: raw.slice(0, MAX_EXCERPT),
    });
  }
  return entries;
}

export function placeOf(list: ListFile, entry: ListEntry): Place {
  return { file: list.file, line: entry.line, column: entry.column, excerpt: entry.excerpt };
}

/**
 * Reads all lists of a rule folder, used or not; a folder without lists has none.
 * @param shown path of the rule folder for people
 */
export async function readLists(
  folder: string,
  shown: string,
): Promise<{ readonly lists: ReadonlyMap<string, ListFile>; readonly problems: readonly Problem[] }> {
  const lists = new Map<string, ListFile>();
  const problems: Problem[] = [];
  for (const file of await listFiles(path.join(folder, 'lists'))) {
    const display = `${shown}/lists/${file}`;
    const at = { file: display, line: 1, column: 1 };
    if (!file.endsWith('.txt')) continue;
    const name = file.slice(0, -'.txt'.length);
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
      problems.push({
        severity: 'error',
        place: at,
        message: `"${name}" cannot be the name of a list`,
        hint: 'letters, digits, dots, dashes and underscores are possible',
      });
      continue;
    }
    const read = await readBounded(path.join(folder, 'lists', file));
    if (typeof read === 'string') {
      problems.push({ severity: 'error', place: at, message: read });
      continue;
    }
    lists.set(name, { name, file: display, bytes: read, entries: parseList(read.toString('utf8')) });
  }
  return { lists, problems };
}

/** Names in a folder in the order of their bytes; a folder that is not there has none. */
export async function listFiles(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** The bytes of a text file, or what is wrong with it. */
export async function readBounded(file: string): Promise<Buffer | string> {
  let bytes;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return `the file cannot be read (${code})`;
  }
  if (bytes.length > MAX_LIST_BYTES) return `the file is larger than ${MAX_LIST_BYTES / 2 ** 20} MiB`;
  return bytes;
}

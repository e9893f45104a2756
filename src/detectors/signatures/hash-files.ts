import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileReason } from '../../config/file-error.js';
import type { Problem } from '../../config/problems.js';
import type { Prepared, PrepareContext } from '../types.js';
import { buildHashTable, parseHashList, type HashEntry, type HashTable } from './hash-list.js';

/** About three million sums. */
const MAX_FILE = 256 * 2 ** 20;

/** Reads the lists into one table; without any list there is none, and nothing is hashed. */
export async function loadHashLists(files: readonly string[], context: PrepareContext): Promise<Prepared> {
  const entries: HashEntry[] = [];
  const problems: Problem[] = [];
  for (const [i, file] of files.entries()) {
    const text = await readList(path.resolve(context.baseDirectory, file));
    if ('error' in text) {
      problems.push(context.problem(['lists', i], `the list "${file}" cannot be read: ${text.error}`));
      continue;
    }
    const parsed = parseHashList(text.text, file.replace(/^\.\//, ''));
    problems.push(...parsed.problems);
    for (const entry of parsed.entries) entries.push(entry);
  }
  return entries.length === 0 ? { problems } : { data: buildHashTable(entries), problems };
}

async function readList(file: string): Promise<{ readonly text: string } | { readonly error: string }> {
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE) return { error: `it is larger than ${MAX_FILE / 2 ** 20} MiB` };
    return { text: await readFile(file, 'utf8') };
  } catch (error) {
    return { error: fileReason(error) };
  }
}

/** Narrows what came through `prepare` and a thread boundary. */
export function isHashTable(data: unknown): data is HashTable {
  return typeof data === 'object' && data !== null && 'digests' in data && 'nameIndex' in data && 'names' in data;
}

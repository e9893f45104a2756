import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, fileReason } from '../config/file-error.js';
import type { Place, Problem } from '../config/problems.js';
import { readTextFile } from '../config/text-file.js';

/** A list that is there without a file: the domains of gatepost.yaml, as address masks. A file of the name wins. */
export const LIST_OF_DOMAINS = 'our-domains';

/** Room for more than a million addresses. */
const MAX_LIST_BYTES = 64e6;

/** A file of `rules/lists/`. */
export interface ListFile {
  readonly name: string;
  /** Path as the author would write it. */
  readonly file: string;
  /** UTF-8. */
  readonly bytes: Buffer;
}

export interface ReadLists {
  readonly lists: ReadonlyMap<string, ListFile>;
  /** Names of files that are there and could not be read: rules may name them without a second complaint. */
  readonly unread: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

/**
 * Reads all lists of a rule folder, used or not; a folder without lists has none.
 * @param shown path of the rule folder for people
 */
export async function readLists(folder: string, shown: string): Promise<ReadLists> {
  const lists = new Map<string, ListFile>();
  const unread = new Set<string>();
  const problems: Problem[] = [];
  for (const file of await listFiles(path.join(folder, 'lists'), `${shown}/lists`, problems)) {
    const display = `${shown}/lists/${file}`;
    const at: Place = { file: display, line: 1, column: 1 };
    if (file.startsWith('.')) continue;
    const name = file.replace(/\.[^.]*$/, '');
    if (!file.endsWith('.txt')) {
      problems.push({
        severity: 'warning',
        place: at,
        message: 'only files that end in .txt are lists: this one has no effect',
        hint: `rename it to ${name}.txt to use it as @${name}`,
      });
      continue;
    }
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
      problems.push({
        severity: 'error',
        place: at,
        message: `"${name}" cannot be the name of a list`,
        hint: 'letters, digits, dots, dashes and underscores are possible',
      });
      continue;
    }
    const read = await readTextFile(path.join(folder, 'lists', file), display, MAX_LIST_BYTES);
    if ('severity' in read) {
      problems.push(read);
      unread.add(name);
    } else lists.set(name, { name, file: display, bytes: read });
  }
  return { lists, unread, problems };
}

/**
 * Names in a folder in the order of their bytes; a folder that is not there has none, nor has one that cannot be listed.
 * @param shown its path as the author would write it
 * @param problems gets what is wrong with the folder
 */
export async function listFiles(folder: string, shown: string, problems: Problem[]): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    problems.push({ severity: 'error', message: `cannot list the folder ${shown}: ${fileReason(error)}` });
    return [];
  }
}

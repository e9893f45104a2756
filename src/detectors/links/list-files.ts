import { randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileReason } from '../../config/file-error.js';
import type { Problem } from '../../config/problems.js';
import type { Prepared, PrepareContext } from '../types.js';
import { parseUrlList, type UrlList } from './url-list.js';

/** About six million lines. */
const MAX_FILE = 256 * 2 ** 20;

/** What threads are given: the lists, and the channel on which later ones are announced. Plain data. */
export interface ListData {
  readonly channel: string;
  readonly lists: readonly UrlList[];
}

/** A file as it was when it was looked at. */
export interface FileState {
  readonly size: number;
  /** ms since the epoch. */
  readonly modified: number;
}

export type ReadList = { readonly list: UrlList; readonly problems: readonly Problem[] } | { readonly error: string };

/** Reads the lists that the settings name; without any there is no data. */
export async function loadLists(files: readonly string[], context: PrepareContext): Promise<Prepared> {
  const lists: UrlList[] = [];
  const problems: Problem[] = [];
  for (const [index, file] of files.entries()) {
    const read = await readUrlList(path.resolve(context.baseDirectory, file), file);
    if ('error' in read) {
      problems.push(context.problem(['lists', index], `the list "${file}" cannot be read: ${read.error}`));
      continue;
    }
    problems.push(...read.problems);
    lists.push(read.list);
  }
  if (files.length === 0) return { problems };
  const data: ListData = { channel: `gatepost-links-${randomUUID()}`, lists };
  return { data, problems };
}

/** @param shown path as the author would write it */
export async function readUrlList(file: string, shown: string): Promise<ReadList> {
  const state = await stateOf(file);
  if ('error' in state) return state;
  if (state.size > MAX_FILE) return { error: `it is larger than ${MAX_FILE / 2 ** 20} MiB` };
  try {
    const { hashes, entries, problems } = await parseUrlList(await readFile(file, 'utf8'), shown.replace(/^\.\//, ''));
    return { list: { name: path.basename(file), hashes, entries, modified: state.modified }, problems };
  } catch (error) {
    return { error: fileReason(error) };
  }
}

/** Size and time of a file. */
export async function stateOf(file: string): Promise<FileState | { readonly error: string }> {
  try {
    const found = await stat(file);
    if (found.isDirectory()) return { error: 'it is a folder' };
    return { size: found.size, modified: found.mtimeMs };
  } catch (error) {
    return { error: fileReason(error) };
  }
}

/** Narrows what came through `prepare` and a thread boundary. */
export function isListData(data: unknown): data is ListData {
  return typeof data === 'object' && data !== null && 'channel' in data && 'lists' in data && Array.isArray(data.lists);
}

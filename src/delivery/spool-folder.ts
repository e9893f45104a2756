import type { Dirent } from 'node:fs';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { isMissing } from '../store/files.js';
import { parseItem, type SpoolItem } from './spool-item.js';

/** Where things lie in a spool folder. */
export interface SpoolPaths {
  readonly root: string;
  /** Files that are being written. */
  readonly tmp: string;
  /** Damaged items. */
  readonly corrupt: string;
  /** Items that a command put there for the gateway to take over. */
  readonly incoming: string;
  readonly lock: string;
}

export function spoolPaths(root: string): SpoolPaths {
  return {
    root,
    tmp: path.join(root, 'tmp'),
    corrupt: path.join(root, 'corrupt'),
    incoming: path.join(root, 'incoming'),
    lock: path.join(root, 'lock'),
  };
}

/** Makes the folders that are missing. */
export async function makeFolders(paths: SpoolPaths): Promise<void> {
  for (const folder of [paths.root, paths.tmp, paths.corrupt, paths.incoming])
    await mkdir(folder, { recursive: true, mode: 0o700 });
}

export const emlOf = (folder: string, item: string): string => path.join(folder, `${item}.eml`);
export const jsonOf = (folder: string, item: string): string => path.join(folder, `${item}.json`);

/** Keys of the files in a folder that end so; none when there is no such folder. */
export async function keysIn(folder: string, end: '.json' | '.eml'): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(end))
    .map(({ name }) => name.slice(0, -end.length))
    .sort();
}

/**
 * Reads an item; undefined when it is gone (it was settled meanwhile).
 * @throws Error when it is damaged: its text, its key, or its message is missing or has another length
 */
export async function loadItem(
  folder: string,
  key: string,
  emlFolder: string = folder,
): Promise<SpoolItem | undefined> {
  let text: string;
  try {
    text = await readFile(jsonOf(folder, key), 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const item = parseItem(text);
  if (item.item !== key) throw new Error('the item has another key than its file');
  const { size } = await stat(emlOf(emlFolder, key));
  if (size !== item.size) throw new Error(`the message has ${size} bytes instead of ${item.size}`);
  return item;
}

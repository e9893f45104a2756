import { readdir } from 'node:fs/promises';
import { isMissing } from '../../store/files.js';
import { folderOf, processesFolder } from './place.js';

/**
 * Numbers of the processes that have a folder of their own, ascending, also of those that are no more; the first process
 * is not among them.
 */
export async function ownFolders(data: string): Promise<readonly number[]> {
  let names: readonly string[];
  try {
    names = await readdir(processesFolder(data));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  return names
    .filter((name) => /^[1-9]\d{0,5}$/.test(name))
    .map(Number)
    .filter((number) => number > 1)
    .sort((a, b) => a - b);
}

/** A process of a gateway, and where its spool and outbox lie. */
export interface ProcessFolder {
  readonly number: number;
  readonly folder: string;
}

/** Folders of all processes of a gateway, that of the first in front. */
export async function processFolders(data: string): Promise<readonly ProcessFolder[]> {
  const numbers = [1, ...(await ownFolders(data))];
  return numbers.map((number) => ({ number, folder: folderOf(data, number) }));
}

import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, messageOf } from '../store/errors.js';
import { isMissing, type DurableFiles } from '../store/files.js';
import type { Log } from '../telemetry/log.js';
import { emlOf, jsonOf, type SpoolPaths } from './spool-folder.js';

/** Behind the key: why the item was set aside, for people. */
export const REASON = '.reason';

export interface CorruptOptions {
  readonly paths: SpoolPaths;
  readonly files: DurableFiles;
  readonly log: Log;
}

/**
 * Moves the files of an item to `corrupt`, with a file that says why. Nothing there is ever written over: an item whose
 * key is taken gets `.2` behind it. Never rejects: what cannot be moved is logged and stays.
 * @param folder where it lies
 */
export async function setItemAside(
  { paths, files, log }: CorruptOptions,
  key: string,
  reason: string,
  folder: string = paths.root,
): Promise<void> {
  try {
    const name = await freeName(paths.corrupt, key, ['.json', '.eml', REASON]);
    log.error({ item: key, reason, corrupt: name }, 'a damaged spool item was set aside in spool/corrupt');
    for (const pathOf of [jsonOf, emlOf]) await moveIfThere(files, pathOf(folder, key), pathOf(paths.corrupt, name));
    await files.create(path.join(paths.corrupt, `${name}${REASON}`), `${reason}\n`, paths.tmp);
  } catch (error) {
    log.error({ item: key, reason: messageOf(error) }, 'a damaged spool item could not be set aside');
  }
}

/** Moves a file that is none of the spool's to `corrupt`. Never rejects. */
export async function setFileAside({ paths, files, log }: CorruptOptions, name: string): Promise<void> {
  try {
    const free = await freeName(paths.corrupt, name, ['']);
    log.warn({ file: name, corrupt: free }, 'a file that is no part of the spool was set aside in spool/corrupt');
    await moveIfThere(files, path.join(paths.root, name), path.join(paths.corrupt, free));
  } catch (error) {
    log.error({ file: name, reason: messageOf(error) }, 'a file could not be set aside');
  }
}

async function freeName(folder: string, name: string, ends: readonly string[]): Promise<string> {
  for (let number = 1; ; number += 1) {
    const wanted = number === 1 ? name : `${name}.${number}`;
    const taken = await Promise.all(ends.map(async (end) => await isThere(path.join(folder, `${wanted}${end}`))));
    if (!taken.includes(true)) return wanted;
  }
}

async function moveIfThere(files: DurableFiles, from: string, to: string): Promise<void> {
  try {
    await files.move(from, to);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

async function isThere(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

import { link, mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { emlOf, entriesIn, jsonOf, keysIn, makeFolders, spoolPaths } from '../../delivery/spool-folder.js';
import { lockFolder } from '../../store/embedded/folder-lock.js';
import { codeOf } from '../../store/errors.js';
import { durableFiles, exists } from '../../store/files.js';
import type { Log } from '../../telemetry/log.js';
import { nodeIdentity } from '../nodes/identity.js';
import { ownFolders } from './folders.js';
import { folderOf } from './place.js';

const files = durableFiles();

/**
 * Takes over what processes that are no more have left: their spooled mail and what their outboxes owe goes to the first
 * process, and their folders are removed. Before the first process opens its own; it can be killed at any point and be
 * done again.
 * @param running how many processes there are now: folders above are taken
 * @returns the installations of those that are no more, as the nodes know them
 * @throws StoreError `in-use` while such a process still runs
 */
export async function adoptProcesses(data: string, running: number, log: Log): Promise<readonly string[]> {
  const gone = (await ownFolders(data)).filter((number) => number > running);
  const installations: string[] = [];
  for (const number of gone) {
    const folder = folderOf(data, number);
    const lock = await lockFolder(folder, 'gateway');
    try {
      const items = await adoptSpool(path.join(folder, 'spool'), path.join(data, 'spool'));
      const batches = await adoptOutbox(path.join(folder, 'outbox'), path.join(data, 'outbox'));
      log.info({ process: number, items, batches }, 'what a process that is no more has left is taken over');
      installations.push((await nodeIdentity(folder)).installation);
      await rm(folder, { recursive: true, force: true });
    } finally {
      await lock.release();
    }
  }
  return installations;
}

/** Nobody works on either of them now. @returns how many items */
async function adoptSpool(from: string, to: string): Promise<number> {
  const source = spoolPaths(from);
  const target = spoolPaths(to);
  await makeFolders(target);
  let count = 0;
  for (const place of [source.root, source.incoming])
    for (const key of await keysIn(place, '.json')) {
      const message = emlOf(place, key);
      // Absent: its `.json` had not been moved yet when the item was taken from `incoming` to the spool.
      const found = (await exists(message)) ? message : emlOf(source.root, key);
      await linkOnce(found, emlOf(target.root, key));
      await files.syncFolder(target.root);
      await files.move(jsonOf(place, key), jsonOf(target.root, key));
      count += 1;
    }
  for (const { name } of await entriesIn(source.corrupt))
    await files.move(path.join(source.corrupt, name), await freeName(target.corrupt, name));
  return count;
}

/** Originals first: a batch that needs one must not be there without it. @returns how many batches */
async function adoptOutbox(from: string, to: string): Promise<number> {
  await mkdir(path.join(to, 'corrupt'), { recursive: true, mode: 0o700 });
  const names = (await entriesIn(from)).filter((entry) => entry.isFile()).map(({ name }) => name);
  const ended = (end: string): string[] => names.filter((name) => name.endsWith(end));
  for (const name of ended('.eml')) await linkOnce(path.join(from, name), path.join(to, name));
  await files.syncFolder(to);
  for (const name of ended('.jsonl')) await files.move(path.join(from, name), path.join(to, name));
  for (const { name } of await entriesIn(path.join(from, 'corrupt')))
    await files.move(path.join(from, 'corrupt', name), await freeName(path.join(to, 'corrupt'), name));
  return ended('.jsonl').length;
}

/** Links a file; it was there already when a run before was killed in the middle. A damaged item may have none. */
async function linkOnce(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!['EEXIST', 'ENOENT'].includes(codeOf(error) ?? '')) throw error;
  }
}

async function freeName(folder: string, name: string): Promise<string> {
  const taken = new Set(await readdir(folder));
  let free = name;
  for (let number = 2; taken.has(free); number++) free = `${number}-${name}`;
  return path.join(folder, free);
}

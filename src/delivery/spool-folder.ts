import { readFileSync, type Dirent } from 'node:fs';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../store/errors.js';
import { exists, isMissing } from '../store/files.js';
import { checksumOf } from './spool-checksum.js';
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

/** Longest `.json` file that is read, in bytes: far more than thousands of recipients make. */
export const MAX_JSON = 32 * 2 ** 20;

/** Keys of the files in a folder that end so; none when there is no such folder. */
export async function keysIn(folder: string, end: '.json' | '.eml'): Promise<string[]> {
  return (await entriesIn(folder))
    .filter((entry) => entry.isFile() && entry.name.endsWith(end))
    .map(({ name }) => name.slice(0, -end.length))
    .sort();
}

/** What lies in a folder; nothing when there is no such folder. */
export async function entriesIn(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Files of a dead command are removed from `incoming` after this time, ms. */
export const STALE = 3_600_000;

/**
 * Whether a message lies there without its `.json` for so long that nobody will write it any more. It counts since when it
 * lies there: a link keeps the time at which the bytes were written.
 * @param now ms
 */
export async function isStale(folder: string, key: string, now: number = Date.now()): Promise<boolean> {
  if (await exists(jsonOf(folder, key))) return false;
  return now - (await stat(emlOf(folder, key))).ctimeMs > STALE;
}

/**
 * Reads an item; undefined when it is gone (it was settled meanwhile).
 * @throws Error when it is damaged (`isDamage`: its text, its key, or its message is missing or has another length) or
 * cannot be read
 */
export async function loadItem(
  folder: string,
  key: string,
  emlFolder: string = folder,
): Promise<SpoolItem | undefined> {
  const file = jsonOf(folder, key);
  let text: string;
  try {
    const { size } = await stat(file);
    checkLength(size);
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  return checked(text, key, await sizeOf(emlOf(emlFolder, key)));
}

/**
 * Reads an item that was set aside, whose files may have another name than its key.
 * @throws Error that says why it is no whole item
 */
export async function loadSetAside(folder: string, name: string): Promise<SpoolItem> {
  checkLength((await stat(jsonOf(folder, name))).size);
  const text = await readFile(jsonOf(folder, name), 'utf8');
  const { item: key } = parseItem(text);
  const item = checked(text, key, await sizeOf(emlOf(folder, name)));
  if (item.crc32 !== undefined && (await checksumOf(emlOf(folder, name))) !== item.crc32)
    throw new Error(
      'the bytes of the message have changed since it was spooled: put the right .eml back, or take "crc32" out of the .json to have it sent as it is',
    );
  return item;
}

/** As `loadItem`, for reading thousands: four times as fast, and it holds the loop up meanwhile. @param size of the message */
export function loadItemNow(folder: string, key: string, size: number): SpoolItem {
  const bytes = readFileSync(jsonOf(folder, key));
  checkLength(bytes.length);
  return checked(bytes.toString(), key, size);
}

/** Whether an item itself is at fault, and not the system that could not read it just now. */
export function isDamage(error: unknown): boolean {
  const code = codeOf(error);
  return code === undefined || ['ENOENT', 'EISDIR', 'ENOTDIR', 'ELOOP', 'ERR_FS_FILE_TOO_LARGE'].includes(code);
}

function checked(text: string, key: string, size: number): SpoolItem {
  const item = parseItem(text);
  if (item.item !== key) throw new Error('the item has another key than its file');
  if (size !== item.size) throw new Error(`the message has ${size} bytes instead of ${item.size}`);
  if (item.recipients.every(({ state }) => state !== 'waiting'))
    throw new Error('the item has no recipient that waits');
  return item;
}

function checkLength(size: number): void {
  if (size > MAX_JSON) throw new Error(`the item's file has ${size} bytes, more than an item can have`);
}

async function sizeOf(file: string): Promise<number> {
  try {
    const found = await stat(file);
    if (!found.isFile()) throw new Error('the message is no file');
    return found.size;
  } catch (error) {
    if (isMissing(error)) throw new Error('its .eml is missing', { cause: error });
    throw error;
  }
}

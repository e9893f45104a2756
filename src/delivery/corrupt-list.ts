import { open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../store/errors.js';
import { isMissing } from '../store/files.js';
import { REASON } from './spool-corrupt.js';
import { emlOf, entriesIn, jsonOf, loadSetAside, MAX_JSON, spoolPaths } from './spool-folder.js';
import type { SpoolItem } from './spool-item.js';

/** What lies in `spool/corrupt` under one name, as far as it can be read. */
export interface CorruptItem {
  /** Name of its files without their ends: the item's key, or that with a number. */
  readonly name: string;
  readonly files: readonly string[];
  /** When it was set aside. */
  readonly time: Date;
  /** Of the message, in bytes; absent when that is missing. */
  readonly size?: number;
  /** Why it was set aside. */
  readonly reason: string;
  /** Why it cannot be put back as it is; absent when it can. */
  readonly problem?: string;
  /** The item, when it is whole (again). */
  readonly item?: SpoolItem;
  /** What stands in a damaged `.json` and may be shown. */
  readonly sender?: string;
  readonly recipients: readonly string[];
}

const MAX_REASON = 1000;
const MAX_SHOWN = 200;

/** What lies in `corrupt`, by name. Reads only. @param wanted names to read; all when absent */
export async function* eachCorruptItem(
  spool: string,
  wanted: (name: string) => boolean = () => true,
): AsyncGenerator<CorruptItem> {
  const { corrupt } = spoolPaths(spool);
  const names = new Map<string, string[]>();
  for (const { name: file } of await entriesIn(corrupt)) {
    const name = file.replace(/\.(eml|json|reason)$/, '');
    if (wanted(name)) names.set(name, [...(names.get(name) ?? []), file]);
  }
  for (const [name, files] of [...names].sort(([a], [b]) => (a < b ? -1 : 1))) yield await read(corrupt, name, files);
}

async function read(corrupt: string, name: string, files: readonly string[]): Promise<CorruptItem> {
  const [message, reason, newest, whole] = await Promise.all([
    files.includes(`${name}.eml`) ? statOf(emlOf(corrupt, name)) : undefined,
    textOf(path.join(corrupt, `${name}${REASON}`), MAX_REASON),
    statOf(path.join(corrupt, files.includes(`${name}${REASON}`) ? `${name}${REASON}` : (files[0] ?? name))),
    wholeItem(corrupt, name, files),
  ]);
  const shown = typeof whole === 'string' ? await salvage(corrupt, name) : undefined;
  return {
    name,
    files: [...files].sort(),
    time: newest?.mtime ?? new Date(0),
    ...(message === undefined ? {} : { size: message.size }),
    reason: reason.trim() || 'not noted',
    ...(typeof whole === 'string' ? { problem: whole } : { item: whole }),
    ...(typeof whole === 'string' ? {} : { sender: whole.envelope.sender }),
    recipients: typeof whole === 'string' ? [] : whole.recipients.map(({ address }) => address),
    ...shown,
  };
}

/** The item, or why it is none. */
async function wholeItem(corrupt: string, name: string, files: readonly string[]): Promise<SpoolItem | string> {
  if (!files.includes(`${name}.json`)) return 'its .json is missing: nothing says whom the message is for';
  try {
    return await loadSetAside(corrupt, name);
  } catch (error) {
    return messageOf(error);
  }
}

/** Addresses out of a `.json` that is JSON still. */
async function salvage(corrupt: string, name: string): Promise<{ sender?: string; recipients: string[] }> {
  const found: { sender?: string; recipients: string[] } = { recipients: [] };
  let value: unknown;
  try {
    value = JSON.parse(await textOf(jsonOf(corrupt, name), MAX_JSON));
  } catch (error) {
    if (error instanceof SyntaxError) return found;
    throw error;
  }
  const { envelope, recipients } = fields(value);
  const { sender } = fields(envelope);
  if (typeof sender === 'string') found.sender = sender.slice(0, 1000);
  for (const recipient of Array.isArray(recipients) ? recipients.slice(0, MAX_SHOWN) : []) {
    const { address } = fields(recipient);
    if (typeof address === 'string') found.recipients.push(address.slice(0, 1000));
  }
  return found;
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

async function statOf(file: string) {
  try {
    return await stat(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The text of a file; nothing where there is none that is not too long. */
async function textOf(file: string, most: number): Promise<string> {
  const found = await statOf(file);
  if (found?.isFile() !== true || found.size > most) return '';
  const handle = await open(file, 'r');
  try {
    return await readFile(handle, 'utf8');
  } finally {
    await handle.close();
  }
}

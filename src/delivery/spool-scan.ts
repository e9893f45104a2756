import { lstatSync } from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import { codeOf } from '../store/errors.js';
import { emlOf, entriesIn } from './spool-folder.js';
import { ITEM_KEY } from './spool-item.js';

/** What lies in a spool folder, by its names and the sizes of the messages. */
export interface SpoolScan {
  /** Keys of the items whose two files are there, oldest first, with the size of the message in bytes. */
  readonly items: ReadonlyMap<string, number>;
  /** Keys of which only one file is there, or one that is no file. */
  readonly incomplete: ReadonlyMap<string, string>;
  /** Names of files that are none of the spool's. */
  readonly strangers: readonly string[];
}

/** Files that are asked for their size without a pause. */
const SLICE = 500;
/** The lock, and what taking it leaves when one is killed. */
const LOCK = /^lock(\.[0-9a-f]+(\.stale)?)?$/;

/** Looks through a spool folder without opening its files: 100,000 items take about a second. */
export async function scanSpool(root: string): Promise<SpoolScan> {
  const found = { eml: new Map<string, boolean>(), json: new Map<string, boolean>() };
  const strangers: string[] = [];
  for (const entry of await entriesIn(root)) {
    const [, key = '', kind] = /^(.*)\.(eml|json)$/s.exec(entry.name) ?? [];
    if ((kind === 'eml' || kind === 'json') && ITEM_KEY.test(key)) found[kind].set(key, entry.isFile());
    else if (!entry.isDirectory() && !LOCK.test(entry.name)) strangers.push(entry.name);
  }
  const items = new Map<string, number>();
  const incomplete = new Map<string, string>();
  for (const key of found.eml.keys()) if (!found.json.has(key)) incomplete.set(key, 'its .json is missing');
  let asked = 0;
  for (const key of [...found.json.keys()].sort()) {
    const eml = found.eml.get(key);
    if (eml === undefined) incomplete.set(key, 'its .eml is missing');
    else if (!eml || found.json.get(key) !== true) incomplete.set(key, 'what has its name is no file');
    else {
      asked += 1;
      if (asked % SLICE === 0) await breathe();
      const size = sizeOf(emlOf(root, key));
      if (size === undefined) incomplete.set(key, 'its .eml is missing');
      else items.set(key, size);
    }
  }
  return { items, incomplete, strangers };
}

function sizeOf(file: string): number | undefined {
  try {
    return lstatSync(file).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

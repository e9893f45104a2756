import { statSync } from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import { contentOf, type Content } from '../message/source.js';
import { replyLine } from './reply.js';
import { emlOf, keysIn, loadItem, loadItemNow, spoolPaths } from './spool-folder.js';
import { ITEM_KEY, type SpoolItem } from './spool-item.js';

/** Items that are read without a break. */
const PAUSE_AFTER = 64;

/** An item as `gatepost queue list --json` shows it. */
export interface SpoolListing {
  readonly id: string;
  readonly time: string;
  readonly sender: string;
  readonly size: number;
  readonly hop: string;
  /** Since when an admin holds it; absent when nobody does. */
  readonly held?: string;
  readonly recipients: readonly {
    readonly address: string;
    readonly state: SpoolItem['recipients'][number]['state'];
    readonly attempts: number;
    /** Absent (null) where nothing more is to be tried. */
    readonly nextAttempt: string | null;
    readonly lastReply: string | null;
  }[];
}

export interface SpoolWalk {
  /** Only items behind this key. */
  readonly after?: string;
  /** Only these keys. */
  readonly keys?: (key: string) => boolean;
  /** How many keys were looked at, and how many there are. */
  readonly onProgress?: (done: number, all: number) => void;
}

/**
 * What lies in a spool folder, oldest first. Reads only: safe while a gateway runs. Items that are settled meanwhile and
 * damaged ones are left out. They are read one after the other, with a break now and then; only their names are held in
 * memory.
 * @param folder `<data>/spool`
 */
export async function* eachSpoolItem(folder: string, walk: SpoolWalk = {}): AsyncGenerator<SpoolItem> {
  const { incoming, root } = spoolPaths(folder);
  const wanted = async (place: string): Promise<string[]> =>
    (await keysIn(place, '.json')).filter(
      (key) => (walk.after === undefined || key > walk.after) && walk.keys?.(key) !== false,
    );
  // In this order, as an item may be taken over between the two.
  const added = new Set(await wanted(incoming));
  const own = await wanted(root);
  const keys = added.size === 0 ? own : [...new Set([...own, ...added])].sort();
  let done = 0;
  for (const key of keys) {
    done += 1;
    if (done % PAUSE_AFTER === 0) {
      walk.onProgress?.(done, keys.length);
      await breathe();
    }
    const item = readNow(root, key) ?? (added.has(key) ? readNow(incoming, key) : undefined);
    if (item !== undefined) yield item;
  }
}

/** Number of items, without reading them. */
export async function countSpool(folder: string): Promise<number> {
  const { incoming, root } = spoolPaths(folder);
  return (await keysIn(root, '.json')).length + (await keysIn(incoming, '.json')).length;
}

/** One item in full and its message; undefined when there is none. Reads only. */
export async function readSpoolItem(
  folder: string,
  key: string,
): Promise<{ readonly item: SpoolItem; readonly content: Content } | undefined> {
  if (!ITEM_KEY.test(key)) return undefined;
  const { root, incoming } = spoolPaths(folder);
  for (const place of [root, incoming]) {
    const item = await readQuietly(place, key);
    if (item !== undefined)
      return { item, content: contentOf({ kind: 'file', path: emlOf(place, key), size: item.size }) };
  }
  return undefined;
}

/** An item as lists show it. */
export function listing(item: SpoolItem): SpoolListing {
  const hops = new Set(item.recipients.filter(({ state }) => state === 'waiting').map(({ hop }) => hop));
  return {
    id: item.item,
    time: item.time,
    sender: item.envelope.sender,
    size: item.size,
    hop: [...hops].join(', '),
    ...(item.held === undefined ? {} : { held: item.held }),
    recipients: item.recipients.map(({ address, state, attempts, lastReply }) => ({
      address,
      state,
      attempts,
      nextAttempt: state === 'waiting' && item.held === undefined ? item.nextAttempt : null,
      lastReply: lastReply === undefined ? null : replyLine(lastReply),
    })),
  };
}

function readNow(folder: string, key: string): SpoolItem | undefined {
  try {
    return loadItemNow(folder, key, statSync(emlOf(folder, key)).size);
  } catch (error) {
    // Settled meanwhile, or damaged: the gateway sets it aside and says so.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** The gateway sets damaged items aside and says so; a listing goes on. */
async function readQuietly(folder: string, key: string): Promise<SpoolItem | undefined> {
  const [result] = await Promise.allSettled([loadItem(folder, key)]);
  return result.status === 'fulfilled' ? result.value : undefined;
}

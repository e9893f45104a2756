import { statSync } from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import type { Envelope } from '../message/envelope.js';
import { contentOf, type Content } from '../message/source.js';
import type { TraceId } from '../message/trace-id.js';
import { durableFiles } from '../store/files.js';
import { replyLine } from './reply.js';
import { Checksum } from './spool-checksum.js';
import { emlOf, jsonOf, keysIn, loadItem, loadItemNow, makeFolders, spoolPaths } from './spool-folder.js';
import { formatItem, ITEM_KEY, plainRecipient, type SpoolItem } from './spool-item.js';

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

/** An item of that key is in the spool already. */
export class SpoolItemExistsError extends Error {
  override readonly name = 'SpoolItemExistsError';
}

/**
 * What lies in a spool folder, oldest first. Reads only: safe while a gateway runs. Items that are settled meanwhile and
 * damaged ones are left out.
 * @param folder `<data>/spool`
 */
export async function listSpool(folder: string): Promise<readonly SpoolListing[]> {
  const found: SpoolListing[] = [];
  for await (const item of eachSpoolItem(folder)) found.push(listing(item));
  return found;
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
 * The items of a spool folder, oldest first, as `listSpool` has them: read one after the other, with a break now and
 * then. Only their names are held in memory.
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

/** What is put into the spool from outside the gateway. */
export interface NewSpoolItem {
  readonly item: string;
  readonly traceId: TraceId;
  readonly envelope: Envelope;
  readonly content: Content;
  readonly eightBit: boolean;
  readonly route?: string;
  readonly bounce: 'allowed' | 'internal-only' | 'never';
  readonly replaces?: string;
}

/**
 * Puts mail into a spool folder, also of a gateway that runs: it takes it over within seconds, otherwise at its next
 * start. Fsynced when this resolves.
 * @param hop shown until the first attempt
 * @throws SpoolItemExistsError
 */
export async function addToSpool(folder: string, mail: NewSpoolItem, now: Date = new Date(), hop = ''): Promise<void> {
  if (!ITEM_KEY.test(mail.item)) throw new RangeError('an item key consists of letters, digits, dots and dashes');
  if ((await readSpoolItem(folder, mail.item)) !== undefined)
    throw new SpoolItemExistsError(`${mail.item} is in the spool already`);
  const paths = spoolPaths(folder);
  await makeFolders(paths);
  const files = durableFiles();
  const checksum = new Checksum();
  await files.create(emlOf(paths.incoming, mail.item), checksum.over(mail.content.read()));
  const item = { ...newItem(mail, now, hop), crc32: checksum.text };
  await files.create(jsonOf(paths.incoming, mail.item), formatItem(item));
}

/** An item that nothing was tried for. */
export function newItem(
  mail: Omit<NewSpoolItem, 'content'> & { content: Pick<Content, 'size'> },
  now: Date,
  hop: string,
): SpoolItem {
  const { recipients, ...envelope } = mail.envelope;
  const time = now.toISOString();
  return {
    version: 1,
    item: mail.item,
    traceId: mail.traceId,
    stage: 'deliver',
    time,
    receivedAt: time,
    size: mail.content.size,
    eightBit: mail.eightBit,
    ...(mail.route === undefined ? {} : { route: mail.route }),
    bounce: mail.bounce,
    ...(mail.replaces === undefined ? {} : { replaces: mail.replaces }),
    envelope,
    recipients: recipients.map((recipient) => ({ ...plainRecipient(recipient), state: 'waiting', attempts: 0, hop })),
    attempts: 0,
    nextAttempt: time,
    running: false,
    history: [],
  };
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

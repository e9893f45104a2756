import { link, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { Checksum } from '../delivery/spool-checksum.js';
import { emlOf, jsonOf, keysIn, makeFolders, spoolPaths } from '../delivery/spool-folder.js';
import { formatItem } from '../delivery/spool-item.js';
import { newItem, type NewSpoolItem } from '../delivery/spool-item.js';
import { parseTraceId } from '../message/trace-id.js';
import { codeOf } from '../store/errors.js';
import { durableFiles, isMissing, removeTemporaries } from '../store/files.js';
import { filesOfOwner } from '../store/owned-files.js';
import type { Store } from '../store/types.js';

/** A release that is not done after this time, ms, was given up. */
const STALE = 3_600_000;

type NewRelease = Omit<NewSpoolItem, 'eightBit'>;

const files = durableFiles();

/** Where releases lie ready, as items of the spool that the gateway does not look at yet. */
const readyFolder = (spool: string): string => path.join(spool, 'releasing');

/** Writes an item ready to be handed over; fsynced when this resolves. @param spool `<data>/spool` */
export async function prepareRelease(spool: string, mail: NewRelease, now: Date): Promise<void> {
  const ready = readyFolder(spool);
  const paths = spoolPaths(spool);
  await makeFolders(paths);
  await mkdir(ready, { recursive: true, mode: 0o700 });
  let eightBit = false;
  async function* watched(): AsyncGenerator<Buffer> {
    for await (const piece of mail.content.read()) {
      eightBit ||= piece.some((byte) => byte > 127);
      yield piece;
    }
  }
  const checksum = new Checksum();
  const owned = await filesOfOwner(path.dirname(spool));
  for (const folder of [paths.root, paths.tmp, paths.corrupt, paths.incoming, ready]) await owned.give(folder);
  await owned.create(emlOf(ready, mail.item), checksum.over(watched()));
  const item = { ...newItem({ ...mail, eightBit }, now, ''), crc32: checksum.text };
  await owned.create(jsonOf(ready, mail.item), formatItem(item));
}

/**
 * Hands an item over to the spool; the gateway takes it within seconds, or at its next start. Safe to be repeated after
 * a kill at any point: the message is linked, and the item's `.json`, which makes it exist, is renamed last.
 */
export async function handOver(spool: string, item: string): Promise<void> {
  const ready = readyFolder(spool);
  const { incoming } = spoolPaths(spool);
  try {
    await link(emlOf(ready, item), emlOf(incoming, item));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  await files.syncFolder(incoming);
  await files.move(jsonOf(ready, item), jsonOf(incoming, item));
  await files.remove(emlOf(ready, item));
}

/** Removes what lies ready of a release that is not to go out. */
export async function dropRelease(spool: string, item: string): Promise<void> {
  await files.remove(jsonOf(readyFolder(spool), item));
  await files.remove(emlOf(readyFolder(spool), item));
}

/**
 * Hands over the releases that were done and whose process was killed before it could, and removes those that were
 * given up. Asks the store only when something lies there.
 * @returns keys of the items that were handed over
 */
export async function finishReleases(
  spool: string,
  { quarantine, journal }: Pick<Store, 'quarantine' | 'journal'>,
  now: Date = new Date(),
): Promise<readonly string[]> {
  const ready = readyFolder(spool);
  const finished: string[] = [];
  const whole = await keysIn(ready, '.json');
  for (const item of whole) {
    const id = parseTraceId(item.slice(0, 26));
    if (id === undefined) continue;
    const releases = (await quarantine.get(id))?.releases;
    const records = releases ?? (await journal.find(id))?.deliveries.filter(({ state }) => state === 'released') ?? [];
    if (records.some((record) => record.item === item)) {
      try {
        await handOver(spool, item);
        finished.push(item);
      } catch (error) {
        // Its own process was not dead, only slow, and has just done it.
        if (!isMissing(error)) throw error;
      }
    } else if (await isStale(jsonOf(ready, item), now)) await dropRelease(spool, item);
  }
  for (const item of await keysIn(ready, '.eml'))
    if (!whole.includes(item) && (await isStale(emlOf(ready, item), now))) await files.remove(emlOf(ready, item));
  await removeTemporaries(ready, { age: STALE });
  return finished;
}

async function isStale(file: string, now: Date): Promise<boolean> {
  try {
    return now.getTime() - (await stat(file)).mtimeMs > STALE;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

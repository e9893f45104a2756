import path from 'node:path';
import { eachCorruptItem, type CorruptItem } from '../delivery/corrupt-list.js';
import type { SpoolItem } from '../delivery/spool-item.js';
import { countSpool, eachSpoolItem, type SpoolWalk } from '../delivery/spool-list.js';
import { processFolders } from '../gateway/processes/folders.js';
import { checkDataFolder } from './data-folder.js';

/** The spools of all processes of this node. @throws Error when this user may not look into the data folder */
export async function spoolsOf(data: string): Promise<readonly string[]> {
  await checkDataFolder(data);
  return (await processFolders(data)).map(({ folder }) => path.join(folder, 'spool'));
}

/** The items of several spools, oldest first, as `eachSpoolItem` has those of one. */
export async function* eachItemOf(spools: readonly string[], walk: SpoolWalk = {}): AsyncGenerator<SpoolItem> {
  const { onProgress, ...rest } = walk;
  const counts = spools.map(() => ({ done: 0, all: 0 }));
  const walks = spools.map((spool, i) =>
    eachSpoolItem(spool, {
      ...rest,
      onProgress: (done, all) => {
        counts[i] = { done, all };
        onProgress?.(
          counts.reduce((sum, count) => sum + count.done, 0),
          counts.reduce((sum, count) => sum + count.all, 0),
        );
      },
    }),
  );
  const heads = await Promise.all(walks.map(async (items) => await nextOf(items)));
  for (;;) {
    let first: number | undefined;
    let oldest: SpoolItem | undefined;
    for (const [i, item] of heads.entries())
      if (item !== undefined && (oldest === undefined || item.item < oldest.item)) [first, oldest] = [i, item];
    const items = first === undefined ? undefined : walks[first];
    if (first === undefined || oldest === undefined || items === undefined) return;
    yield oldest;
    heads[first] = await nextOf(items);
  }
}

/** Damaged items of several spools. @param keys only these */
export async function* eachCorruptOf(
  spools: readonly string[],
  keys?: (key: string) => boolean,
): AsyncGenerator<CorruptItem> {
  for (const spool of spools) yield* eachCorruptItem(spool, keys);
}

/** Number of items in several spools, without reading them. */
export async function countSpools(spools: readonly string[]): Promise<number> {
  const counts = await Promise.all(spools.map(async (spool) => await countSpool(spool)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function nextOf(items: AsyncGenerator<SpoolItem>): Promise<SpoolItem | undefined> {
  const next = await items.next();
  return next.done === true ? undefined : next.value;
}

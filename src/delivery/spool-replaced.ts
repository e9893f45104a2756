import { loadItemNow } from './spool-folder.js';
import type { SpoolItem } from './spool-item.js';

/**
 * Keys of items that were to take the place of one that is there still: the process died while that was inspected
 * again. They do not count, as it will be inspected once more.
 * @param items keys of the items in the folder, with the sizes of their messages
 */
export function uncounted(root: string, items: ReadonlyMap<string, number>): string[] {
  const found: string[] = [];
  for (const key of items.keys()) {
    // Most are spared the reading: such an item has the key of the other, and something behind it.
    if (!hasParent(key, items)) continue;
    const replaced = read(root, key, items)?.replaces;
    if (replaced !== undefined && read(root, replaced, items) !== undefined) found.push(key);
  }
  return found;
}

function hasParent(key: string, items: ReadonlyMap<string, number>): boolean {
  for (let dot = key.lastIndexOf('.'); dot > 0; dot = key.lastIndexOf('.', dot - 1))
    if (items.has(key.slice(0, dot))) return true;
  return false;
}

/** Undefined for one that is damaged or cannot be read: then both are kept. */
function read(root: string, key: string, items: ReadonlyMap<string, number>): SpoolItem | undefined {
  const size = items.get(key);
  if (size === undefined) return undefined;
  try {
    return loadItemNow(root, key, size);
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

import { LIST_OF_DOMAINS } from './lists.js';
import type { RuleBundle } from './model.js';
import type { PackedList } from './packed-list.js';

/** Masks of a rule, and the lists that stand among them. */
export interface MasksAndLists {
  readonly masks: readonly string[];
  readonly lists: readonly PackedList[];
}

/** Looks up every `@list` among the masks. */
export function withLists(masks: readonly string[], { lists, domains }: Pick<RuleBundle, 'lists' | 'domains'>): MasksAndLists {
  const plain: string[] = [];
  const packed: PackedList[] = [];
  for (const mask of masks) {
    if (!mask.startsWith('@')) {
      plain.push(mask);
      continue;
    }
    const name = mask.slice(1);
    const list = Object.hasOwn(lists, name) ? lists[name] : undefined;
    if (list !== undefined) packed.push(list);
    else if (name === LIST_OF_DOMAINS) plain.push(...domains.map((domain) => `*@${domain}`));
  }
  return { masks: plain, lists: packed };
}

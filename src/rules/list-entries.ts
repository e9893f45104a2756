import { LIST_OF_DOMAINS } from './lists.js';

/** Masks with every `@list` replaced by its entries. */
export function expandLists(
  masks: readonly string[],
  lists: Readonly<Record<string, readonly string[]>>,
  domains: readonly string[],
): string[] {
  return masks.flatMap((mask) => {
    if (!mask.startsWith('@')) return [mask];
    const name = mask.slice(1);
    const entries = lists[name];
    if (entries !== undefined) return entries;
    return name === LIST_OF_DOMAINS ? domains.map((domain) => `*@${domain}`) : [];
  });
}

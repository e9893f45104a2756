import { decodeLeniently, parseTarget, type Target } from '../../message/links/parse.js';

const MAX_NESTED = 3;
const START = /https?(?::|%3a|%253a)(?:\/|%2f|%252f){2}/gi;

/** Addresses that stand inside another one, as those of redirecting services do: in its path or query. */
export function nestedTargets(url: string): readonly Target[] {
  // Its own start is none.
  START.lastIndex = /^https?:/i.test(url) ? 8 : 0;
  const found: Target[] = [];
  for (let hit = START.exec(url); hit !== null && found.length < MAX_NESTED; hit = START.exec(url)) {
    let inner = url.slice(hit.index, hit.index + 2000);
    if (inner.slice(0, 12).includes('%')) {
      // An encoded address ends where the parameter does.
      inner = inner.split(/[&#]/, 1)[0] ?? '';
      inner = decodeLeniently(inner);
      if (/^https?%/i.test(inner)) inner = decodeLeniently(inner);
    }
    const target = parseTarget(inner);
    if (target !== undefined && target.domain !== '') found.push(target);
  }
  return found;
}

import { parseNetwork } from '../config/networks.js';
import { foldAddress, readAddressMask } from './addresses.js';
import { isGroup } from './groups.js';
import { compileMask } from './mask.js';
import type { MatchData, RuleData } from './model.js';

/** The scope of a rule with its lists spread out, for comparing it with others. */
export interface SpreadScope {
  readonly rule: RuleData;
  readonly sender?: readonly string[];
  readonly recipient?: readonly string[];
  readonly client?: readonly string[];
}

/** More comparisons than this are not made for one pair of masks: a warning is not worth a slow start. */
const MAX_COMPARISONS = 200_000;

/**
 * Whether the earlier scope takes everything that the later one can take. Careful: false where it cannot be told, as
 * of two different conditions.
 */
export function takesAll(earlier: SpreadScope, later: SpreadScope): boolean {
  const a = earlier.rule.match;
  const b = later.rule.match;
  return (
    plainOrSame(a.when, b.when) &&
    plainOrSame(a.time, b.time) &&
    plainOrSame(a.except, b.except) &&
    (a.authenticated === undefined || a.authenticated === b.authenticated) &&
    coversSender(earlier, later, a, b) &&
    covers(earlier.recipient, later.recipient, maskCovers) &&
    covers(earlier.client, later.client, networkCovers)
  );
}

function plainOrSame(a: unknown, b: unknown): boolean {
  return a === undefined || JSON.stringify(a) === JSON.stringify(b);
}

function coversSender(earlier: SpreadScope, later: SpreadScope, a: MatchData, b: MatchData): boolean {
  // A later rule that looks at From as well takes senders that an earlier one of the envelope alone does not.
  const narrower = a.senderIs === 'envelope' && b.senderIs === 'either' && b.sender !== undefined;
  if (narrower && earlier.sender?.includes('*') === false) return false;
  return covers(earlier.sender, later.sender, maskCovers);
}

function covers(
  a: readonly string[] | undefined,
  b: readonly string[] | undefined,
  one: (a: string, b: string) => boolean,
): boolean {
  if (a === undefined || a.includes('*')) return true;
  if (b === undefined || b.length === 0) return false;
  const known = new Set(a);
  const others = b.filter((entry) => !known.has(entry));
  if (others.length * a.length > MAX_COMPARISONS) return false;
  return others.every((entry) => a.some((mask) => one(mask, entry)));
}

/** Whether mask `a` takes everything that mask `b` takes. */
export function maskCovers(a: string, b: string): boolean {
  if (a === '*') return true;
  // Whoever is in a group today need not be tomorrow.
  if (isGroup(a) || isGroup(b)) return a === b;
  if (b === '*' || b === '<>' || a === '<>') return a === b;
  const wide = readAddressMask(a);
  if (wide.kind === 'exact') return wide.address === foldAddress(b);
  // What a wildcard of the narrower mask stands for is taken for certain only where a star meets it. So a character
  // that stands in no mask takes the place of the narrower one's wildcards, and another that of the wider one's `?`.
  const narrow = foldAddress(b).replace(/[*?]/g, STANDS_IN);
  return compileMask(foldAddress(a).replaceAll('?', NEVER_MET))(narrow);
}

const STANDS_IN = '\uE000';
const NEVER_MET = '\uE001';

function networkCovers(a: string, b: string): boolean {
  const wide = parseNetwork(a);
  const narrow = parseNetwork(b);
  if ('error' in wide || 'error' in narrow) return false;
  const [base, bits] = wide.network;
  const [address, length] = narrow.network;
  if (base.kind() !== address.kind() || bits > length) return false;
  const [left, right] = [base.toByteArray(), address.toByteArray()];
  for (let bit = 0; bit < bits; bit++) {
    const byte = bit >> 3;
    const mask = 0x80 >> (bit & 7);
    if (((left[byte] ?? 0) & mask) !== ((right[byte] ?? 0) & mask)) return false;
  }
  return true;
}

import type { AddressSet } from './addresses.js';
import type { ClientSet } from './clients.js';
import type { MatchData, ScopeKeys } from './model.js';
import { timeCovers } from './time.js';

/** A scope of sets, for comparing it with others. */
export interface SetScope {
  readonly match: MatchData;
  readonly sender?: AddressSet;
  readonly recipient?: AddressSet;
  readonly client?: ClientSet;
  readonly except: { readonly sender?: AddressSet; readonly recipient?: AddressSet; readonly client?: ClientSet };
}

/** Sets with more entries are not compared entry by entry: a warning is not worth a slow start. */
const MAX_ENTRIES = 5000;

/**
 * Whether the earlier scope takes everything that the later one can take. Careful: false where it cannot be told, as
 * of two different conditions.
 */
export function takesAll(earlier: SetScope, later: SetScope): boolean {
  const a = earlier.match;
  const b = later.match;
  return (
    (a.authenticated === undefined || a.authenticated === b.authenticated) &&
    (a.when === undefined || same(a.when, b.when)) &&
    timeCovers(a.time, b.time) &&
    coversSender(earlier, later) &&
    covers(earlier.recipient, later.recipient) &&
    coversClients(earlier.client, later.client) &&
    exceptsNoneOf(earlier, later)
  );
}

function same(a: unknown, b: unknown): boolean {
  return b !== undefined && JSON.stringify(a) === JSON.stringify(b);
}

function coversSender(earlier: SetScope, later: SetScope): boolean {
  // A later rule that looks at From as well takes senders that an earlier one of the envelope alone does not.
  const narrower =
    earlier.match.senderIs === 'envelope' && later.match.senderIs === 'either' && later.sender !== undefined;
  if (narrower && earlier.sender?.all === false) return false;
  return covers(earlier.sender, later.sender);
}

/** Whether set `a` takes everything that set `b` takes; no set is everything. */
export function covers(a: AddressSet | undefined, b: AddressSet | undefined): boolean {
  if (a === undefined || a.all || a === b) return true;
  if (b === undefined || b.all || b.size > MAX_ENTRIES) return false;
  if (b.takesNull && !a.takesNull) return false;
  const masks = new Set(a.others);
  const certain = a.withoutSingles();
  for (const mask of b.keys()) if (!certain.has(witnessOf(mask))) return false;
  return b.others.every((mask) => masks.has(mask) || certain.has(witnessOf(mask)));
}

/**
 * An address that a mask takes, with a character for each wildcard that stands in no other mask: whoever takes it by
 * its own stars takes all that the mask takes.
 * @param mask folded
 */
export function witnessOf(mask: string): string {
  return mask.replace(/[*?]/g, STANDS_IN);
}

const STANDS_IN = '\uE000';

function coversClients(a: ClientSet | undefined, b: ClientSet | undefined): boolean {
  if (a === undefined || a === b) return true;
  return b !== undefined && a.covers(b);
}

/** Whether nothing that the later scope takes is excepted by the earlier one. */
function exceptsNoneOf(earlier: SetScope, later: SetScope): boolean {
  const given: ScopeKeys | undefined = earlier.match.except;
  if (given === undefined) return true;
  const excepted = later.match.except;
  if (given.when !== undefined && !same(given.when, excepted?.when)) return false;
  return (
    exceptsNoRecipient(earlier, later) && exceptsNoSender(earlier, later) && exceptsNoClient(earlier, later)
  );
}

function exceptsNoRecipient({ except: { recipient } }: SetScope, later: SetScope): boolean {
  if (recipient === undefined || recipient.isEmpty) return true;
  return isExceptedToo(recipient, later.except.recipient) || apart(recipient, later.recipient);
}

function exceptsNoSender({ match, except: { sender } }: SetScope, later: SetScope): boolean {
  if (sender === undefined || sender.isEmpty) return true;
  const bothEnvelope = match.senderIs === 'envelope' && later.match.senderIs === 'envelope';
  if (bothEnvelope && apart(sender, later.sender)) return true;
  return (match.senderIs === 'envelope' || later.match.senderIs === 'either') && isExceptedToo(sender, later.except.sender);
}

function exceptsNoClient({ except: { client } }: SetScope, later: SetScope): boolean {
  if (client === undefined || client.isEmpty) return true;
  return later.except.client?.covers(client) === true || (later.client !== undefined && client.isApartFrom(later.client));
}

function isExceptedToo(earlier: AddressSet, later: AddressSet | undefined): boolean {
  return later !== undefined && covers(later, earlier);
}

/** Whether the later set is of plain addresses alone, and the earlier one takes none of them. */
function apart(earlier: AddressSet, later: AddressSet | undefined): boolean {
  if (later === undefined || later.all || later.others.length > 0 || later.size > MAX_ENTRIES) return false;
  if (later.takesNull && earlier.takesNull) return false;
  for (const key of later.keys()) if (key.startsWith('*@') || earlier.has(key)) return false;
  return true;
}

import { IN_HAND } from '../../src/notifications/service.js';
import type { Acknowledged } from './load.js';
import type { Kill } from './lives.js';
import { CONNECTIONS } from './places.js';
import { ADDITIONAL, ARCHIVE, FATES, GENERAL, SENDER, type Fate } from './mails.js';
import type { Receipt, Records } from './records.js';
import type { Stored } from './stored.js';

export interface Verdict {
  /** What was acknowledged and is not where its rule says. */
  readonly lost: readonly string[];
  /** What came to someone whom no rule gives it to. */
  readonly strays: readonly string[];
  readonly damaged: readonly string[];
  /** By kind and cause. */
  readonly duplicates: ReadonlyMap<string, number>;
  /** Second receipts that no kill and no lost reply explains. */
  readonly unexplained: readonly string[];
  /** Longest time between a server's 250 and the kill that explains that it came again, ms. */
  readonly window: number;
  /** Acknowledged messages without a line in the journal, which the docs allow, and those of them that no kill explains. */
  readonly unrecorded: number;
  readonly unexplainedRecords: readonly string[];
  /** Lines of the journal and the ledger that say what is not so. */
  readonly untrue: readonly string[];
}

/** Why something came again; undefined: there is no excuse. */
export type Cause = (
  kind: string,
  first: Receipt,
  again: Receipt,
) => { readonly name: string; readonly after?: number } | undefined;

export interface Evidence {
  readonly acknowledged: readonly Acknowledged[];
  readonly kills: readonly Kill[];
  /** Default: what `kills` explain. */
  readonly cause?: Cause;
  /** What was around a receipt, for looking at. */
  readonly around?: (receipt: Receipt) => string;
  readonly hop: Records;
  readonly server: Records;
  readonly stored: Stored;
}

/** Time from a server's 250 to our record of it, or from our 250 to the line in the journal, on a busy machine, ms. */
export const WINDOW = 3000;

/** Compares what was promised with what servers and the database have. */
export function judge(evidence: Evidence): Verdict {
  const { acknowledged, hop, stored } = evidence;
  const lost = acknowledged.flatMap((message) => missing(message, evidence));
  const unrecorded = acknowledged.filter(({ id }) => !stored.journal.has(id));
  return {
    lost,
    strays: strays(hop),
    damaged: hop.damaged,
    ...duplicates(evidence),
    unrecorded: unrecorded.length,
    unexplainedRecords: unrecorded
      .filter(({ at }) => !evidence.kills.some((kill) => kill.at >= at - WINDOW && kill.at <= at + WINDOW))
      .map(({ id }) => id),
    untrue: untrue(evidence),
  };
}

function fateOf(address: string): Fate {
  return FATES[address.split('@')[0] ?? ''] ?? { delivered: true };
}

function missing({ number, id, recipients }: Acknowledged, { hop, server, stored }: Evidence): string[] {
  const found: string[] = [];
  const demand = (there: boolean, what: string): void => {
    if (!there) found.push(`${number} (${id}): ${what}`);
  };
  for (const to of recipients) {
    const fate = fateOf(to);
    if (fate.delivered) demand(hop.of(`mail ${number} ${to}`).length > 0, `not delivered to ${to}`);
    if (fate.copied === true) demand(hop.of(`mail ${number} ${ARCHIVE}`).length > 0, 'no blind copy');
    if (fate.bounced === true) demand(hop.of(`dsn ${number} ${to}`).length > 0, `no DSN about ${to}`);
    if (fate.quarantined === true) {
      const item = stored.quarantine.get(id);
      demand(item?.recipients.includes(to) === true, `not in quarantine for ${to}`);
      demand(item?.whole === true, 'not whole in quarantine');
    }
    const groups = { general: GENERAL, sender: SENDER, recipients: to, additional: ADDITIONAL };
    for (const group of fate.notified ?? []) {
      const key = `${id} ${groups[group]}`;
      demand(server.of(`notification ${key}`).length > 0, `no notification to ${groups[group]}`);
      demand(stored.ledger.get(key) === 'sent', `the ledger does not say that ${groups[group]} was told`);
    }
  }
  return found;
}

function strays(hop: Records): string[] {
  return [...hop.receipts.keys()].filter((key) => {
    const [kind, , to = ''] = key.split(' ');
    return kind === 'mail' && !fateOf(to).delivered;
  });
}

function duplicates({ hop, server, kills, acknowledged, cause: given, around }: Evidence) {
  const why: Cause = given ?? ((kind, first, again) => causeOf(kind, first, again, kills));
  const ours = new Set(acknowledged.flatMap(({ number, id }) => [String(number), id]));
  const counts = new Map<string, number>();
  const unexplained: string[] = [];
  /** Mails that came again as their life ended, by server and life: so many were in hand at most. */
  const cut = new Map<string, Set<string>>();
  let window = 0;
  for (const [key, receipts] of [...hop.receipts, ...server.receipts]) {
    const [kind = '', about = ''] = key.split(' ');
    // As they were sent: a server that takes its time may answer what a killed life has sent after what came again.
    const sent = [...receipts].sort((a, b) => a.read - b.read);
    for (const [i, receipt] of sent.entries()) {
      const again = sent[i + 1];
      if (again === undefined) continue;
      const cause = why(kind, receipt, again);
      // A client that was not answered is free to send again, and we may have tried all the same.
      if (cause === undefined && (ours.has(about) || kind === 'event'))
        unexplained.push(
          `${key}: from ${receipt.life} (${receipt.transaction}, answered after ${receipt.at - receipt.read} ms), again after ${again.at - receipt.at} ms from ${again.life} (${again.transaction}); ${around?.(receipt) ?? killsAround(receipt, kills)}`,
        );
      if (cause?.after !== undefined) {
        window = Math.max(window, cause.after);
        const life = `${kind === 'notification' ? 'server' : 'hop'}, ${receipt.life}`;
        cut.set(life, (cut.get(life) ?? new Set()).add(receipt.transaction));
      }
      const name = `${kind}, ${cause?.name ?? 'unexplained'}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  for (const [life, { size }] of cut)
    if (size > (life.startsWith('server') ? IN_HAND : CONNECTIONS))
      unexplained.push(`${life}: ${size} mails came again, more than were in hand`);
  return { duplicates: counts, unexplained, window };
}

function killsAround({ at }: Receipt, kills: readonly Kill[]): string {
  const near = kills.map((kill) => `${kill.victim} ${kill.at - at}`);
  return `kills, ms after it: ${near.join(', ')}`;
}

/**
 * Why something came again. The life that it came from was killed: before it could write the 250 down, or before the
 * 250 was given, as the server had read all that was sent when it answered. Or, with notifications, what keeps their
 * state was killed. A life that was not killed has no excuse but a 250 that did not reach it.
 */
function causeOf(
  kind: string,
  first: Receipt,
  again: Receipt,
  kills: readonly Kill[],
): { readonly name: string; readonly after?: number } | undefined {
  if (!first.told) return { name: '250 that did not reach us' };
  const end = kills.find(({ victim, life }) => victim.startsWith('gateway') && life === first.life);
  if (end !== undefined && end.at < first.at) return { name: `${end.victim} killed before the 250`, after: 0 };
  const suspects = kind === 'notification' ? kills : kills.filter((kill) => kill === end);
  const after = suspects.find(({ at }) => at >= first.at && at <= again.at && at - first.at <= WINDOW);
  return after === undefined ? undefined : { name: `${after.victim} killed after the 250`, after: after.at - first.at };
}

function untrue({ acknowledged, hop, stored, server }: Evidence): string[] {
  const found: string[] = [];
  const numbers = new Map(acknowledged.map((message) => [message.id, message]));
  for (const message of acknowledged) {
    const row = stored.journal.get(message.id);
    if (row === undefined) continue;
    if (!row.reply.startsWith('250')) found.push(`${message.id}: the journal says ${row.reply}`);
    const rules = new Set(message.recipients.map((to) => ruleOf(to)));
    if (rules.size !== new Set(row.rules).size || row.rules.some((rule) => !rules.has(rule)))
      found.push(`${message.id}: the journal says rules ${row.rules.join(' ')}`);
  }
  for (const key of stored.deliveries) {
    const [id = '', to = ''] = key.split(' ');
    const message = numbers.get(id);
    if (message !== undefined && message.recipients.includes(to) && hop.of(`mail ${message.number} ${to}`).length === 0)
      found.push(`${key} was not delivered`);
  }
  for (const [key, state] of stored.ledger)
    if (state === 'sent' && server.of(`notification ${key}`).length === 0) found.push(`${key} was not told`);
  return found;
}

function ruleOf(to: string): string {
  const name = to.split('@')[0] ?? '';
  return ['plain', 'other', 'bad'].includes(name) ? 'rest' : name;
}

import type { AttemptedRecipient } from './attempt.js';
import { waitsSince, warningAt } from './delay.js';
import { replyLine } from './reply.js';
import { retryDelay } from './schedule.js';
import { HISTORY, type HistoryEntry, type SpoolItem, type SpoolRecipient } from './spool-item.js';
import type { HopReply } from './types.js';

export interface RetrySettings {
  readonly delays: readonly number[];
  readonly lifetime: number;
  /** When the sender is told of a delay: an attempt falls on that time. ms */
  readonly warnAfter?: number | 'off';
}

/** An item after an attempt. */
export interface Settled {
  readonly item: SpoolItem;
  /** Recipients that this attempt has delivered to. */
  readonly delivered: readonly SpoolRecipient[];
  /** Recipients that are given up: refused for good, or over their time. */
  readonly failed: readonly FailedRecipient[];
}

export interface FailedRecipient {
  readonly recipient: SpoolRecipient;
  /** What to say about it. */
  readonly reply: HopReply;
  /** The reply is the hop's own. */
  readonly byHop: boolean;
}

/**
 * What an attempt makes of an item: only recipients that wait are touched.
 * @param now ms
 * @param random from 0 to 1, for the jitter of the next attempt
 */
export function settle(
  item: SpoolItem,
  results: readonly AttemptedRecipient[],
  retry: RetrySettings,
  now: number,
  random?: number,
): Settled {
  const since = waitsSince(item);
  const expires = since + retry.lifetime;
  const byAddress = new Map(results.map((result) => [result.address, result]));
  const delivered: SpoolRecipient[] = [];
  const failed: FailedRecipient[] = [];
  const recipients = item.recipients.map((before): SpoolRecipient => {
    const result = before.state === 'waiting' ? byAddress.get(before.address) : undefined;
    if (result === undefined) return before;
    const after = {
      ...before,
      attempts: before.attempts + (result.tried ? 1 : 0),
      hop: result.hop,
      lastReply: result.tried ? result.reply : (before.lastReply ?? result.reply),
    };
    if (result.state === 'delivered') {
      const one = { ...after, state: 'delivered' as const };
      delivered.push(one);
      return one;
    }
    if (result.state === 'deferred' && now < expires) return after;
    const one = { ...after, state: 'failed' as const };
    if (result.state === 'refused') failed.push({ recipient: one, reply: result.reply, byHop: true });
    else failed.push({ recipient: one, reply: overTime(after.lastReply), byHop: false });
    return one;
  });
  const tried = results.some((result) => result.tried);
  const attempts = item.attempts + (tried ? 1 : 0);
  const warning = warningAt(since, retry.warnAfter ?? 'off');
  const next = Math.min(
    now + retryDelay(retry.delays, Math.max(1, attempts), random),
    Math.max(expires, now),
    warning > now ? warning : Infinity,
  );
  return {
    item: {
      ...item,
      running: false,
      recipients,
      attempts,
      nextAttempt: new Date(next).toISOString(),
      history: tried ? [...item.history, ...historyOf(results, now)].slice(-HISTORY) : item.history,
    },
    delivered,
    failed,
  };
}

/** Whether nothing of it waits. */
export function isOver(item: SpoolItem): boolean {
  return item.recipients.every(({ state }) => state !== 'waiting');
}

/**
 * Takes back that recipients were given up: they could not be told, and wait on, also beyond the end of their time. The next
 * attempt keeps the usual distance.
 * @param now ms
 * @param random from 0 to 1, for the jitter of the next attempt
 */
export function keepWaiting(
  item: SpoolItem,
  failed: readonly FailedRecipient[],
  { delays }: Pick<RetrySettings, 'delays'>,
  now: number,
  random?: number,
): SpoolItem {
  const given = new Set(failed.map(({ recipient }) => recipient));
  const next = now + retryDelay(delays, Math.max(1, item.attempts), random);
  return {
    ...item,
    nextAttempt: new Date(next).toISOString(),
    recipients: item.recipients.map((one) => (given.has(one) ? { ...one, state: 'waiting' } : one)),
  };
}

const OVER_TIME = 'the time for delivery is over; the last reply was: ';

/** RFC 3463 3.5: X.4.7, delivery time expired. */
function overTime(last: HopReply): HopReply {
  return { enhanced: '4.4.7', text: OVER_TIME + replyLine(last) };
}

/** What the server itself had said last, of a line that says what became of a delivery. */
export function saidLast(line: string): string {
  const at = line.indexOf(OVER_TIME);
  return at < 0 ? line : line.slice(at + OVER_TIME.length);
}

function historyOf(results: readonly AttemptedRecipient[], now: number): HistoryEntry[] {
  const byHop = new Map<string, Map<string, number>>();
  for (const { hop, reply, tried } of results) {
    if (!tried) continue;
    const replies = byHop.get(hop) ?? new Map<string, number>();
    const line = replyLine(reply);
    replies.set(line, (replies.get(line) ?? 0) + 1);
    byHop.set(hop, replies);
  }
  return [...byHop].map(([hop, replies]) => ({
    time: new Date(now).toISOString(),
    hop,
    replies: [...replies].slice(0, 10).map(([line, count]) => `${count}x ${line}`),
  }));
}

import type { TraceId } from '../message/trace-id.js';
import type { Fate } from '../notifications/types.js';
import type { Copy } from '../pipeline/types.js';
import type { SmtpReply } from '../rules/types.js';

/** What became of one recipient before the client is answered. */
export interface Settlement {
  readonly recipient: string;
  /** Item key of the copy: the trace ID, with `.n` where there are several. */
  readonly item: string;
  /**
   * `rejected` and `deferred` are a rule's (or a quarantine that cannot be had), `refused` is the next hop's.
   * `no-room` is a spool that is full or cannot be written: nothing was kept for this recipient.
   */
  readonly state: 'delivered' | 'spooled' | 'discarded' | 'rejected' | 'refused' | 'deferred' | 'no-room';
  readonly hop: string;
  /** The reply's words are our own, though it was the next hop that could not have the mail. */
  readonly own?: true;
  /** What the client gets if this recipient's fate becomes the reply. */
  readonly reply: SmtpReply;
}

/** Recipients that we have taken responsibility for, or disposed of as a rule says. */
export function isAccepted(settlement: Settlement): boolean {
  return settlement.state === 'delivered' || settlement.state === 'spooled' || settlement.state === 'discarded';
}

export const NO_ROOM: SmtpReply = {
  code: 452,
  enhanced: '4.3.1',
  text: 'Insufficient system storage, try again later',
};

export type Verdict =
  /** 250: refused recipients are reported, deferred ones are kept for another inspection. */
  | { readonly kind: 'accept'; readonly reply: SmtpReply }
  /** The reply refuses for good or for now; the client keeps the message. */
  | { readonly kind: 'refuse'; readonly reply: SmtpReply };

/**
 * The one reply for all recipients (RFC 5321 4.2.5 knows no other).
 * - One that could not be kept decides: 452, or 451 where it is not for want of room (others may get a duplicate; a loss is worse).
 * - If anything was accepted, the message is.
 * - If something is only deferred, the client tries all again later: nothing was taken, nothing is reported.
 * - Else all are refused: the reply of the first refused recipient, in the order of the envelope.
 */
export function judge(traceId: TraceId, settlements: readonly Settlement[]): Verdict {
  const unkept = settlements.find((s) => s.state === 'no-room');
  if (unkept !== undefined) return { kind: 'refuse', reply: withId(unkept.reply, traceId) };
  if (settlements.some(isAccepted))
    return { kind: 'accept', reply: { code: 250, enhanced: '2.0.0', text: `Ok: queued as ${traceId}` } };
  const decisive = settlements.find((s) => s.state === 'deferred') ?? settlements.find((s) => !isAccepted(s));
  const reply = decisive?.reply ?? { code: 451, enhanced: '4.3.0', text: 'Try again later' };
  return { kind: 'refuse', reply: withId(reply, traceId) };
}

/** Enhanced codes (RFC 3463 3.2) that say that there is no such recipient. */
const NO_RECIPIENT = /^5\.1\.(?:1|2|3|6|10)$/;

/**
 * What became of recipients where it is not what the rule said, for those who are told. A copy that is redirected is
 * refused to its recipients when all refuse it who get it instead.
 */
export function fatesOf(
  disposed: readonly { readonly copy: Copy; readonly settlements: readonly Settlement[] }[],
): ReadonlyMap<string, Fate> {
  const fates = new Map<string, Fate>();
  for (const { copy, settlements } of disposed) {
    if (copy.decision.redirect === undefined) {
      for (const settlement of settlements) {
        const fate = fateOf(settlement);
        if (fate !== undefined) fates.set(settlement.recipient, fate);
      }
      continue;
    }
    const [first, ...others] = settlements.map(fateOf);
    if (first === undefined || others.some((fate) => fate?.action !== first.action)) continue;
    for (const recipient of copy.recipients) fates.set(recipient, { action: first.action });
  }
  return fates;
}

function fateOf({ state, reply }: Settlement): Fate | undefined {
  if (state === 'deferred') return { action: 'defer' };
  if (state !== 'refused') return undefined;
  return NO_RECIPIENT.test(reply.enhanced) ? { action: 'reject', unknown: true } : { action: 'reject' };
}

/** A refusal names the message, so that a caller can be helped. */
function withId(reply: SmtpReply, traceId: TraceId): SmtpReply {
  return { ...reply, text: `${reply.text} (ID ${traceId})` };
}

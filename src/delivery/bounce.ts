import type { Envelope, EnvelopeRecipient } from '../message/envelope.js';
import { isInternal } from '../notifications/mailbox.js';

/**
 * Why the sender gets no DSN; undefined when one may be sent. Internal is who is trusted and writes from one of our
 * domains: one of our addresses from outside is not.
 * @param domains ours, as configured
 */
export function bounceBar(
  envelope: Pick<Envelope, 'sender' | 'trusted'>,
  bounce: 'allowed' | 'internal-only' | 'never',
  domains: readonly string[],
): string | undefined {
  if (envelope.sender === '') return 'null sender';
  if (bounce === 'never') return 'no bounce to this sender: forged, not authenticated, or `delivery.bounce` is never';
  if (bounce === 'allowed') return undefined;
  const internal = envelope.trusted && isInternal(envelope.sender, domains);
  return internal ? undefined : 'the sender is not internal';
}

/** Whether something is to be told for this recipient (RFC 3461 4.1). Default NOTIFY is failure and delay. */
export function wants({ notify }: EnvelopeRecipient, condition: 'failure' | 'delay' | 'success'): boolean {
  return notify === undefined ? condition !== 'success' : notify.includes(condition);
}

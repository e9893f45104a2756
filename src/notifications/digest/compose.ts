import { createHash } from 'node:crypto';
import { domainOf } from '../../message/envelope.js';
import type { EventMail } from '../../store/event-mail-types.js';
import { notificationMessageId } from '../identity.js';
import { composeMail, type WritingSettings } from '../mail/compose.js';
import { headerAddress } from '../mail/fields.js';
import { addressOf } from '../mailbox.js';
import type { RenderedMail } from '../templates/render.js';
import type { NotificationMail } from '../types.js';

/** Names of events that a mail bears in its header; more would not fit on a line. */
const MAX_NAMES = 20;

/** Message-ID of a mail about events, without angle brackets: the same at each attempt. */
export function eventMessageId(id: string, from: string): string {
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 39);
  return notificationMessageId(`e${digest}`, domainOf(headerAddress(addressOf(from))) || 'localhost');
}

/**
 * The mail about events as it goes out: one for the whole set.
 * @param to those of the set who do not have it yet
 * @param now ms since the epoch
 */
export async function composeEventMail(
  mail: EventMail,
  rendered: RenderedMail,
  settings: WritingSettings,
  to: readonly string[],
  now: number,
): Promise<NotificationMail> {
  const composed = await composeMail(
    {
      id: createHash('sha256').update(mail.id).digest('hex').slice(0, 24),
      messageId: eventMessageId(mail.id, settings.from),
      to: mail.to,
      recipients: to.map((address) => ({ address })),
      rendered,
      marks: { 'X-Gatepost-Event': namesOf(mail).join(', ') },
    },
    settings,
    now,
  );
  return { ...composed, id: mail.id };
}

function namesOf({ kind, changes, conditions, resolved }: EventMail): readonly string[] {
  const about = kind === 'change' ? changes.map(({ condition }) => condition) : [...conditions, ...resolved];
  const names = [...new Set(about.map(({ event }) => event.replace(/[^a-z0-9-]/g, '?')))];
  return names.slice(0, MAX_NAMES);
}

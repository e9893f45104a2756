import { createHash } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer';
import { domainOf } from '../../message/envelope.js';
import type { EventMail } from '../../store/event-mail-types.js';
import { notificationMessageId } from '../identity.js';
import { addressOf } from '../mailbox.js';
import type { RenderedMail } from '../templates/render.js';
import type { NotificationMail } from '../types.js';

/** Names of events that a mail bears in its header; more would not fit on a line. */
const MAX_NAMES = 20;

/** Message-ID of a mail about events, without angle brackets: the same at each attempt. */
export function eventMessageId(id: string, from: string): string {
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 39);
  return notificationMessageId(`e${digest}`, domainOf(addressOf(from)) || 'localhost');
}

/**
 * The mail about events as it goes out: one for the whole set, marked as automatic (RFC 3834 5).
 * @param to those of the set who do not have it yet
 * @param now ms since the epoch
 */
export async function composeEventMail(
  mail: EventMail,
  rendered: RenderedMail,
  from: string,
  to: readonly string[],
  now: number,
): Promise<NotificationMail> {
  const composer = new MailComposer({
    from,
    to: mail.to.map((address) => ({ name: '', address })),
    subject: rendered.subject,
    date: new Date(now),
    messageId: `<${eventMessageId(mail.id, from)}>`,
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      'X-Gatepost-Event': namesOf(mail).join(', '),
    },
    ...(rendered.text === undefined ? {} : { text: rendered.text }),
    ...(rendered.html === undefined ? {} : { html: rendered.html }),
    encoding: 'quoted-printable',
    newline: 'win',
    baseBoundary: createHash('sha256').update(mail.id).digest('hex').slice(0, 24),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const bytes = await composer.compile().build();
  return {
    id: mail.id,
    sender: '',
    recipients: to.map((address) => ({ address })),
    content: { size: bytes.length, read: () => [bytes] },
    smtpUtf8: mail.to.some((address) => /[^\p{ASCII}]/u.test(address)),
    eightBit: false,
  };
}

function namesOf({ kind, changes, conditions, resolved }: EventMail): readonly string[] {
  const about = kind === 'change' ? changes.map(({ condition }) => condition) : [...conditions, ...resolved];
  const names = [...new Set(about.map(({ event }) => event.replace(/[^a-z0-9-]/g, '?')))];
  return names.slice(0, MAX_NAMES);
}

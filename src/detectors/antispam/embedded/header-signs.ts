import type { MailAddress, Message } from '../../../message/types.js';
import type { Sign } from './sign.js';

const DAY = 86_400_000;
/** Clocks that are wrong by more are wrong on purpose. */
const FUTURE = 3 * DAY;

/** Providers of addresses that anyone gets in a minute. */
const FREE_MAIL =
  /@(gmail|googlemail|yahoo|hotmail|outlook|live|aol|gmx|web|mail|yandex|protonmail|proton|icloud|zoho|qq|163|126|freemail|rediffmail)\.[a-z.]{2,6}$/i;

/** Top-level domains with far more spam than mail. */
const CHEAP_DOMAIN =
  /@[^@]*\.(top|xyz|click|icu|buzz|monster|rest|cam|cyou|sbs|bond|quest|cfd|loan|win|bid|gdn|stream|racing|date|work|tk|ml|ga|cf|gq)$/i;

/** What the header of a message shows. @param now ms since the epoch */
export function headerSigns(message: Message, now: number): Sign[] {
  return [...subjectSigns(message), ...addressSigns(message), ...traceSigns(message, now)];
}

function subjectSigns(message: Message): Sign[] {
  const signs: Sign[] = [];
  const subject = message.subject.slice(0, 300);
  const letters = subject.replace(/[^\p{L}]/gu, '');
  if (letters.length >= 10 && letters === letters.toUpperCase() && letters !== letters.toLowerCase())
    signs.push({ name: 'subject-in-capitals', points: 1 });
  if (/[!?$€£]{3}|!.*!.*!|\${2}/.test(subject)) signs.push({ name: 'subject-shouts', points: 0.8 });
  // What tells one of a million copies from the next.
  if (/\S\s{6,}[\w\])(-]{3,24}$/.test(subject)) signs.push({ name: 'subject-serial', points: 2.5 });
  if (/(?:^|\s)(?:\p{L}[ ._*-]){4,}\p{L}(?:\s|$)/u.test(subject)) signs.push({ name: 'subject-spaced-out', points: 2 });
  const isReply = message.header('in-reply-to').length > 0 || message.header('references').length > 0;
  if (isReply) signs.push({ name: 'in-a-thread', points: -0.5 });
  return signs;
}

function addressSigns(message: Message): Sign[] {
  const signs: Sign[] = [];
  const [from] = message.addresses('from');
  if (!from?.address.includes('@')) return [{ name: 'no-sender-address', points: 1.5 }];
  const shown = /[\w.+-]+@([\w-]+\.[\w.-]+)/.exec(from.name)?.[1]?.toLowerCase();
  if (shown !== undefined && !from.address.toLowerCase().endsWith(shown.split('.').slice(-2).join('.')))
    signs.push({ name: 'name-shows-another-address', points: 2 });
  if (CHEAP_DOMAIN.test(from.address)) signs.push({ name: 'cheap-sender-domain', points: 1 });
  if (/^\d{5,}@|^[a-z]*\d{6,}[a-z]*@/i.test(from.address)) signs.push({ name: 'numbered-sender', points: 0.7 });
  signs.push(...replySigns(from, message.addresses('reply-to')));
  if (message.addresses('to').length === 0 && message.addresses('cc').length === 0)
    signs.push({ name: 'undisclosed-recipients', points: 0.7 });
  return signs;
}

function replySigns(from: MailAddress, replyTo: readonly MailAddress[]): Sign[] {
  const [reply] = replyTo;
  if (reply === undefined || !FREE_MAIL.test(reply.address)) return [];
  if (reply.address.toLowerCase() === from.address.toLowerCase()) return [];
  return [{ name: 'reply-goes-to-free-mail', points: FREE_MAIL.test(from.address) ? 0.8 : 1.2 }];
}

function traceSigns(message: Message, now: number): Sign[] {
  const signs: Sign[] = [];
  const [id] = message.header('message-id');
  if (id === undefined) signs.push({ name: 'no-message-id', points: 0.7 });
  else if (!/^<[^<>@\s]+@[^<>@\s]+>$/.test(id.slice(0, 998))) signs.push({ name: 'odd-message-id', points: 0.8 });
  const [date] = message.header('date');
  if (date === undefined) signs.push({ name: 'no-date', points: 0.5 });
  else {
    const sent = Date.parse(date.slice(0, 60).replace(/\s*\([^)]*\)\s*$/, ''));
    if (Number.isNaN(sent)) signs.push({ name: 'odd-date', points: 0.5 });
    else if (sent > now + FUTURE) signs.push({ name: 'date-in-the-future', points: 1.5 });
  }
  return signs;
}

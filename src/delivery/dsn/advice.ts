/** What a status code means for a person who wrote a mail, and what can be done about it. */
export interface Advice {
  readonly reason: string;
  readonly advice: string;
}

/** By subject and detail of RFC 3463 3, without the class. */
const BY_DETAIL: Readonly<Record<string, Advice>> = {
  '1.1': { reason: 'There is no mailbox of that name.', advice: 'Look for a typing mistake in the address.' },
  '1.2': { reason: 'The domain of the address takes no mail.', advice: 'Look for a typing mistake behind the @.' },
  '1.3': { reason: 'The address is not written in a way that mail can be sent to.', advice: 'Check the address.' },
  '1.6': { reason: 'The mailbox has moved.', advice: 'Ask the recipient for the new address.' },
  '1.10': { reason: 'The domain of the address takes no mail.', advice: 'Look for a typing mistake behind the @.' },
  '2.1': { reason: 'The mailbox is disabled.', advice: 'Reach the recipient in another way.' },
  '2.2': { reason: 'The mailbox is full.', advice: 'Try again when the recipient has made room.' },
  '2.3': { reason: 'The message is too large for the mailbox.', advice: 'Send it without its large attachments.' },
  '3.4': { reason: 'The message is too large for the server.', advice: 'Send it without its large attachments.' },
  '4.1': { reason: 'The server of the recipient does not answer.', advice: '' },
  '4.2': { reason: 'The connection to the server of the recipient breaks off.', advice: '' },
  '4.6': { reason: 'The message went in circles.', advice: 'Tell the mail administrator.' },
  '4.7': { reason: 'The server of the recipient did not take it in time.', advice: 'Send it again later.' },
  '6.3': {
    reason: 'The server of the recipient takes no 8-bit mail, and converting it would break its signatures.',
    advice: 'Send it as plain ASCII text, or its content as an attachment.',
  },
  '6.7': {
    reason: 'The server of the recipient takes no addresses with letters beyond A to Z.',
    advice: 'Use another address of yours and of the recipient.',
  },
  '7.1': {
    reason: 'The message is not wanted there.',
    advice: 'Reach the recipient in another way, or ask the mail administrator.',
  },
};

/** By the subject alone. */
const BY_SUBJECT: Readonly<Record<string, Advice>> = {
  '1': { reason: 'The address cannot be reached.', advice: 'Check the address.' },
  '2': { reason: 'The mailbox does not take the message.', advice: 'Reach the recipient in another way.' },
  '3': { reason: 'The server of the recipient cannot take the message.', advice: 'Send it again later.' },
  '4': { reason: 'The message could not be brought to the server of the recipient.', advice: 'Send it again later.' },
  '6': { reason: 'The server of the recipient cannot work with the content.', advice: 'Send it in a simpler form.' },
  '7': {
    reason: 'The message is refused by the rules of the recipient.',
    advice: 'Ask the mail administrator.',
  },
};

const UNKNOWN: Advice = { reason: 'The server of the recipient refused it.', advice: 'Its answer may say why.' };
const LATER: Advice = { reason: 'The server of the recipient does not take it at the moment.', advice: '' };

/** @param status an enhanced status code such as `5.1.1` */
export function adviceFor(status: string): Advice {
  const [group = '', subject = '', detail = ''] = status.split('.');
  if (group === '2') return { reason: 'It has arrived.', advice: '' };
  const known = BY_DETAIL[`${subject}.${detail}`] ?? BY_SUBJECT[subject] ?? UNKNOWN;
  if (group !== '4' || status === '4.4.7') return known;
  // What passes by itself needs nothing done.
  return { reason: BY_DETAIL[`${subject}.${detail}`]?.reason ?? LATER.reason, advice: '' };
}

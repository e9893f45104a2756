import { isAscii, withAsciiDomain } from '../../message/ascii.js';
import { mailCharset, type MailCharset } from '../../notifications/mail/charset.js';
import { mailboxField, textField } from '../../notifications/mail/fields.js';
import { encodedPart, textPart, type Form } from '../../notifications/mail/part.js';
import { quotedPrintable } from '../../notifications/mail/quoted-printable.js';
import { dateField } from './encode.js';
import type { Returned } from './original.js';
import { statusFields } from './status.js';
import type { Dsn, DsnInput, DsnText } from './types.js';

/**
 * A DSN (RFC 3464, in the form of RFC 6522) to the envelope sender. A message that came with SMTPUTF8 is reported in
 * the media types of RFC 6533 4, all others in ASCII. What people read is in the charset of the settings.
 */
export function composeDsn(input: DsnInput, text: DsnText, returned: Returned): Dsn {
  const global = input.envelope.smtpUtf8;
  const boundary = `=_gatepost_${input.id.replace(/[^0-9A-Za-z]/g, '_')}`.slice(0, 70);
  const smtpUtf8 = !isAscii(withAsciiDomain(input.envelope.sender));
  const status = statusFields(input, global).join('\r\n');
  const charset = mailCharset(input.writing.charset);
  const human = readable(
    text,
    charset,
    input.writing.quotedPrintable ? 'quoted-printable' : '8bit',
    boundary.replace('gatepost', 'text'),
  );
  const eightBit = returned.eightBit || human.eightBit;
  const top = Buffer.from(
    [
      topFields(input, text, boundary, charset, eightBit),
      'This is a report about the delivery of a mail, in MIME format.',
      '',
      `--${boundary}`,
      '',
    ].join('\r\n'),
  );
  const middle = [
    '',
    `--${boundary}`,
    `Content-Type: ${global ? 'message/global-delivery-status' : 'message/delivery-status'}`,
    'Content-Description: Delivery report',
    // RFC 6533 4 allows it, and so the report passes servers that take only 7-bit mail.
    ...(global ? ['Content-Transfer-Encoding: quoted-printable'] : []),
    '',
    global ? quotedPrintable(status) : status,
    `--${boundary}`,
    '',
  ].join('\r\n');
  const end = Buffer.from(`\r\n--${boundary}--\r\n`);
  const bytes = Buffer.concat([top, human.bytes, Buffer.from(middle), returned.part, end]);
  return {
    content: { size: bytes.length, read: () => [bytes] },
    eightBit: eightBit || smtpUtf8,
    smtpUtf8,
  };
}

function topFields(
  input: DsnInput,
  { subject }: DsnText,
  boundary: string,
  charset: MailCharset,
  eightBit: boolean,
): string {
  const { envelope, writing, hostname, now, id, traceId } = input;
  return [
    mailboxField('From', writing.from, charset),
    `To: <${withAsciiDomain(envelope.sender)}>\r\n`,
    textField('Subject', subject, charset),
    `Date: ${dateField(now)}\r\n`,
    `Message-ID: <${id}@${hostname}>\r\n`,
    // RFC 3834 5: it answers a message.
    'Auto-Submitted: auto-replied\r\n',
    'X-Auto-Response-Suppress: All\r\n',
    `X-Gatepost-Notification: ${traceId}\r\n`,
    writing.messageId === 'header' ? `X-Gatepost-ID: ${traceId}\r\n` : '',
    'MIME-Version: 1.0\r\n',
    `Content-Type: multipart/report; report-type=${input.envelope.smtpUtf8 ? 'global-delivery-status' : 'delivery-status'};\r\n`,
    `\tboundary="${boundary}"\r\n`,
    // RFC 2045 6.4: what contains 8-bit parts says so.
    eightBit ? 'Content-Transfer-Encoding: 8bit\r\n' : '',
  ].join('');
}

interface Readable {
  readonly bytes: Buffer;
  readonly eightBit: boolean;
}

/** The first part (RFC 6522 3): text, HTML, or both. */
function readable({ text, html }: DsnText, charset: MailCharset, form: Form, boundary: string): Readable {
  const part = (type: 'text/plain' | 'text/html', body: string): Readable => {
    const { fields, bytes } = textPart(type, body, charset);
    return encodedPart({ fields: `${fields}Content-Description: Notification\r\n`, bytes }, form);
  };
  if (html === undefined) return part('text/plain', text ?? '');
  if (text === undefined) return part('text/html', html);
  const parts = [part('text/plain', text), part('text/html', html)];
  const eightBit = parts.some((each) => each.eightBit);
  const head = `Content-Type: multipart/alternative; boundary="${boundary}"\r\n${eightBit ? 'Content-Transfer-Encoding: 8bit\r\n' : ''}`;
  const pieces = parts.flatMap(({ bytes }) => [Buffer.from(`\r\n--${boundary}\r\n`), bytes]);
  return { bytes: Buffer.concat([Buffer.from(head), ...pieces, Buffer.from(`\r\n--${boundary}--`)]), eightBit };
}

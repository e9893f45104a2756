import { quotedPrintable, dateField } from './encode.js';
import { headerField } from '../../message/edit/encode.js';
import type { Returned } from './original.js';
import { statusFields } from './status.js';
import type { Dsn, DsnInput, DsnText } from './types.js';

/**
 * A DSN (RFC 3464, in the form of RFC 6522) to the envelope sender. A message that came with SMTPUTF8 is reported in
 * the media types of RFC 6533 4, all others in ASCII.
 */
export function composeDsn(input: DsnInput, text: DsnText, returned: Returned): Dsn {
  const global = input.envelope.smtpUtf8;
  const boundary = `=_gatepost_${input.id.replace(/[^0-9A-Za-z]/g, '_')}`.slice(0, 70);
  const smtpUtf8 = /[^\0-\x7f]/.test(input.envelope.sender);
  const status = statusFields(input, global).join('\r\n');
  const top = [
    topFields(input, text, boundary),
    'This is a report about the delivery of a mail, in MIME format.',
    '',
    `--${boundary}`,
    textPart(text, `${boundary.slice(0, 66)}.alt`),
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
  const bytes = Buffer.concat([Buffer.from(top), returned.part, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return {
    content: { size: bytes.length, read: () => [bytes] },
    eightBit: returned.eightBit || smtpUtf8,
    smtpUtf8,
  };
}

function topFields(input: DsnInput, { subject }: DsnText, boundary: string): string {
  const { envelope, from, hostname, now, id, traceId } = input;
  return [
    headerField('From', from),
    `To: <${envelope.sender}>\r\n`,
    headerField('Subject', subject),
    `Date: ${dateField(now)}\r\n`,
    `Message-ID: <${id}@${hostname}>\r\n`,
    // RFC 3834 5: it answers a message.
    'Auto-Submitted: auto-replied\r\n',
    'X-Auto-Response-Suppress: All\r\n',
    `X-Gatepost-Notification: ${traceId}\r\n`,
    `X-Gatepost-ID: ${traceId}\r\n`,
    'MIME-Version: 1.0\r\n',
    `Content-Type: multipart/report; report-type=${input.envelope.smtpUtf8 ? 'global-delivery-status' : 'delivery-status'};\r\n`,
    `\tboundary="${boundary}"\r\n`,
  ].join('');
}

function textPart({ text, html }: DsnText, boundary: string): string {
  const part = (type: string, body: string): string =>
    [
      `Content-Type: ${type}; charset=utf-8`,
      'Content-Transfer-Encoding: quoted-printable',
      'Content-Description: Notification',
      '',
      quotedPrintable(body.replace(/\r?\n/g, '\r\n')),
    ].join('\r\n');
  if (html === undefined) return part('text/plain', text ?? '');
  if (text === undefined) return part('text/html', html);
  return [
    `Content-Type: multipart/alternative; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    part('text/plain', text),
    `--${boundary}`,
    part('text/html', html),
    `--${boundary}--`,
  ].join('\r\n');
}

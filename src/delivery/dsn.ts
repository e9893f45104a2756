import type { Envelope, EnvelopeRecipient } from '../message/envelope.js';
import type { Content } from '../message/source.js';
import { replyLine } from './reply.js';
import type { HopReply } from './types.js';
import { decodeXtext, foldAscii, headerOf, quotedPrintable, typedAddress } from './dsn-text.js';

export interface DsnFailure {
  readonly recipient: EnvelopeRecipient;
  readonly reply: HopReply;
  /** Name of the hop that said so; absent when the reply is our own. */
  readonly hop?: string;
}

export interface DsnInput {
  /** Unique for each DSN: its Message-ID and its boundary are made of it. */
  readonly id: string;
  /** Of the message that failed. */
  readonly traceId: string;
  readonly envelope: Omit<Envelope, 'recipients'>;
  readonly failures: readonly DsnFailure[];
  readonly content: Content;
  readonly eightBit: boolean;
  readonly receivedAt: Date;
  readonly now: Date;
  /** Our name. */
  readonly hostname: string;
}

export interface Dsn {
  readonly content: Content;
  readonly eightBit: boolean;
}

/**
 * A failure DSN (RFC 3464, in the form of RFC 6522) to the envelope sender. It brings the header along, or with
 * RET=FULL the message (RFC 3461 6.2). Addresses that are not ASCII are written as RFC 6533 4.1 has it.
 */
export async function failureDsn(input: DsnInput): Promise<Dsn> {
  const boundary = `=_gatepost_${input.id.replace(/[^0-9A-Za-z]/g, '_')}_${input.now.getTime().toString(36)}`;
  const whole = input.envelope.ret === 'full';
  const head = Buffer.from(
    [
      ...topFields(input, boundary),
      '',
      'This is a report of mail that could not be delivered, in MIME format.',
      '',
      `--${boundary}`,
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
      'Content-Description: Notification',
      '',
      quotedPrintable(explanation(input)),
      `--${boundary}`,
      'Content-Type: message/delivery-status',
      'Content-Description: Delivery report',
      '',
      ...statusFields(input),
      `--${boundary}`,
      '',
    ].join('\r\n'),
  );
  const end = Buffer.from(`\r\n--${boundary}--\r\n`);
  if (whole) {
    const type = `Content-Type: message/rfc822\r\nContent-Transfer-Encoding: ${input.eightBit ? '8bit' : '7bit'}\r\n\r\n`;
    return { content: joined(Buffer.concat([head, Buffer.from(type)]), input.content, end), eightBit: input.eightBit };
  }
  const header = await headerOf(input.content);
  const part = `Content-Type: text/rfc822-headers; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${quotedPrintable(header)}`;
  const bytes = Buffer.concat([head, Buffer.from(part), end]);
  return { content: { size: bytes.length, read: () => [bytes] }, eightBit: false };
}

function topFields({ envelope, hostname, now, id, traceId }: DsnInput, boundary: string): string[] {
  return [
    `From: Mail Delivery System <mailer-daemon@${hostname}>`,
    `To: <${envelope.sender}>`,
    'Subject: Undelivered mail returned to sender',
    `Date: ${now.toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${id}@${hostname}>`,
    'Auto-Submitted: auto-replied',
    `X-Gatepost-Notification: ${traceId}`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status;',
    `\tboundary="${boundary}"`,
  ];
}

function explanation({ failures, hostname, traceId }: DsnInput): string {
  const lines = failures.map(
    ({ recipient, reply, hop }) =>
      `<${recipient.address}>: ${hop === undefined ? '' : `${hopHost(hop)} said: `}${replyLine(reply)}`,
  );
  return [
    `This is the mail gateway ${hostname}.`,
    '',
    'Your message could not be delivered to the recipients below.',
    'It will not be tried again.',
    '',
    ...lines,
    '',
    `Unique message ID: ${traceId}`,
    '',
  ].join('\r\n');
}

/** RFC 3464 2.2 and 2.3. */
function statusFields({ envelope, failures, hostname, receivedAt, now, traceId }: DsnInput): string[] {
  const date = (time: Date): string => time.toUTCString().replace('GMT', '+0000');
  const lines = [`Reporting-MTA: dns; ${hostname}`];
  const envid = envelope.envid === undefined ? undefined : decodeXtext(envelope.envid);
  if (envid !== undefined) lines.push(foldAscii(`Original-Envelope-Id: ${envid}`));
  lines.push(`Arrival-Date: ${date(receivedAt)}`, `X-Gatepost-ID: ${traceId}`, '');
  for (const { recipient, reply, hop } of failures) {
    const original = recipient.orcpt === undefined ? undefined : decodeXtext(recipient.orcpt);
    if (original !== undefined) lines.push(foldAscii(`Original-Recipient: ${original}`));
    lines.push(
      foldAscii(`Final-Recipient: ${typedAddress(recipient.address)}`),
      'Action: failed',
      `Status: ${reply.enhanced ?? (reply.code !== undefined && reply.code < 500 ? '4.0.0' : '5.0.0')}`,
    );
    if (hop !== undefined) lines.push(foldAscii(`Remote-MTA: dns; ${hopHost(hop)}`));
    if (hop !== undefined && reply.code !== undefined)
      lines.push(foldAscii(`Diagnostic-Code: smtp; ${replyLine(reply)}`));
    lines.push(`Last-Attempt-Date: ${date(now)}`, '');
  }
  return lines;
}

/** The host of `smtp://host:25`; the name of a folder is not for senders. */
function hopHost(hop: string): string {
  return /^smtps?:\/\/(.+?)(?::\d+)?$/.exec(hop)?.[1] ?? 'the mail store';
}

function joined(top: Buffer, middle: Content, end: Buffer): Content {
  return {
    size: top.length + middle.size + end.length,
    async *read() {
      yield top;
      yield* middle.read();
      yield end;
    },
  };
}

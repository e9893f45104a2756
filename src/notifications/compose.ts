import { randomBytes } from 'node:crypto';
import MailComposer, { type MailComposerAttachment } from 'nodemailer/lib/mail-composer';
import { domainOf } from '../message/envelope.js';
import type { Content } from '../message/source.js';
import { notificationMessageId } from './identity.js';
import { addressOf } from './mailbox.js';
import type { RenderedMail } from './templates/render.js';
import { ENGLISH_WORDS } from './templates/words.js';
import type { NotificationMail, OwedNotification } from './types.js';

/** Where a reader sees the unique ID: `notifications.messageId`. */
export type MessageIdPlace = 'body' | 'subject' | 'header' | 'off';

export interface ComposeSettings {
  /** `notifications.from`. */
  readonly from: string;
  readonly messageId: MessageIdPlace;
}

/** Message-ID of the mail of a job, without angle brackets. */
export function messageIdFor(id: string, from: string): string {
  return notificationMessageId(id, domainOf(addressOf(from)) || 'localhost');
}

/**
 * The mail as it goes out: RFC 5322, marked as automatic (RFC 3834 5). The original is not read into memory.
 * @param original for `attach: original`; where it is not to be had, its header fields are attached
 * @param now ms since the epoch
 */
export async function composeNotification(
  owed: OwedNotification,
  rendered: RenderedMail,
  settings: ComposeSettings,
  now: number,
  original?: Content,
): Promise<NotificationMail> {
  const { subject, text, html } = withId(rendered, owed.traceId, settings.messageId);
  // Found again in the finished mail, where the original's bytes take its place. Nobody else can know it.
  const marker = `original-${randomBytes(16).toString('hex')}`;
  const eightBit = original !== undefined && owed.attach === 'original' && (await hasEightBit(original));
  const attachment = attachmentFor(owed, original, marker, eightBit);
  const composer = new MailComposer({
    from: settings.from,
    to: { name: '', address: owed.to },
    subject,
    date: new Date(now),
    messageId: `<${messageIdFor(owed.id, settings.from)}>`,
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      'X-Gatepost-Notification': owed.traceId,
      ...(settings.messageId === 'header' ? { 'X-Gatepost-ID': owed.traceId } : {}),
    },
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    ...(attachment === undefined ? {} : { attachments: [attachment] }),
    encoding: 'quoted-printable',
    newline: 'win',
    baseBoundary: owed.id,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const bytes = await composer.compile().build();
  return {
    id: owed.id,
    sender: '',
    recipients: [{ address: owed.to }],
    content: original === undefined ? whole(bytes) : withOriginal(bytes, marker, original),
    smtpUtf8: /[^\p{ASCII}]/u.test(owed.to),
    eightBit,
  };
}

/** Puts the unique ID where `notifications.messageId` says. */
export function withId(rendered: RenderedMail, traceId: string, place: MessageIdPlace): RenderedMail {
  if (place === 'subject') return { ...rendered, subject: `${rendered.subject} [${traceId}]` };
  if (place !== 'body') return rendered;
  const line = (rendered.words ?? ENGLISH_WORDS).say('message', 'id', { id: traceId });
  const { subject, text, html } = rendered;
  const htmlLine = `<p style="margin:16px;font:13px/1.4 sans-serif;color:#5f6b76">${line}</p>\n`;
  return {
    subject,
    ...(text === undefined ? {} : { text: `${text.trimEnd()}\n\n${line}\n` }),
    ...(html === undefined ? {} : { html: beforeEnd(html, htmlLine) }),
  };
}

function beforeEnd(html: string, addition: string): string {
  const at = html.toLowerCase().lastIndexOf('</body>');
  return at < 0 ? `${html.trimEnd()}\n${addition}` : html.slice(0, at) + addition + html.slice(at);
}

function attachmentFor(
  owed: OwedNotification,
  original: Content | undefined,
  marker: string,
  eightBit: boolean,
): MailComposerAttachment | undefined {
  if (owed.attach === 'original' && original !== undefined) {
    return {
      filename: `${owed.traceId}.eml`,
      content: marker,
      contentType: 'message/rfc822',
      // RFC 2046 5.2.1 allows no other encoding of an enclosed message.
      contentTransferEncoding: eightBit ? '8bit' : '7bit',
    };
  }
  if (owed.attach === 'none' || owed.originalHeader === undefined) return undefined;
  return {
    filename: `${owed.traceId}.txt`,
    content: owed.originalHeader,
    contentType: 'text/rfc822-headers; charset=utf-8',
    contentTransferEncoding: 'quoted-printable',
  };
}

function whole(bytes: Buffer): Content {
  return { size: bytes.length, read: () => [bytes] };
}

function withOriginal(bytes: Buffer, marker: string, original: Content): Content {
  const at = bytes.indexOf(marker, 0, 'latin1');
  if (at < 0) return whole(bytes);
  const head = bytes.subarray(0, at);
  const tail = bytes.subarray(at + marker.length);
  return {
    size: head.length + original.size + tail.length,
    async *read(): AsyncGenerator<Buffer> {
      yield head;
      yield* original.read();
      yield tail;
    },
  };
}

async function hasEightBit(content: Content): Promise<boolean> {
  for await (const chunk of content.read()) for (const byte of chunk) if (byte > 127) return true;
  return false;
}

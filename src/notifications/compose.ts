import { domainOf } from '../message/envelope.js';
import type { Content } from '../message/source.js';
import { notificationMessageId } from './identity.js';
import { composeMail, type MailAttachment, type MailDraft, type WritingSettings } from './mail/compose.js';
import { headerAddress } from './mail/fields.js';
import { addressOf } from './mailbox.js';
import type { RenderedMail } from './templates/render.js';
import type { MessageIdPlace } from './templates/site.js';
import { ENGLISH_WORDS } from './templates/words.js';
import type { NotificationMail, OwedNotification } from './types.js';

export interface ComposeSettings extends WritingSettings {
  readonly messageId: MessageIdPlace;
}

/** Message-ID of the mail of a job, without angle brackets. */
export function messageIdFor(id: string, from: string): string {
  return notificationMessageId(id, domainOf(headerAddress(addressOf(from))) || 'localhost');
}

/**
 * The mail about a message, of a rule or a notice, as it goes out. The original is not read into memory.
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
  const { id, to, traceId } = owed;
  const attachment = attachmentFor(owed, original);
  const draft: MailDraft = {
    id,
    messageId: messageIdFor(id, settings.from),
    to: [to],
    rendered: withId(
      owed.attach === 'original' && original === undefined ? withoutOriginal(rendered, 'gone') : rendered,
      traceId,
      settings.messageId,
    ),
    marks: {
      'X-Gatepost-Notification': traceId,
      ...(settings.messageId === 'header' ? { 'X-Gatepost-ID': traceId } : {}),
    },
    ...(attachment === undefined ? {} : { attachment }),
  };
  return await composeMail(draft, settings, now);
}

/** Puts the unique ID where `notifications.messageId` says. */
export function withId(rendered: RenderedMail, traceId: string, place: MessageIdPlace): RenderedMail {
  if (place === 'subject') return { ...rendered, subject: `${rendered.subject} [${traceId}]` };
  return place === 'body' ? withLine(rendered, 'id', { id: traceId }) : rendered;
}

/** Says why the original that was asked for does not come along whole. @param why `tooLarge`: for a mail that several are collected in */
export function withoutOriginal(rendered: RenderedMail, why: 'gone' | 'tooLarge'): RenderedMail {
  return withLine(rendered, why === 'gone' ? 'originalGone' : 'originalTooLarge');
}

/** A last line. @param key of its text among the words of the language */
function withLine(
  rendered: RenderedMail,
  key: 'id' | 'originalGone' | 'originalTooLarge',
  values: Readonly<Record<string, string>> = {},
): RenderedMail {
  const line = (rendered.words ?? ENGLISH_WORDS).say('message', key, values);
  const { text, html } = rendered;
  const htmlLine = `<p class="dim" style="margin:0 auto;max-width:560px;padding:8px 20px 24px;font:13px/1.4 sans-serif;color:#5f6b76;overflow-wrap:anywhere">${line}</p>\n`;
  return {
    ...rendered,
    ...(text === undefined ? {} : { text: `${text.trimEnd()}\n\n${line}\n` }),
    ...(html === undefined ? {} : { html: beforeEnd(html, htmlLine) }),
  };
}

function beforeEnd(html: string, addition: string): string {
  const at = html.toLowerCase().lastIndexOf('</body>');
  return at < 0 ? `${html.trimEnd()}\n${addition}` : html.slice(0, at) + addition + html.slice(at);
}

function attachmentFor(owed: OwedNotification, original: Content | undefined): MailAttachment | undefined {
  const { attach, originalHeader, traceId } = owed;
  if (attach === 'original' && original !== undefined) return { name: `${traceId}.eml`, message: original };
  if (attach === 'none' || originalHeader === undefined) return undefined;
  const bytes = Buffer.from(originalHeader);
  return { name: `${traceId}.txt`, type: 'text/rfc822-headers; charset=utf-8', bytes };
}

import type { Config } from '../../config/load.js';
import type { Collection } from '../../store/sending-types.js';
import { messageIdFor, withId, withoutOriginal } from '../compose.js';
import type { NotificationJob } from '../job.js';
import { composeMail, type MailAttachment } from '../mail/compose.js';
import { templateOf } from '../template-choice.js';
import { htmlToText } from '../templates/html-text.js';
import type { Templates } from '../templates/load.js';
import { renderTemplate, type RenderedMail } from '../templates/render.js';
import { siteOf } from '../templates/site.js';
import { PRODUCT } from '../templates/views.js';
import { ENGLISH_WORDS } from '../templates/words.js';
import type { NotificationMail } from '../types.js';

/** Bytes of attachments in one collected mail: beyond them, only header fields come along. */
const MAX_ATTACHED = 5 * 1024 * 1024;

/** One of the mails that are collected. */
interface Inner {
  readonly rendered: RenderedMail;
  readonly job: NotificationJob;
}

/**
 * All mails of a collection as one, in their order. The only one of a collection goes as it would have gone by itself.
 * @throws Error when a template is gone and nothing takes its place
 */
export async function composeCollection(
  collection: Collection,
  templates: Templates,
  config: Config,
  now: number,
): Promise<NotificationMail> {
  const { notifications } = config;
  // The store is ours alone: what is read is what the sender wrote.
  const jobs = collection.bodies.map((body) => JSON.parse(body) as NotificationJob);
  const { attachments, whole } = attachmentsOf(jobs);
  const inner = jobs.map((job): Inner => {
    const { notification } = job;
    const template = templateOf(notification, templates);
    if (template === undefined) throw new Error(`there is no template ${notification.template}`);
    const rendered = renderTemplate(template, notification.context, siteOf(config));
    const place =
      notifications.messageId === 'subject' && collection.bodies.length > 1 ? 'subject' : notifications.messageId;
    const lacking = notification.attach === 'original' && !whole.has(notification.traceId);
    const why = job.original === undefined ? 'gone' : 'tooLarge';
    const told = lacking ? withoutOriginal(rendered, why) : rendered;
    return { job, rendered: withId(told, notification.traceId, place) };
  });
  const traceIds = [...new Set(inner.map(({ job }) => job.notification.traceId))];
  const [first] = traceIds;
  return await composeMail(
    {
      id: collection.id,
      messageId: collectionMessageId(collection.id, notifications.from),
      to: [collection.entries[0]?.to ?? ''],
      rendered: joined(inner.map(({ rendered }) => rendered)),
      marks: {
        // The mark is one ID; a reader finds the others in the text.
        'X-Gatepost-Notification': first ?? collection.id,
        ...(notifications.messageId === 'header' ? { 'X-Gatepost-ID': traceIds.slice(0, 20).join(', ') } : {}),
      },
      attachments,
    },
    notifications,
    now,
  );
}

/** Message-ID of a collected mail, without angle brackets: the same at each attempt. */
export function collectionMessageId(id: string, from: string): string {
  return messageIdFor(id, from);
}

function joined(mails: readonly RenderedMail[]): RenderedMail {
  const [only] = mails;
  if (only !== undefined && mails.length === 1) return only;
  const count = String(mails.length);
  const words = only?.words;
  const subject = (words ?? ENGLISH_WORDS).say('message', 'collected', { product: PRODUCT, count });
  const line = '='.repeat(64);
  const text = mails
    .map((mail, i) => {
      const body = mail.text ?? (mail.html === undefined ? '' : htmlToText(mail.html));
      return `${line}\n${String(i + 1)} / ${count}   ${mail.subject}\n${line}\n\n${body.trim()}\n`;
    })
    .join('\n');
  if (mails.every(({ html }) => html === undefined))
    return { subject, text, ...(words === undefined ? {} : { words }) };
  const html = mails
    .map((mail, i) => {
      const body =
        mail.html === undefined
          ? `<pre style="white-space:pre-wrap">${escaped(mail.text ?? '')}</pre>`
          : bodyOf(mail.html);
      const heading = `<h2 style="margin:24px 8px 8px;font:600 16px/1.4 sans-serif;color:#1d2733">${String(i + 1)} / ${count} &#160; ${escaped(mail.subject)}</h2>`;
      return `${heading}\n${body}`;
    })
    .join('\n');
  return {
    subject,
    text,
    html: `<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n</head>\n<body style="margin:0;padding:0;background:#eef1f4">\n${html}\n</body>\n</html>\n`,
    ...(words === undefined ? {} : { words }),
  };
}

/** What stands between the tags of the body; the whole where there are none. */
function bodyOf(html: string): string {
  const lower = html.toLowerCase();
  const open = lower.indexOf('<body');
  const begin = open < 0 ? -1 : lower.indexOf('>', open);
  if (begin < 0) return html;
  const end = lower.lastIndexOf('</body');
  return html.slice(begin + 1, end > begin ? end : undefined).trim();
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** What comes along; of which messages it is the whole original. */
function attachmentsOf(jobs: readonly NotificationJob[]): {
  readonly attachments: readonly MailAttachment[];
  readonly whole: ReadonlySet<string>;
} {
  const whole = new Set<string>();
  let size = 0;
  for (const { notification, original } of jobs) {
    const { attach, traceId } = notification;
    if (attach !== 'original' || original === undefined || whole.has(traceId)) continue;
    const length = Buffer.byteLength(original, 'base64');
    if (size + length > MAX_ATTACHED) continue;
    size += length;
    whole.add(traceId);
  }
  const attachments: MailAttachment[] = [];
  const seen = new Set<string>();
  for (const { notification, original } of jobs) {
    const { attach, traceId, originalHeader } = notification;
    if (attach === 'none' || seen.has(traceId)) continue;
    if (whole.has(traceId)) {
      if (attach !== 'original' || original === undefined) continue;
      const bytes = Buffer.from(original, 'base64');
      attachments.push({ name: `${traceId}.eml`, message: { size: bytes.length, read: () => [bytes] } });
    } else {
      if (originalHeader === undefined || size + originalHeader.length > 2 * MAX_ATTACHED) continue;
      const header = Buffer.from(originalHeader);
      size += header.length;
      attachments.push({ name: `${traceId}.txt`, type: 'text/rfc822-headers; charset=utf-8', bytes: header });
    }
    seen.add(traceId);
  }
  return { attachments, whole };
}

import { createHash } from 'node:crypto';
import type { Config } from '../../config/load.js';
import type { Summary } from '../../store/sending-types.js';
import { messageIdFor } from '../compose.js';
import { composeMail, type WritingSettings } from '../mail/compose.js';
import type { Templates } from '../templates/load.js';
import { renderTemplate, type RenderedMail } from '../templates/render.js';
import { siteOf } from '../templates/site.js';
import type { NotificationMail, NotifiedNode } from '../types.js';

/** ID of the summary that becomes due for an address at that time, and Message-ID of its mail. @param now ms since the epoch */
export function summaryIdentity(
  address: string,
  now: number,
  from: string,
): { readonly id: string; readonly messageId: string } {
  const digest = createHash('sha256')
    .update(JSON.stringify(['summary', address, now]))
    .digest('hex');
  const id = `s${digest.slice(0, 39)}`;
  return { id, messageId: messageIdFor(id, from) };
}

/** The summary as it goes out. Its mark bears its own ID: it is about many messages. @throws Error when there is no template */
export async function composeSummary(
  summary: Summary,
  templates: Templates,
  config: Config,
  node: NotifiedNode,
  now: number,
): Promise<NotificationMail> {
  const template = templates.get('summary');
  if (template === undefined) throw new Error('there is no template summary');
  const rendered = renderTemplate(template, { kind: 'summary', summary, node }, siteOf(config));
  return await composeRenderedSummary(summary, rendered, config.notifications, now);
}

export async function composeRenderedSummary(
  { id, to }: Pick<Summary, 'id' | 'to'>,
  rendered: RenderedMail,
  settings: WritingSettings,
  now: number,
): Promise<NotificationMail> {
  const messageId = messageIdFor(id, settings.from);
  return await composeMail(
    { id, messageId, to: [to], rendered, marks: { 'X-Gatepost-Notification': id } },
    settings,
    now,
  );
}

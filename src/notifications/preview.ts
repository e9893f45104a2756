import type { Config } from '../config/load.js';
import { withId } from './compose.js';
import { templateOf } from './template-choice.js';
import type { Templates } from './templates/load.js';
import { renderTemplate } from './templates/render.js';
import { siteOf } from './templates/site.js';
import { htmlToText } from './templates/html-text.js';
import type { Group } from '../rules/types.js';
import type { OwedRuleNotification } from './types.js';

/** A notification as its reader would see it; nothing is sent. */
export interface PreviewedNotification {
  readonly to: string;
  readonly group: Group;
  readonly template: string;
  readonly subject: string;
  /** The text part, or the HTML as text. */
  readonly text: string;
  readonly html?: string;
}

/** @throws Error when there is no template for it */
export function previewNotification(
  owed: OwedRuleNotification,
  templates: Templates,
  config: Pick<Config, 'domains' | 'notifications'>,
): PreviewedNotification {
  const template = templateOf(owed, templates);
  if (template === undefined) throw new Error(`there is no template \`${owed.template}\``);
  const { subject, text, html } = withId(
    renderTemplate(template, owed.context, siteOf(config)),
    owed.traceId,
    config.notifications.messageId,
  );
  return {
    to: owed.to,
    group: owed.group,
    template: owed.template,
    subject,
    text: text ?? htmlToText(html ?? ''),
    ...(html === undefined ? {} : { html }),
  };
}

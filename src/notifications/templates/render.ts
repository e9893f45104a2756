import { oneLine, headerSafe } from '../safe-text.js';
import type { RuleNotificationContext } from '../types.js';
import { htmlToText } from './html-text.js';
import type { Template } from './load.js';
import { ruleView } from './views.js';

/** A notification that is filled in. One of text and HTML is there, or both. */
export interface RenderedMail {
  /** One line without control and bidirectional characters. */
  readonly subject: string;
  readonly text?: string;
  readonly html?: string;
}

/** In code points; longer ones are cut. */
const MAX_SUBJECT = 250;

/**
 * Fills a template in.
 * @param mydomain first of `domains`
 */
export function renderTemplate(template: Template, context: RuleNotificationContext, mydomain: string): RenderedMail {
  const subject = headerSafe(oneLine(template.subject(ruleView(context, 'header', mydomain)), MAX_SUBJECT));
  const body = template.body(ruleView(context, 'body', mydomain));
  if (template.format === 'text') return { subject, text: body };
  return template.format === 'html' ? { subject, html: body } : { subject, html: body, text: htmlToText(body) };
}

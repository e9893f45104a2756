import { oneLine, headerSafe } from '../safe-text.js';
import type { DsnContext, EventContext, NoticeContext, RuleNotificationContext } from '../types.js';
import type { SummaryContext } from '../summary/types.js';
import { summaryView } from '../summary/view.js';
import { eventView } from './event-views.js';
import { htmlToText } from './html-text.js';
import type { Template } from './load.js';
import { mailView } from './mail-views.js';
import { showsId, type Site } from './site.js';
import { ruleView, type ViewPlace } from './views.js';
import type { Words } from './words.js';

/** A notification that is filled in. One of text and HTML is there, or both. */
export interface RenderedMail {
  /** One line without control and bidirectional characters. */
  readonly subject: string;
  readonly text?: string;
  readonly html?: string;
  /** The words of its language. */
  readonly words?: Words;
}

/** What templates can be filled with. */
export type TemplateContext = RuleNotificationContext | DsnContext | NoticeContext | EventContext | SummaryContext;

/** In code points; longer ones are cut. */
const MAX_SUBJECT = 250;

/** Fills a template in. */
export function renderTemplate(template: Template, context: TemplateContext, site: Site): RenderedMail {
  const view = (place: ViewPlace): object => ({
    ...viewOf(context, place, site.mydomain, template.words),
    messageIdShown: showsId(site),
  });
  const subject = headerSafe(oneLine(template.subject(view('header')), MAX_SUBJECT));
  const body = template.body(view('body'));
  const { words } = template;
  if (template.format === 'text') return { subject, text: body, words };
  return { subject, html: body, words, ...(template.format === 'html' ? {} : { text: htmlToText(body) }) };
}

function viewOf(context: TemplateContext, place: ViewPlace, mydomain: string, words: Words): object {
  if (!('kind' in context)) return ruleView(context, place, mydomain, words);
  if (context.kind === 'summary') return summaryView(context, place, mydomain, words);
  return context.kind === 'event' ? eventView(context, place, mydomain, words) : mailView(context, place, mydomain, words);
}

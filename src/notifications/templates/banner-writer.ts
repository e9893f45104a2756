import type { BannerSubject, BannerText, BannerWriter } from '../../pipeline/types.js';
import { ruleContext } from '../context.js';
import type { BannerData } from './banner-source.js';
import { compileText, type Fill } from './compile.js';
import { htmlToText } from './html-text.js';
import type { TemplateFormat } from './load.js';
import { ruleView } from './views.js';
import { Words } from './words.js';

/**
 * Fills the texts of `warn` and `disclaimer` in, by the rules of notifications: values from the message are made
 * harmless, and escaped in HTML. The scanning threads load this module by its name and hand it `BannerSource.data`.
 */
export function createBannerWriter(data: BannerData): BannerWriter {
  const known = new Map<string, { readonly fill: Fill; readonly format: TemplateFormat; readonly words: Words }>();
  for (const { name, kind, format, source, words } of data.texts) {
    const { fill } = compileText(source, kind, format !== 'text');
    if (fill !== undefined) known.set(name, { fill, format, words: new Words(words) });
  }
  return {
    write(name, subject) {
      const template = known.get(name);
      if (template === undefined) return undefined;
      const filled = template.fill(ruleView(contextOf(name, subject, data), 'body', data.mydomain, template.words));
      return inBothForms(filled, template.format);
    },
  };
}

function contextOf(name: string, { inspection, copy, envelope, receivedAt }: BannerSubject, data: BannerData) {
  const recipients = new Set(copy.recipients);
  const contributions = inspection.recipients
    .filter(({ recipient }) => recipients.has(recipient))
    .flatMap((outcome) =>
      outcome.decision.fired
        .filter(({ warn, disclaimer }) => warn === name || disclaimer === name)
        .map((fired) => ({ outcome, fired })),
    );
  return ruleContext(inspection, envelope, data.node, contributions, { receivedAt });
}

function inBothForms(filled: string, format: TemplateFormat): BannerText {
  if (format === 'text') return { text: filled.trim(), html: `<div>${escaped(filled.trim())}</div>` };
  const html = withoutFrame(filled);
  return { text: htmlToText(html).trim(), html };
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (char) => entities[char] ?? char).replace(/\n/g, '<br>\n');
}

/** Of a whole document, what stands in its body. */
function withoutFrame(html: string): string {
  const open = /<body\b[^>]*>/i.exec(html);
  const start = open === null ? 0 : open.index + open[0].length;
  const end = html.toLowerCase().lastIndexOf('</body');
  return html.slice(start, end < start ? undefined : end).trim();
}

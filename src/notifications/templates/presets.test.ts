import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROGRAM_FOLDER } from '../../config/load.js';
import { newTraceId } from '../../message/trace-id.js';
import type { DsnContext, EventContext, NoticeContext, RuleNotificationContext } from '../types.js';
import type { SummaryContext } from '../summary/types.js';
import { withId } from '../compose.js';
import { loadTemplates } from './load.js';
import { renderTemplate, type TemplateContext } from './render.js';
import { contextOfKind, SAMPLE_TIME } from './samples.js';
import type { MessageIdPlace } from './site.js';

const { all } = await loadTemplates([path.join(PROGRAM_FOLDER, 'templates')], 'en');
const mails = all.map(({ template }) => template).filter(({ kind }) => kind !== 'banner');
const ID = newTraceId(SAMPLE_TIME);
const PLACES: readonly MessageIdPlace[] = ['body', 'subject', 'header', 'off'];

function times<T>(count: number, make: (n: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

/** What a reader should not find; undefined when it is not there. */
function found(text: string, pattern: RegExp): string | undefined {
  const at = pattern.exec(text);
  return at === null ? undefined : text.slice(Math.max(0, at.index - 60), at.index + at[0].length + 60);
}

/** The sample with so many of each thing that there can be several of, or none. */
function withCount(context: TemplateContext, count: number): TemplateContext {
  if (!('kind' in context)) return ruleWith(context, count);
  if (context.kind === 'summary') return summaryWith(context, count);
  return context.kind === 'event' ? eventWith(context, count) : mailWith(context, count);
}

function ruleWith(context: RuleNotificationContext, count: number): RuleNotificationContext {
  const people = times(Math.max(count, 1), (n) => `person${String(n)}@example.org`);
  const [object] = context.objects;
  if (object === undefined) throw new Error('no sample');
  return {
    ...context,
    messageId: ID,
    allRecipients: people,
    affectedRecipients: people,
    rules: times(Math.max(count, 1), (n) => ({ id: `rule-${String(n)}`, name: `Rule ${String(n)}` })),
    objects: times(count, (n) => ({ ...object, name: `part${String(n)}.exe` })),
    ...(count > 2 ? { objectsOmitted: count } : {}),
  };
}

function mailWith<T extends DsnContext | NoticeContext>(context: T, count: number): T {
  const people = times(Math.max(count, 1), (n) => `person${String(n)}@example.org`);
  const [one] = context.reported;
  if (one === undefined) throw new Error('no sample');
  const reported = people.slice(0, context.kind === 'notice' ? count : undefined).map((address) => ({ ...one, address }));
  const changed = { ...context, messageId: ID, allRecipients: people, affectedRecipients: people, reported };
  return context.kind === 'notice'
    ? { ...changed, transcript: times(count, (n) => `S: 250 line ${String(n)}`), omitted: count }
    : changed;
}

function eventWith(context: EventContext, count: number): EventContext {
  const { mail } = context;
  const [condition] = mail.conditions;
  if (condition === undefined) throw new Error('no sample');
  const conditions = times(count, (n) => ({ ...condition, subject: `subject ${String(n)}` }));
  const [over] = [...mail.resolved, ...mail.changes.map((one) => one.condition)];
  return {
    ...context,
    mail: {
      ...mail,
      conditions,
      resolved: over === undefined ? [] : times(count, () => over),
      changes: (['raised', 'resolved', 'raised-and-resolved'] as const).flatMap((change) =>
        conditions.map((one) => ({ change, condition: one })),
      ),
    },
  };
}

function summaryWith(context: SummaryContext, count: number): SummaryContext {
  const tallies = times(count, (n) => ({ name: `name-${String(n)}`, count: 1 }));
  return {
    ...context,
    summary: {
      ...context.summary,
      total: Math.max(count, 1),
      messages: Math.max(count, 1),
      rules: tallies,
      templates: [{ name: 'rule-general', count: Math.max(count, 1) }],
      sources: tallies,
      traceIds: times(Math.min(count, 20), () => ID),
    },
  };
}

describe.each(mails.map((template) => [`${template.language}/${template.name}`, template] as const))('%s', (_, template) => {
  it.each([0, 1, 2, 50])('reads well with %i of everything', (count) => {
    const context = withCount(contextOfKind(template), count);
    const { subject, text = '', html = '' } = renderTemplate(template, context, { mydomain: 'example.org' });
    for (const shown of [subject, text]) {
      expect(found(shown, /undefined|null(?! sender)|NaN|\[object|\{\{|%[A-Z_]{3,}%/)).toBeUndefined();
      expect(found(shown, /: ?,|\(\)|\[\]|, ,|,\s*[.)]| {2}[.,]/), 'nothing is named that is not there').toBeUndefined();
    }
    expect(found(text, /(?<![\d.,:])1 (messages|notifications|rules|recipients|events|Nachrichten|Regeln|Empfänger)\b/), 'one is one').toBeUndefined();
    expect(found(text, /\n{4,}/)).toBeUndefined();
    expect(found(html, /<(ul|table|p|h[1-3]|div|li|td)\b[^>]*>\s*<\/\1>/)).toBeUndefined();
    expect(found(html, /<\/h2>\s*(<h[12]|<p class="foot")/), 'no heading without what it is for').toBeUndefined();
    expect(subject.length).toBeLessThanOrEqual(260);
    expect(found(subject, /[:,(]\s*$/)).toBeUndefined();
  });

  it('speaks of an ID where there is one', () => {
    for (const place of PLACES) {
      const context = withCount(contextOfKind(template), 2);
      const rendered = renderTemplate(template, context, { mydomain: 'example.org', messageId: place });
      const { text = '', html = '', subject } = template.kind === 'event' || template.kind === 'summary' ? rendered : withId(rendered, ID, place);
      if (place === 'body' || place === 'subject' || template.kind === 'summary') continue;
      for (const shown of [subject, text, html]) {
        expect(shown).not.toContain(ID);
        expect(found(shown, /message ID|Nachrichten-ID/i)).toBeUndefined();
      }
    }
  });
});

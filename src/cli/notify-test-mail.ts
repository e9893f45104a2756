import type { Config } from '../config/load.js';
import { nearest } from '../config/suggest.js';
import { composeDsn } from '../delivery/dsn/compose.js';
import { returnedPart } from '../delivery/dsn/original.js';
import type { OutgoingMail } from '../delivery/types.js';
import { newTraceId, type TraceId } from '../message/trace-id.js';
import { composeNotification, messageIdFor, withId } from '../notifications/compose.js';
import { composeEventMail, eventMessageId } from '../notifications/digest/compose.js';
import { notificationId } from '../notifications/identity.js';
import { oweSettings } from '../notifications/settings.js';
import { composeRenderedSummary, summaryIdentity } from '../notifications/summary/mail.js';
import type { Template, Templates } from '../notifications/templates/load.js';
import { renderTemplate, type RenderedMail } from '../notifications/templates/render.js';
import { contextOfKind } from '../notifications/templates/samples.js';
import { siteOf } from '../notifications/templates/site.js';
import type { NotifiedNode } from '../notifications/types.js';
import { UsageError } from './exit.js';
import { printable } from './terminal.js';

/** Kinds of mail that can be tried, and the template that each has by default. */
export const TEST_KINDS = {
  rule: 'rule-general',
  notice: 'notice-software',
  event: 'events-change',
  dsn: 'dsn-failure',
  summary: 'summary',
} as const;
export type TestKind = keyof typeof TEST_KINDS;

export interface TestMail {
  readonly mail: OutgoingMail;
  /** Without angle brackets. */
  readonly messageId: string;
  readonly template: string;
  readonly subject: string;
}

/** The template that is asked for. @throws UsageError */
export function testTemplate(
  templates: Templates,
  wanted: { readonly kind?: string; readonly template?: string; readonly language?: string },
): Template {
  const kind = Object.keys(TEST_KINDS).find((one): one is TestKind => one === (wanted.kind ?? 'rule'));
  if (kind === undefined)
    throw new UsageError(`--kind ${wanted.kind ?? ''}: one of ${Object.keys(TEST_KINDS).join(', ')}`);
  const name = wanted.template ?? TEST_KINDS[kind];
  const found = templates.get(name, wanted.language);
  if (found === undefined) {
    const meant = nearest(name, templates.names);
    const hint = meant === undefined ? '`gatepost template list` shows all' : `did you mean \`${meant}\`?`;
    throw new UsageError(`there is no template ${printable(name)}; ${hint}`);
  }
  if (wanted.language !== undefined && found.language !== wanted.language)
    throw new UsageError(`there is no template ${name} in the language ${wanted.language}`);
  if (!Object.hasOwn(TEST_KINDS, found.kind) || (wanted.kind !== undefined && found.kind !== wanted.kind))
    throw new UsageError(
      `the template ${name} is of kind ${found.kind}${wanted.kind === undefined ? ', which is put into messages and not sent by itself' : `, not ${wanted.kind}`}`,
    );
  return found;
}

/** A mail with made-up data, marked as a test, that is otherwise as the gateway would send it. */
export async function makeTestMail(to: string, template: Template, config: Config, now: number): Promise<TestMail> {
  const { notifications, smtp } = config;
  const { node } = oweSettings(config);
  const traceId = newTraceId(now);
  const context = sampleOf(template, node, traceId, to, now, notifications.from);
  const rendered = asTest(renderTemplate(template, context, siteOf(config)));
  const id = notificationId(traceId, template.name, to);
  const about = { template: template.name, subject: rendered.subject };
  if ('mail' in context) {
    const event = { ...context.mail, id: `event-test/${traceId}`, to: [to], time: now };
    const mail = await composeEventMail(event, rendered, notifications, [to], now);
    return { ...about, mail, messageId: eventMessageId(event.id, notifications.from) };
  }
  if ('summary' in context) {
    const { summary } = context;
    const mail = await composeRenderedSummary(summary, rendered, notifications, now);
    return { ...about, mail, messageId: messageIdFor(summary.id, notifications.from) };
  }
  if (template.kind === 'dsn') {
    const original = Buffer.from('From: someone@example.net\r\nSubject: A test\r\n\r\nThis message never was.\r\n');
    const returned = await returnedPart({ size: original.length, read: () => [original] }, false, false);
    const envelope = { sender: to, client: '', helo: '', tls: false, trusted: true, smtpUtf8: false, eightBit: false };
    const reply = { code: 550, enhanced: '5.1.1', text: 'no such user (this is a test)' };
    const recipients = [{ recipient: { address: 'nobody@example.net' }, action: 'failed' as const, reply }];
    const time = new Date(now);
    const input = {
      id: `${traceId}.test`,
      traceId,
      envelope,
      recipients,
      receivedAt: time,
      now: time,
      writing: notifications,
    };
    const text = withId(rendered, traceId, notifications.messageId);
    const dsn = composeDsn({ ...input, hostname: smtp.hostname, writing: notifications }, text, returned);
    const mail = { id: traceId, sender: '', recipients: [{ address: to }], ...dsn };
    return { ...about, mail, messageId: `${traceId}.test@${smtp.hostname}` };
  }
  const owed = { id, traceId, to, template: template.name, attach: 'none' as const };
  const mail = await composeNotification(
    'kind' in context && context.kind === 'notice'
      ? { ...owed, kind: 'notice', context }
      : { ...owed, kind: 'rule', rule: 'test', group: 'general', context: ruleContextOf(context) },
    rendered,
    notifications,
    now,
  );
  return { ...about, mail, messageId: messageIdFor(id, notifications.from) };
}

/** Made-up data that bear the IDs of the mail. */
function sampleOf(
  template: Template,
  node: NotifiedNode,
  traceId: TraceId,
  to: string,
  now: number,
  from: string,
): Sample {
  const sample = contextOfKind(template, node);
  if ('summary' in sample)
    return { ...sample, summary: { ...sample.summary, id: summaryIdentity(to, now, from).id, to } };
  return 'messageId' in sample ? { ...sample, messageId: traceId } : sample;
}

type Sample = ReturnType<typeof contextOfKind>;
type RuleSample = Extract<Sample, { readonly objects: unknown }>;

function ruleContextOf(context: Sample): RuleSample {
  if ('objects' in context) return context;
  throw new UsageError('a template of this kind cannot be sent by itself');
}

/** Nobody is to take the made-up data for news. */
function asTest(rendered: RenderedMail): RenderedMail {
  const line = 'This is a test of gatepost notify-test: the data are made up.';
  const { subject, text, html } = rendered;
  return {
    ...rendered,
    subject: `[Test] ${subject}`,
    ...(text === undefined ? {} : { text: `${line}\n\n${text}` }),
    ...(html === undefined
      ? {}
      : { html: afterBody(html, `<p style="margin:16px;font:13px/1.4 sans-serif">${line}</p>`) }),
  };
}

function afterBody(html: string, addition: string): string {
  const body = /<body\b[^>]*>/i.exec(html);
  const at = body === null ? 0 : body.index + body[0].length;
  return html.slice(0, at) + addition + html.slice(at);
}

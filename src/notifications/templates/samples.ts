import { newTraceId } from '../../message/trace-id.js';
import type { EventCondition } from '../../store/types.js';
import type { SummaryContext } from '../summary/types.js';
import type { DsnContext, EventContext, NotifiedNode, NoticeContext, RuleNotificationContext } from '../types.js';
import type { Template } from './load.js';
import type { TemplateContext } from './render.js';

/** ms since the epoch: a moment that reads well. */
export const SAMPLE_TIME = Date.UTC(2026, 10, 21, 16, 5, 9);
export const SAMPLE_NODE: NotifiedNode = {
  name: 'gw1',
  address: '192.0.2.10',
  port: 25,
  comment: 'data centre 1',
  timezone: 'Europe/Berlin',
};
const HOUR = 3_600_000;

/** Data of the kind that a template is for, so that it can be looked at. @param node that of the site, where there is one */
export function contextOfKind({ kind, name }: Pick<Template, 'kind' | 'name'>, node: NotifiedNode = SAMPLE_NODE): TemplateContext {
  switch (kind) {
    case 'rule':
    case 'banner':
      return ruleSample(node);
    case 'dsn':
      return dsnSample(name, node);
    case 'notice':
      return noticeSample(name, node);
    case 'summary':
      return summarySample(node);
    case 'event':
      return eventSample(name === 'events-daily' ? 'daily' : 'change', node);
  }
}

function messageSample(node: NotifiedNode) {
  return {
    messageId: newTraceId(SAMPLE_TIME),
    smtpMessageId: '20261121160501.4711@mail.partner.example',
    date: SAMPLE_TIME,
    sender: 'alice@partner.example',
    senderIp: '203.0.113.7',
    allRecipients: ['bob@example.org', 'carol@example.org'],
    affectedRecipients: ['bob@example.org', 'carol@example.org'],
    subject: 'Invoice 2026-1187 for November',
    size: 184_320,
    node,
  };
}

function ruleSample(node: NotifiedNode): RuleNotificationContext {
  return {
    ...messageSample(node),
    rules: [{ id: 'inbound', name: 'Inbound mail' }],
    action: 'rejected',
    outcomes: [{ action: 'reject', recipients: [] }],
    quarantined: true,
    objects: [
      { name: 'invoice.zip/setup.exe', size: 97_280, status: 'infected', module: 'antivirus', threat: 'Win.Test.EICAR_HDB-1' },
      { name: 'https://login.partner-invoices.example/pay?id=4711', size: 0, status: 'phishing', module: 'links', threat: '' },
    ],
  };
}

function dsnSample(name: string, node: NotifiedNode): DsnContext {
  const message = messageSample(node);
  const common = { kind: 'dsn', ...message, sender: 'bob@example.org', allRecipients: ['alice@partner.example'], affectedRecipients: ['alice@partner.example'] } as const;
  const address = 'alice@partner.example';
  if (name === 'dsn-success')
    return {
      ...common,
      reported: [{ address, reason: 'It has arrived.', advice: '', status: '2.0.0', server: 'mx.partner.example', reply: '250 2.0.0 queued' }],
      returned: 'headers',
    };
  if (name === 'dsn-delay')
    return {
      ...common,
      reported: [
        { address, reason: 'The server of the recipient does not answer.', advice: '', status: '4.4.1', server: 'mx.partner.example', reply: '451 4.4.1 connection timed out' },
      ],
      retryUntil: SAMPLE_TIME + 120 * HOUR,
      returned: 'headers',
    };
  return { ...common, reported: [failed(address)], returned: 'headers' };
}

function failed(address: string): DsnContext['reported'][number] {
  return {
    address,
    reason: 'There is no mailbox of that name.',
    advice: 'Look for a typing mistake in the address.',
    status: '5.1.1',
    server: 'mx.partner.example',
    reply: '550 5.1.1 no such user',
  };
}

const NOTICE_TEXTS: Readonly<Record<string, string>> = {
  'notice-bounce': 'Its sender has been told.',
  'notice-double-bounce': 'A message with the null sender could not be delivered, so nobody can be told.',
  'notice-delay': 'It has waited since 2026-11-21 17:05:09 +01:00.',
  'notice-policy': 'RCPT was answered: 550 5.7.1 relaying is not allowed',
  'notice-protocol': 'HELO was answered: 501 5.5.4 a host name is needed',
  'notice-resource': 'The message was answered: 452 4.3.1 no room at the moment',
  'notice-software': 'A scanning thread was lost (crash) and has been replaced.',
};

function noticeSample(name: string, node: NotifiedNode): NoticeContext {
  return {
    kind: 'notice',
    ...messageSample(node),
    errorDescription: NOTICE_TEXTS[name] ?? 'The message was answered: 451 4.3.0 internal failure',
    transcript: [
      'S: 220 gw1.example.org ESMTP',
      'C: EHLO client.partner.example',
      'S: 250 gw1.example.org',
      'C: MAIL FROM:<alice@partner.example>',
      'S: 250 2.1.0 sender ok',
      'C: RCPT TO:<dave@elsewhere.example>',
      'S: 550 5.7.1 relaying is not allowed',
      'C: QUIT',
    ],
    reported: [failed('bob@example.org')],
    omitted: 3,
  };
}

function eventSample(kind: 'daily' | 'change', node: NotifiedNode): EventContext {
  const condition = (event: string, severity: EventCondition['severity'], subject: string, detail: string, hours: number): EventCondition => ({
    event,
    severity,
    subject,
    detail,
    node: node.name,
    first: new Date(SAMPLE_TIME - hours * HOUR),
    last: new Date(SAMPLE_TIME - HOUR / 60),
  });
  const hop = condition('next-hop-unavailable', 'critical', 'smtp://mail.example.org:25', 'it does not take mail: connection refused; mail for it waits in the spool', 1);
  const engine = condition('detector-unavailable', 'error', 'antivirus', 'the engine does not answer: connection timed out', 3);
  const directory: EventCondition = {
    ...condition('directory-unavailable', 'error', 'ldap', 'connection refused', 26),
    lastSuccess: new Date(SAMPLE_TIME - 26 * HOUR),
  };
  const over: EventCondition = {
    ...condition('disk-low', 'error', '', '400 MB are free on the disk of the spool, 500 MB must stay free: mail is answered 452', 5),
    last: new Date(SAMPLE_TIME - 2 * HOUR - 60_000),
    resolvedAt: new Date(SAMPLE_TIME - 2 * HOUR),
  };
  return {
    kind: 'event',
    mail: {
      id: 'sample',
      kind,
      time: SAMPLE_TIME,
      timezone: node.timezone,
      language: 'en',
      to: ['postmaster@example.org'],
      conditions: [hop, engine, directory],
      resolved: kind === 'daily' ? [over] : [],
      changes: kind === 'daily' ? [] : [{ change: 'raised', condition: hop }, { change: 'resolved', condition: over }],
    },
    node,
    nodes: new Map([[node.name, node]]),
  };
}

function summarySample(node: NotifiedNode): SummaryContext {
  return {
    kind: 'summary',
    summary: {
      id: 'sample',
      to: 'security@example.org',
      time: SAMPLE_TIME,
      total: 412,
      messages: 397,
      first: SAMPLE_TIME - HOUR,
      last: SAMPLE_TIME - HOUR / 60,
      rules: [
        { name: 'inbound', title: 'Inbound mail', count: 398 },
        { name: 'finance', title: 'Finance', count: 14 },
      ],
      templates: [{ name: 'rule-general', count: 412 }],
      sources: [
        { name: 'partner.example', count: 371 },
        { name: 'news.example', count: 41 },
      ],
      traceIds: [0, 1, 2].map((minute) => newTraceId(SAMPLE_TIME - HOUR + minute * 60_000)),
    },
    node,
  };
}

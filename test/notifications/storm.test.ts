import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { simpleParser, type ParsedMail } from 'mailparser';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig, PROGRAM_FOLDER, type Config } from '../../src/config/load.js';
import type { EventReporter } from '../../src/events/types.js';
import type { Content } from '../../src/message/source.js';
import { openNotifications, type NotificationService } from '../../src/notifications/service.js';
import { loadTemplates } from '../../src/notifications/templates/load.js';
import type { Group } from '../../src/rules/types.js';
import { silentLog } from '../../src/telemetry/log.js';
import { until } from '../support/until.js';
import {
  CapturingTransport,
  decision,
  envelope,
  FakeBackend,
  FakeClock,
  FakeLedger,
  fired,
  inspection,
  outcome,
  target,
} from './support.js';

const MINUTE = 60_000;
const raw = Buffer.from('From: a@partner.example\r\nSubject: Your invoice\r\n\r\nevil\r\n');
const original: Content = { size: raw.length, read: () => [raw] };
const { templates } = await loadTemplates([path.join(PROGRAM_FOLDER, 'templates')], 'en');

let folder = '';
let config: Config;
let service: NotificationService;
let queue: FakeBackend;
let ledger: FakeLedger;
let transport: CapturingTransport;
let clock: FakeClock;
let told: string[];

async function settings(yaml: string): Promise<void> {
  const text = `notifications: { general: [security@example.org], external: always, ${yaml} }`;
  ({ config } = await parseConfig(text, folder));
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gatepost-storm-'));
  queue = new FakeBackend();
  ledger = new FakeLedger();
  transport = new CapturingTransport();
  clock = new FakeClock();
  told = [];
});
afterEach(async () => {
  await service.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(yaml: string): Promise<void> {
  await settings(yaml);
  const events: EventReporter = {
    raise: (event, { subject = '' }) => void told.push(`raised ${event} ${subject}`),
    resolve: (event, subject = '') => void told.push(`resolved ${event} ${subject}`),
  };
  service = await openNotifications({
    config,
    inForce: () => config,
    queue,
    ledger,
    sending: ledger.sending,
    transport,
    templates,
    log: silentLog(),
    clock,
    events,
  });
}

/** Messages that triggered a rule, each a mail to every group. */
async function messages(count: number, groups: readonly Group[] = ['general']): Promise<void> {
  const before = queue.jobs.size;
  for (let n = 0; n < count; n++) {
    const notify = groups.map((group) => target(group, `rule-${group}`, 'headers'));
    const seen = inspection([
      outcome('bob@example.org', decision([fired(notify)], { additional: ['team@example.org'] })),
    ]);
    await service.owe(seen, envelope(), {}, original);
  }
  await until('the jobs', () => Promise.resolve(queue.jobs.size === before + count * groups.length));
}

async function run(): Promise<void> {
  await queue.look();
  await queue.run(clock.now());
}

const parsed = async (): Promise<ParsedMail[]> =>
  await Promise.all(transport.mails.map(async ({ bytes }) => await simpleParser(bytes)));
const subjects = async (): Promise<string[]> => (await parsed()).map(({ subject }) => subject ?? '');
const rows = (state: string): number => [...ledger.rows.values()].filter((row) => row.state === state).length;

describe('storm control', () => {
  it('folds what is over the rate into one summary, which goes when there is room and is not counted', async () => {
    await start('rate: 3/h');
    await messages(10);
    await run();
    expect(transport.mails).toHaveLength(3);
    expect(rows('folded')).toBe(7);
    // What is folded lies in the store: the outbox does not hold it any more.
    await until('an empty outbox', () => Promise.resolve(service.pending === 0));
    clock.time += 59 * MINUTE;
    await run();
    expect(transport.mails).toHaveLength(3);
    clock.time += MINUTE;
    await run();
    expect(transport.mails).toHaveLength(4);
    const [, , , summary] = await parsed();
    expect(summary?.subject).toBe('[Gatepost] Summary: notifications that were not sent one by one (7)');
    expect(summary?.text).toContain('Inbound mail (inbound): 7');
    expect(summary?.text).toMatch(/notifications list --summary s[0-9a-f]{39} /);
    expect(summary?.text).toContain('partner.example: 7');
    for (const row of ledger.rows.values())
      if (row.state === 'folded') expect(summary?.text).toContain(row.traceId ?? 'no trace ID');
    expect(summary?.headers.get('auto-submitted')).toBe('auto-generated');
    expect(summary?.headers.get('x-gatepost-notification')).toMatch(/^s[0-9a-f]{39}$/);
    const entry = [...ledger.rows.values()].find(({ kind }) => kind === 'summary');
    expect(entry).toMatchObject({ state: 'sent', to: 'security@example.org', template: 'summary', attempts: 1 });
    expect(summary?.messageId).toBe(`<${entry?.messageId ?? ''}>`);
    // All three places are there for others.
    await messages(3);
    await run();
    expect(transport.mails).toHaveLength(7);
  });

  it('a summary is retried as the same mail, and told of when it fails for good', async () => {
    await start('rate: 1/m, retry: { delays: [1m], lifetime: 10m }');
    await messages(2);
    await run();
    clock.time += MINUTE;
    transport.answer = 'deferred';
    await run();
    transport.answer = 'delivered';
    clock.time += MINUTE;
    await run();
    expect(await subjects()).toHaveLength(2);
    expect([...ledger.rows.values()].find(({ kind }) => kind === 'summary')).toMatchObject({
      state: 'sent',
      attempts: 2,
    });

    clock.time += 60 * MINUTE;
    await messages(2);
    await run();
    clock.time += MINUTE;
    transport.answer = 'refused';
    await run();
    expect(told.at(-1)).toBe('raised notification-undeliverable security@example.org');
    await run();
    const summaries = [...ledger.rows.values()].filter(({ kind }) => kind === 'summary');
    expect(summaries.map(({ state }) => state).sort()).toEqual(['failed', 'sent']);
  });

  it('goes by the configuration in force', async () => {
    await start('rate: 1/h');
    await messages(2);
    await run();
    expect(transport.mails).toHaveLength(1);
    await settings('rate: off');
    // Nothing stands in the way of the summary now.
    await messages(2);
    await run();
    expect(transport.mails).toHaveLength(4);
    expect(await subjects()).toContain('[Gatepost] Summary: notifications that were not sent one by one (1)');
  });
});

describe('failures', () => {
  it('5xx is final at once, with the event, and makes no other mail', async () => {
    await start('rate: off');
    transport.answer = 'refused';
    await messages(1);
    await run();
    expect(rows('failed')).toBe(1);
    expect(told).toEqual(['raised notification-undeliverable security@example.org']);
    clock.time += 60 * MINUTE;
    await run();
    expect([...ledger.rows.values()]).toHaveLength(1);
  });
});

describe('interval', () => {
  it('lists and admins wait, each mail by itself; sender and recipients never do', async () => {
    await start('interval: 15');
    await messages(2, ['general', 'additional', 'sender', 'recipients']);
    await run();
    expect((await parsed()).map(({ to }) => [to].flat()[0]?.text).sort()).toEqual([
      'alice@partner.example',
      'alice@partner.example',
      'bob@example.org',
      'bob@example.org',
    ]);
    clock.time += 15 * MINUTE - 1;
    await run();
    expect(transport.mails).toHaveLength(4);
    clock.time += 1;
    await run();
    expect(transport.mails).toHaveLength(8);
    expect(rows('sent')).toBe(8);
  });

  it('all for an address in one mail, in their order, with what was attached', async () => {
    await start('interval: 90s, separate: false, rate: 1/h');
    await messages(3);
    await run();
    // A worker that forgets everything: the store has them.
    queue.jobs.clear();
    clock.time += 90_000;
    transport.answer = 'deferred';
    await run();
    transport.answer = 'delivered';
    clock.time += MINUTE;
    await run();
    await run();
    const [mail, ...others] = await parsed();
    expect(others).toEqual([]);
    expect(mail?.subject).toContain('3');
    const entries = [...ledger.rows.values()];
    const html = mail?.html === false ? '' : (mail?.html ?? '');
    for (const { traceId = '' } of entries) {
      expect(mail?.text).toContain(traceId);
      expect(html).toContain(traceId);
    }
    expect(html.match(/<html/g)).toHaveLength(1);
    expect(mail?.attachments.map(({ filename }) => filename)).toEqual(
      entries.map(({ traceId = '' }) => `${traceId}.txt`),
    );
    expect(entries.map(({ state, attempts }) => [state, attempts])).toEqual(entries.map(() => ['sent', 2]));
    expect(new Set(entries.map(({ messageId }) => `<${messageId}>`))).toEqual(new Set([mail?.messageId]));
  });

  it('a single one goes as it would have gone by itself', async () => {
    await start('interval: 1, separate: false');
    await messages(1);
    await run();
    clock.time += MINUTE;
    await run();
    await run();
    const [mail] = await parsed();
    expect(mail?.subject).toContain('Your invoice');
  });
});

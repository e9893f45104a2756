import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { simpleParser } from 'mailparser';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig, PROGRAM_FOLDER, type Config } from '../../src/config/load.js';
import type { Content } from '../../src/message/source.js';
import { openNotifications, type NotificationService } from '../../src/notifications/service.js';
import { loadTemplates } from '../../src/notifications/templates/load.js';
import type { Inspection } from '../../src/pipeline/types.js';
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

async function start(): Promise<void> {
  service = await openNotifications({
    config,
    queue,
    ledger,
    sending: ledger.sending,
    transport,
    templates,
    log: silentLog(),
    clock,
  });
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gatepost-notifications-'));
  ({ config } = await parseConfig('notifications: { general: [security@example.org] }', folder));
  queue = new FakeBackend();
  ledger = new FakeLedger();
  transport = new CapturingTransport();
  clock = new FakeClock();
  await start();
});
afterEach(async () => {
  await service.close();
  await rm(folder, { recursive: true, force: true });
});

function message(attach: 'none' | 'original' = 'none'): Inspection {
  const notify = [target('general', 'rule-general', attach), target('sender')];
  return inspection([outcome('bob@example.org', decision([fired(notify)]))]);
}

async function owe(seen: Inspection = message()): Promise<Inspection> {
  await service.owe(seen, envelope(), {}, original);
  return seen;
}

async function queued(count = 1): Promise<void> {
  await until('the job', () => Promise.resolve(queue.jobs.size === count));
}

async function outboxFiles(): Promise<string[]> {
  return (await readdir(path.join(folder, 'data', 'outbox'))).filter((name) => /\.(jsonl|eml)$/.test(name));
}

const states = (): string[] => [...ledger.rows.values()].map((row) => `${row.group ?? ''} ${row.state}`).sort();

describe('the ordinary way', () => {
  it('is owed, fsynced, queued, sent, recorded, and leaves the outbox', async () => {
    const seen = await owe();
    expect(await outboxFiles()).toHaveLength(1);
    await queued();
    expect(states()).toEqual(['general queued', 'sender suppressed']);
    await queue.run(clock.now());
    expect(states()).toEqual(['general sent', 'sender suppressed']);
    expect(transport.mails).toHaveLength(1);
    const mail = await simpleParser(transport.mails[0]?.bytes ?? '');
    expect(mail.text).toContain(seen.traceId);
    const row = [...ledger.rows.values()].find((each) => each.state === 'sent');
    expect(row).toMatchObject({ attempts: 1, lastReply: '250 ok', to: 'security@example.org', traceId: seen.traceId });
    expect(`<${row?.messageId ?? ''}>`).toBe(mail.messageId);
    await until('an empty outbox', async () => (await outboxFiles()).length === 0);
    expect(service.pending).toBe(0);
  });

  it('a message that owes nothing writes nothing', async () => {
    await owe(inspection([outcome('bob@example.org', decision([]))]));
    expect(await outboxFiles()).toEqual([]);
    expect(ledger.writes).toBe(0);
  });

  it('attaches the original as it came', async () => {
    await owe(message('original'));
    await queued();
    await queue.run(clock.now());
    expect(transport.mails[0]?.bytes.includes(raw)).toBe(true);
    await until('an empty outbox', async () => (await outboxFiles()).length === 0);
  });
});

describe('once', () => {
  it('a job that runs again is not sent again', async () => {
    const seen = await owe();
    await queued();
    const jobs = new Map(queue.jobs);
    await queue.run(clock.now());
    for (const [id, job] of jobs) queue.jobs.set(id, job);
    await queue.run(clock.now());
    await owe(seen);
    await queued();
    await queue.run(clock.now());
    expect(transport.mails).toHaveLength(1);
    await until('an empty outbox', () => Promise.resolve(service.pending === 0));
  });

  it('two runs at the same time send once', async () => {
    await owe();
    await queued();
    await Promise.all([queue.run(clock.now()), queue.run(clock.now())]);
    expect(transport.mails).toHaveLength(1);
  });

  it('a ledger that goes away behind the 250 does not make it sent again', async () => {
    await owe();
    await queued();
    const send = transport.send.bind(transport);
    transport.send = async (mail) => {
      const result = await send(mail);
      ledger.away = true;
      return result;
    };
    await queue.run(clock.now());
    clock.time += MINUTE;
    await queue.run(clock.now());
    ledger.away = false;
    clock.time += MINUTE;
    await queue.run(clock.now());
    expect(transport.mails).toHaveLength(1);
    expect(states()).toContain('general sent');
  });
});

describe('when something is down', () => {
  it('the ledger: nothing is sent until it is back, nothing is lost', async () => {
    ledger.away = true;
    await owe();
    await queued();
    await queue.run(clock.now());
    expect(transport.mails).toHaveLength(0);
    ledger.away = false;
    clock.time += MINUTE;
    await service.sweep();
    await queue.run(clock.now());
    expect(transport.mails).toHaveLength(1);
    expect(states()).toEqual(['general sent', 'sender suppressed']);
  });

  it('the queue: it is added when it comes back', async () => {
    queue.available = false;
    await owe();
    await service.sweep();
    expect(queue.jobs.size).toBe(0);
    queue.comeBack();
    await queued();
    await queue.run(clock.now());
    expect(transport.mails).toHaveLength(1);
  });

  it('a queue that comes back empty gets everything again that is not settled', async () => {
    await owe();
    await owe();
    await queued(2);
    queue.jobs.clear();
    queue.comeBack();
    await queued(2);
    await queue.run(clock.now());
    expect(transport.mails).toHaveLength(2);
  });

  it('a queue that forgets in silence gets it again by the sweep', async () => {
    await owe();
    await queued();
    queue.jobs.clear();
    await service.sweep();
    expect(queue.jobs.size).toBe(0);
    clock.time += 15_000;
    await service.sweep();
    expect(queue.jobs.size).toBe(1);
  });

  it('the process: the next one finds it in the outbox', async () => {
    queue.available = false;
    await owe();
    await service.close();
    queue = new FakeBackend();
    await start();
    expect(service.pending).toBe(1);
    await queued();
    await queue.run(clock.now());
    expect(transport.mails).toHaveLength(1);
  });
});

describe('failures of sending', () => {
  it('a temporary one is tried again by the delays, with the same Message-ID, until the lifetime is over', async () => {
    transport.answer = 'deferred';
    await owe();
    await queued();
    const begin = clock.now();
    const times: number[] = [];
    while (queue.jobs.size > 0) {
      const [job] = queue.jobs.values();
      clock.time = Math.max(clock.now(), job?.at ?? 0);
      times.push((clock.now() - begin) / MINUTE);
      await queue.run(clock.now());
    }
    expect(times.slice(0, 5)).toEqual([0, 1, 6, 21, 81]);
    expect(times.at(-1)).toBe(2 * 24 * 60);
    const row = [...ledger.rows.values()].find((each) => each.group === 'general');
    expect(row).toMatchObject({ state: 'failed', attempts: times.length, lastReply: '450 ok' });
    expect(row?.reason).toContain('lifetime');
    await until('an empty outbox', () => Promise.resolve(service.pending === 0));
    // A failing notification makes no other one.
    expect(ledger.rows.size).toBe(2);
  });

  it('is sent when the server is back', async () => {
    transport.answer = 'deferred';
    await owe();
    await queued();
    await queue.run(clock.now());
    transport.answer = 'delivered';
    clock.time += MINUTE;
    await queue.run(clock.now());
    expect(states()).toContain('general sent');
    expect([...ledger.rows.values()].find((row) => row.state === 'sent')?.attempts).toBe(2);
  });

  it('a 5xx is final at once', async () => {
    transport.answer = 'refused';
    await owe();
    await queued();
    await queue.run(clock.now());
    expect(queue.jobs.size).toBe(0);
    expect(states()).toContain('general failed');
  });
});

it('rejects when the outbox cannot be written: the client is not answered 250', async () => {
  await rm(path.join(folder, 'data', 'outbox'), { recursive: true, force: true });
  await expect(owe()).rejects.toThrow();
  expect(service.pending).toBe(0);
});

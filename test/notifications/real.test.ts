import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig, PROGRAM_FOLDER } from '../../src/config/load.js';
import { openNotifications, type NotificationService } from '../../src/notifications/service.js';
import { loadTemplates } from '../../src/notifications/templates/load.js';
import type { Inspection } from '../../src/pipeline/types.js';
import { openQueue } from '../../src/queue/open.js';
import type { QueueBackend } from '../../src/queue/types.js';
import { silentLog } from '../../src/telemetry/log.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { redisMissing, startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { CapturingTransport, decision, envelope, fired, inspection, outcome, target } from './support.js';

const raw = Buffer.from('Subject: x\r\n\r\nx\r\n');
const { templates } = await loadTemplates([path.join(PROGRAM_FOLDER, 'templates')], 'en');

let stored: TestStore;
let folder = '';
let queue: QueueBackend;
let service: NotificationService;
let transport: CapturingTransport;

beforeAll(async () => {
  stored = await startTestStore();
});
afterAll(async () => {
  await stored.stop();
});

async function open(url: string): Promise<void> {
  const { config } = await parseConfig('notifications: { general: [security@example.org] }', folder);
  const log = silentLog();
  queue = await openQueue({ queue: url }, stored.store, log);
  service = await openNotifications({
    config,
    queue,
    ledger: stored.store.ledger,
    sending: stored.store.sending,
    transport,
    templates,
    log,
  });
}

async function close(): Promise<void> {
  await queue.close();
  await service.close();
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gatepost-notifications-'));
  transport = new CapturingTransport();
});
afterEach(async () => {
  await close();
  await rm(folder, { recursive: true, force: true });
});

async function owe(count: number): Promise<Inspection[]> {
  const seen = Array.from({ length: count }, () =>
    inspection([
      outcome(
        'bob@example.org',
        decision([fired([target('general'), target('recipients', 'rule-recipients', 'original')])]),
      ),
    ]),
  );
  const original = { size: raw.length, read: (): Buffer[] => [raw] };
  await Promise.all(seen.map((each) => service.owe(each, envelope(), {}, original)));
  return seen;
}

async function allTold(messages: readonly Inspection[]): Promise<void> {
  await until('an empty outbox', async () => {
    await service.sweep();
    return service.pending === 0;
  });
  const sent = transport.mails.map(({ mail }) => mail.id);
  expect(sent).toHaveLength(messages.length * 2);
  expect(new Set(sent).size).toBe(sent.length);
  for (const { traceId } of messages) {
    const rows = await stored.store.ledger.ofMessage(traceId);
    expect(rows.map((row) => [row.group, row.state, row.attempts]).sort()).toEqual([
      ['general', 'sent', 1],
      ['recipients', 'sent', 1],
    ]);
  }
}

describe('with the queue and the ledger on PostgreSQL', () => {
  it('each mail is sent once, also when all is owed again', async () => {
    await open('embedded');
    const messages = await owe(20);
    await allTold(messages);
    for (const each of messages.slice(0, 3))
      await service.owe(each, envelope(), {}, { size: raw.length, read: () => [raw] });
    await allTold(messages);
  });
});

describe.skipIf(redisMissing)('with the queue on Redis', () => {
  let redis: TestRedis;
  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    await redis.dispose();
  });

  it('what is owed while Redis is away is sent when it comes back empty', async () => {
    await open(redis.url);
    const before = await owe(5);
    await allTold(before);
    await redis.stop();
    await until('that it is noticed', () => Promise.resolve(!queue.available));
    const during = await owe(10);
    expect(service.pending).toBe(20);
    await redis.start();
    await allTold([...before, ...during]);
  });

  it('a gateway that is started anew finds what the one before owed', async () => {
    await redis.stop();
    await open(redis.url);
    const messages = await owe(5);
    await close();
    await redis.start();
    await open(redis.url);
    await allTold(messages);
  });
});

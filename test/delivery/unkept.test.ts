import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { SpoolFullError, type DeliveryRequest } from '../../src/delivery/types.js';
import { dispose } from '../../src/gateway/disposal.js';
import { memorySource } from '../../src/message/source.js';
import { newTraceId } from '../../src/message/trace-id.js';
import { deferEveryone } from '../../src/pipeline/deferral.js';
import { until } from '../support/until.js';
import { closedAfterEach, request, TEXT, type Setting } from './set-up.js';

const { fake, open } = closedAfterEach();

/** Delivery that cannot spool anything, and has little patience. */
async function full(hop: string): Promise<Setting> {
  const { config } = await loadConfig(undefined, os.tmpdir());
  return await open([hop], { delivery: { inlineTimeout: 100, spool: { ...config.delivery.spool, maxItems: 0 } } });
}

describe('a copy that cannot be spooled while its attempt goes on', () => {
  test('is given up before the end of its data', async () => {
    let goOn: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    async function* slow() {
      yield Buffer.from(TEXT);
      await gate;
      yield Buffer.from('more\r\n');
    }
    const server = await fake();
    const { delivery, records } = await full(server.url);
    const mail = request({ content: { size: TEXT.length + 6, read: slow } });
    await expect(delivery.deliver(mail)).rejects.toThrow(SpoolFullError);
    goOn?.();
    await delivery.close(5000);
    expect(server.mails).toEqual([]);
    expect(records).toEqual([]);
  });

  test('is recorded where the hop takes it all the same', async () => {
    const server = await fake({ script: { end: { reply: '250 2.0.0 taken', after: 500 } } });
    const { delivery, records } = await full(server.url);
    const mail = request();
    await expect(delivery.deliver(mail)).rejects.toThrow(SpoolFullError);
    await delivery.close(5000);
    expect(server.mails).toHaveLength(1);
    expect(records).toMatchObject([{ recipient: 'b@example.net', item: mail.item, state: 'delivered' }]);
  });
});

test('who got a copy that could not be spooled for another recipient is recorded', async () => {
  const server = await fake({ script: { rcpt: (to) => (to.includes('c@') ? '451 4.3.0 later' : undefined) } });
  const { delivery, records } = await full(server.url);
  await expect(delivery.deliver(request({}, 'b@x.test', 'c@x.test'))).rejects.toThrow(SpoolFullError);
  expect(records).toMatchObject([{ recipient: 'b@x.test', state: 'delivered' }]);
});

test('copies are all settled when one of them can neither be delivered nor spooled', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-dispose-'));
  const { config } = await loadConfig(undefined, folder);
  await rm(folder, { recursive: true, force: true });
  const { envelope } = request({}, 'a@example.org', 'b@example.org');
  const input = { traceId: newTraceId(), envelope, intake: { anomalies: [], received: 0 }, receivedAt: Date.now() };
  const deferred = deferEveryone(input, 1, { module: 'message', status: 'error' });
  const copies = deferred.copies.flatMap((copy) =>
    ['a@example.org', 'b@example.org'].map((recipient) => ({
      ...copy,
      recipients: [recipient],
      decision: { ...copy.decision, action: 'deliver' as const },
    })),
  );
  const logged: string[] = [];
  const deliver = async ({ envelope: { recipients } }: DeliveryRequest) => {
    if (recipients.some(({ address }) => address.startsWith('a@')))
      throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' });
    // Not before the other one has failed.
    await until('the failure', () => Promise.resolve(logged.length > 0));
    const reply = { code: 250, text: 'ok' };
    return recipients.map(({ address }) => ({ address, state: 'delivered' as const, hop: 'smtp://h:25', reply }));
  };
  const never = () => Promise.reject(new Error('not in this test'));
  const disposed = await dispose(
    { ...input, source: memorySource([Buffer.from(TEXT)]), received: '' },
    { ...deferred, copies },
    {
      config,
      delivery: { deliver, spool: never, spoolForInspection: never },
      store: { quarantine: { put: never } },
      strangers: { error: (_facts, text) => void logged.push(text) },
    },
    { inline: true },
  );
  expect(disposed.flatMap(({ settlements }) => settlements)).toMatchObject([
    { recipient: 'a@example.org', state: 'no-room', reply: { code: 451 } },
    { recipient: 'b@example.org', state: 'delivered' },
  ]);
  expect(logged).toEqual(['a copy could neither be delivered nor spooled: the client keeps the message']);
});

import { describe, expect, test } from 'vitest';
import { openQueue } from '../../src/queue/open.js';
import { silentLog } from '../../src/telemetry/log.js';
import { startFakeSmtp } from '../support/fake-smtp.js';
import { redisMissing, startRedis } from '../support/redis.js';
import { request, setting } from './set-up.js';

describe.skipIf(redisMissing)('with the job queue on Redis', () => {
  test('200 mails survive an outage of the hop and a Redis that comes back empty, and each arrives once', async () => {
    const redis = await startRedis();
    const server = await startFakeSmtp();
    await server.close();
    const queue = await openQueue({ queue: redis.url }, { name: 'none', connection: {} }, silentLog(), {
      interval: 200,
    });
    const made = await setting([server.url], {
      options: { queue, probeInterval: 1000 },
      delivery: { retry: { delays: [3_600_000], lifetime: 1e9, warnAfter: 'off' } },
    });
    let back = server;
    try {
      for (let index = 0; index < 100; index += 1) await made.delivery.deliver(request({}, `r${index}@x.test`));
      await redis.stop();
      for (let index = 100; index < 200; index += 1)
        expect(await made.delivery.deliver(request({}, `r${index}@x.test`))).toMatchObject([{ state: 'spooled' }]);
      back = await startFakeSmtp({ port: server.port });
      await redis.start();
      await expect.poll(() => back.mails.length).toBe(200);
      await expect.poll(made.list).toEqual([]);
      expect(new Set(back.mails.flatMap(({ rcptTo }) => rcptTo)).size).toBe(200);
    } finally {
      await queue.close(1000);
      await made.close();
      await back.close();
      await redis.dispose();
    }
  });
});

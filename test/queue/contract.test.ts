import { afterAll, beforeAll, describe } from 'vitest';
import { queueContract } from '../../src/queue/contract.js';
import { openQueue } from '../../src/queue/open.js';
import { silentLog } from '../../src/telemetry/log.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { redisMissing, startRedis, type TestRedis } from '../support/redis.js';

describe('PostgreSQL', () => {
  let test: TestStore;
  beforeAll(async () => {
    test = await startTestStore();
  });
  afterAll(async () => {
    await test.stop();
  });
  queueContract('PostgreSQL', () => ({
    open: async (options) => await openQueue({ queue: 'embedded' }, test.store, silentLog(), options),
  }));
});

describe.skipIf(redisMissing)('Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    await redis.dispose();
  });
  queueContract('Redis', () => ({
    open: async (options) =>
      await openQueue({ queue: redis.url }, { name: 'unused', connection: {} }, silentLog(), options),
  }));
});

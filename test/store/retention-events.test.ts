import { afterAll, beforeAll, expect, it } from 'vitest';
import { startRetention } from '../../src/gateway/retention.js';
import { newTraceId } from '../../src/message/trace-id.js';
import type { QuarantineItem } from '../../src/store/types.js';
import { silentLog } from '../../src/telemetry/log.js';
import { startTestStore, type TestStore } from '../support/postgres.js';

let test: TestStore;
beforeAll(async () => {
  test = await startTestStore();
});
afterAll(async () => {
  await test.stop();
});

it('the events of the quarantine are raised and resolved', async () => {
  const said: string[] = [];
  const retention = startRetention({
    config: { retention: { journal: { age: 9e9 }, quarantine: { age: 9e9, size: 1000 } } },
    store: test.store,
    events: { raise: (event) => void said.push(`+${event}`), resolve: (event) => void said.push(`-${event}`) },
    log: silentLog(),
    spool: test.dataFolder,
  });
  const item = (size: number): QuarantineItem => ({
    id: newTraceId(),
    time: new Date(),
    node: 'gw1',
    envelope: {
      sender: '',
      recipients: [],
      client: '',
      helo: '',
      tls: false,
      trusted: false,
      smtpUtf8: false,
      eightBit: false,
    },
    recipients: [],
    subject: '',
    messageId: '',
    size,
    rules: [],
    findings: [],
    state: 'stored',
  });
  const put = async (size: number): Promise<QuarantineItem> => {
    const one = item(size);
    await retention.quarantine.put(one, [Buffer.alloc(size)]);
    await retention.run();
    await retention.run();
    return one;
  };
  const news = (): string[] => [...new Set(said.splice(0))].filter((one) => one.endsWith('almost-full'));

  await put(800);
  expect(news()).toEqual(['-quarantine-almost-full']);
  const second = await put(120);
  expect(news()).toEqual(['+quarantine-almost-full']);
  await test.store.quarantine.delete(second.id);
  await put(70);
  // Between the two bounds nothing changes.
  expect(news()).toEqual([]);
  await put(300);
  expect(news()).toEqual(['-quarantine-almost-full']);
  expect((await test.store.quarantine.total()).bytes).toBe(370);

  function* broken(): Generator<Buffer> {
    yield Buffer.alloc(1);
    throw new Error('the disk is gone');
  }
  await expect(retention.quarantine.put(item(5), broken())).rejects.toThrow('the disk is gone');
  expect(said).toContain('+quarantine-failed');
  said.length = 0;
  // Nothing is put: that it would work again is found out all the same.
  await retention.run();
  await retention.run();
  expect(said).toContain('-quarantine-failed');
  await retention.close();
});

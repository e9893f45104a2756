import { afterEach, expect, it, vi } from 'vitest';
import { silentLog } from '../telemetry/log.js';
import { Holds } from './holds.js';

afterEach(() => {
  vi.useRealTimers();
});

it('what is in hand is renewed though one connection hangs and another breaks', async () => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
  });
  let asked = 0;
  const holds = new Holds(
    {
      take: () => Promise.resolve(new Map()),
      extend: async (ids) => {
        asked += 1;
        if (asked === 1) return await new Promise(() => undefined);
        if (asked === 2) throw new Error('connection reset');
        return await Promise.resolve(new Set(ids));
      },
      release: () => Promise.resolve(),
    },
    silentLog(),
    { span: 15_000, renew: 4000 },
  );
  const hold = await holds.take('a');
  if ('wait' in hold) throw new Error('another one has it');
  for (let seconds = 0; seconds < 60; seconds++) {
    expect(hold.sure()).toBe(true);
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(asked).toBeGreaterThan(10);
  await hold.release();
  expect(hold.sure()).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});

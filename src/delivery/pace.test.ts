import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pace } from './pace.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Work that ends when it is told to. */
function work(): { readonly run: () => Promise<void>; readonly end: () => void; readonly begun: () => boolean } {
  let end = (): void => undefined;
  let begun = false;
  const done = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    run: () => {
      begun = true;
      return done;
    },
    end: () => end(),
    begun: () => begun,
  };
}

async function spool(pace: Pace, count: number): Promise<ReturnType<typeof work>[]> {
  const all = Array.from({ length: count }, () => work());
  for (const { run } of all) void pace.spooled(run);
  await vi.advanceTimersByTimeAsync(0);
  return all;
}

const begunOf = (all: readonly ReturnType<typeof work>[]): number => all.filter(({ begun }) => begun()).length;

describe('the pace of the spool', () => {
  it('is free while no new mail comes', async () => {
    expect(begunOf(await spool(new Pace(2), 50))).toBe(50);
  });

  it('is a few attempts at a time beside new mail, each followed by the next', async () => {
    const pace = new Pace(2);
    void pace.inline(work().run);
    const all = await spool(pace, 10);
    expect(begunOf(all)).toBe(2);
    all[0]?.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(begunOf(all)).toBe(3);
  });

  it('is free again a moment after the last new mail', async () => {
    const pace = new Pace(2);
    const mail = work();
    const delivered = pace.inline(mail.run);
    const all = await spool(pace, 10);
    mail.end();
    await delivered;
    await vi.advanceTimersByTimeAsync(100);
    expect(begunOf(all)).toBe(2);
    await vi.advanceTimersByTimeAsync(400);
    expect(begunOf(all)).toBe(10);
  });

  it('is not held up by attempts at a hop that does not answer', async () => {
    const pace = new Pace(2);
    void pace.inline(work().run);
    const all = await spool(pace, 10);
    await vi.advanceTimersByTimeAsync(1000);
    expect(begunOf(all)).toBe(4);
    await vi.advanceTimersByTimeAsync(4000);
    expect(begunOf(all)).toBe(10);
  });

  it('goes on after an attempt that fails', async () => {
    const pace = new Pace(1);
    void pace.inline(work().run);
    await expect(pace.spooled(async () => await Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(begunOf(await spool(pace, 1))).toBe(1);
  });

  it('ends with the gateway: nothing waits any more, and no timer is left', async () => {
    const pace = new Pace(1);
    void pace.inline(work().run);
    const all = await spool(pace, 5);
    pace.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(begunOf(all)).toBe(5);
    for (const { end } of all) end();
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

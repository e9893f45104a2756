import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Patience } from './patience.js';

describe('patience with a backend', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  const never = (): Promise<never> => new Promise(() => undefined);
  const after = (ms: number): Promise<string> => new Promise((resolve) => setTimeout(() => resolve('done'), ms));

  it('ends after a second of silence', async () => {
    const waiting = expect(new Patience().wait(never())).rejects.toThrow('does not answer');
    await vi.advanceTimersByTimeAsync(1000);
    await waiting;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('goes on while other operations succeed', async () => {
    const patience = new Patience();
    const slow = patience.wait(after(2500));
    const others = [800, 1600, 2400].map(async (ms) => await patience.wait(after(ms)).catch(() => 'late'));
    await vi.advanceTimersByTimeAsync(2500);
    expect(await slow).toBe('done');
    await Promise.all(others);
  });

  it('ends at last in any case', async () => {
    const patience = new Patience();
    const waiting = expect(patience.wait(never())).rejects.toThrow('does not answer');
    for (let i = 0; i < 62; i++) {
      const sign = patience.wait(after(500));
      await vi.advanceTimersByTimeAsync(500);
      await sign;
    }
    await waiting;
  });

  /** The process stands still: its clock goes on, and its timers are late. */
  async function standStill(ms: number): Promise<void> {
    const clock = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => clock() + ms);
    await vi.advanceTimersByTimeAsync(0);
  }

  it('does not take the time for silence in which the process itself stood still', async () => {
    const waiting = new Patience().wait(after(1900));
    await vi.advanceTimersByTimeAsync(950);
    await standStill(40_000);
    await vi.advanceTimersByTimeAsync(950);
    expect(await waiting).toBe('done');
  });

  it('ends after a second of silence that follows', async () => {
    const waiting = expect(new Patience().wait(never())).rejects.toThrow('does not answer');
    await standStill(40_000);
    await vi.advanceTimersByTimeAsync(1999);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    await waiting;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('passes on what the operation throws', async () => {
    await expect(new Patience().wait(Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(vi.getTimerCount()).toBe(0);
  });
});

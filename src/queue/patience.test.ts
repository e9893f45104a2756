import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Patience } from './patience.js';

describe('patience with a backend', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
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

  it('passes on what the operation throws', async () => {
    await expect(new Patience().wait(Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(vi.getTimerCount()).toBe(0);
  });
});

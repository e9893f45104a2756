import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Fingerprint } from './fingerprint.js';
import { FileWatch } from './watch.js';

let state: { now: string; followed: string; loaded: Fingerprint | undefined; failed: boolean; broken: boolean };
let loads: string[];
let troubles: number;
let watch: FileWatch;

beforeEach(() => {
  vi.useFakeTimers();
  state = { now: 'a', followed: 'f', loaded: { set: 'a', followed: 'f' }, failed: false, broken: false };
  loads = [];
  troubles = 0;
  watch = new FileWatch({
    look: () =>
      state.broken ? Promise.reject(new Error('no')) : Promise.resolve({ set: state.now, followed: state.followed }),
    loaded: () => state.loaded,
    failed: () => state.failed,
    changed: () => {
      loads.push(state.now);
      state.loaded = { set: state.now, followed: state.followed };
    },
    trouble: () => troubles++,
    interval: 1_000,
    still: 250,
  });
});

afterEach(async () => {
  await watch.close();
  vi.useRealTimers();
});

const pass = async (ms: number): Promise<void> => {
  await vi.advanceTimersByTimeAsync(ms);
};

describe('files are followed', () => {
  it('what stays as it is is not loaded', async () => {
    await pass(10_000);
    expect(loads).toEqual([]);
  });

  it('a change is loaded when it has been still, and once', async () => {
    state.now = 'b';
    await pass(1_000);
    expect(loads).toEqual([]);
    await pass(249);
    expect(loads).toEqual([]);
    await pass(1);
    expect(loads).toEqual(['b']);
    await pass(5_000);
    expect(loads).toEqual(['b']);
  });

  it('a burst of changes folds into one load of the last state', async () => {
    await pass(900);
    for (let i = 0; i < 20; i++) {
      state.now = `burst-${i}`;
      await pass(200);
    }
    expect(loads).toEqual([]);
    await pass(1_000);
    expect(loads).toEqual(['burst-19']);
  });

  it('a change that is taken back before it was still is none', async () => {
    state.now = 'b';
    await pass(1_100);
    state.now = 'a';
    await pass(5_000);
    expect(loads).toEqual([]);
  });

  it('files that detectors follow count only after a load that failed', async () => {
    state.followed = 'g';
    await pass(5_000);
    expect(loads).toEqual([]);
    state.failed = true;
    await pass(2_000);
    expect(loads).toEqual(['a']);
  });

  it('a look that fails is reported, and the next is made', async () => {
    state.broken = true;
    await pass(1_000);
    expect(troubles).toBe(1);
    state.broken = false;
    state.now = 'b';
    await pass(1_250);
    expect(loads).toEqual(['b']);
  });

  it('nothing is looked at after it is closed', async () => {
    await watch.close();
    state.now = 'b';
    await pass(10_000);
    expect(loads).toEqual([]);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Gate, type Entry, type Load } from './gate.js';

const MIB = 2 ** 20;
const SMALL: Load = { held: 1000, inside: 1000 };
const large = (mebibytes: number): Load => ({ held: 0, inside: mebibytes * MIB });

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function gateOf(places: number, lanes = places): Gate {
  return new Gate({ places, lanes, maxBytes: 10_000, maxLarge: 64 * MIB, maxWait: 1000 });
}

/** Comes to the gate; what became of it stands in `entries` from the moment that it is settled. */
async function come(gate: Gate, loads: readonly Load[]): Promise<(Entry | undefined)[]> {
  const entries: (Entry | undefined)[] = loads.map(() => undefined);
  loads.forEach((load, index) => void gate.enter(load).then((entry) => (entries[index] = entry)));
  await vi.advanceTimersByTimeAsync(0);
  return entries;
}

describe('the gate before the threads', () => {
  it('lets in as many bytes of large messages as the bound says, the others in their order', async () => {
    const gate = gateOf(10);
    const entries = await come(gate, [large(20), large(20), large(20), large(20), large(1)]);
    expect(entries).toEqual(['go', 'go', 'go', undefined, undefined]);
    gate.leave(large(20));
    await vi.advanceTimersByTimeAsync(0);
    expect(entries).toEqual(['go', 'go', 'go', 'go', 'go']);
    expect(gate.inside).toBe(4);
  });

  it('keeps the last place for small ones, also while large ones wait', async () => {
    const gate = gateOf(2);
    const entries = await come(gate, [large(2), large(2), SMALL]);
    expect(entries).toEqual(['go', undefined, 'go']);
    gate.leave(SMALL);
    await vi.advanceTimersByTimeAsync(0);
    expect(entries[1]).toBe(undefined);
    gate.leave(large(2));
    await vi.advanceTimersByTimeAsync(0);
    expect(entries[1]).toBe('go');
  });

  it.each([1, 2, 8])('lets one in that is larger than the bound, alone, with %i places', async (places) => {
    const gate = gateOf(places);
    const entries = await come(gate, [large(100), large(100), SMALL]);
    expect(entries).toEqual(['go', undefined, places === 1 ? undefined : 'go']);
    if (places > 1) gate.leave(SMALL);
    gate.leave(large(100));
    await vi.advanceTimersByTimeAsync(0);
    expect(entries[1]).toBe('go');
  });

  it('prefers the one that came first where there is one place', async () => {
    const gate = gateOf(1);
    const entries = await come(gate, [SMALL, large(2), SMALL]);
    expect(entries).toEqual(['go', undefined, undefined]);
    gate.leave(SMALL);
    await vi.advanceTimersByTimeAsync(0);
    expect(entries).toEqual(['go', 'go', undefined]);
  });

  it('sends away what has waited too long, and lets in the next that fits', async () => {
    const gate = gateOf(5);
    const entries = await come(gate, [large(60), large(60)]);
    await vi.advanceTimersByTimeAsync(900);
    const later = await come(gate, [large(2)]);
    expect(later).toEqual([undefined]);
    await vi.advanceTimersByTimeAsync(200);
    expect(entries).toEqual(['go', 'late']);
    expect(later).toEqual(['go']);
    expect(gate.queued).toBe(0);
  });

  it('bounds what waiting ones hold in memory; those in files hold none', async () => {
    const gate = gateOf(1);
    await come(gate, [SMALL]);
    const entries = await come(gate, [
      ...Array.from({ length: 11 }, () => SMALL),
      ...Array.from({ length: 20 }, () => large(50)),
    ]);
    expect(entries.filter((entry) => entry === 'full')).toHaveLength(1);
    expect(gate.queued).toBe(30);
  });

  it('turns everyone away when it closes, and is closed when the last one is out', async () => {
    const gate = gateOf(2);
    const entries = await come(gate, [large(50), large(50)]);
    const closed = vi.fn();
    void gate.close().then(closed);
    await vi.advanceTimersByTimeAsync(0);
    expect(entries).toEqual(['go', 'closed']);
    expect(closed).not.toHaveBeenCalled();
    gate.leave(large(50));
    await vi.advanceTimersByTimeAsync(0);
    expect(closed).toHaveBeenCalledOnce();
    expect(await gate.enter(SMALL)).toBe('closed');
  });

  it('lets large ones into lanes only, and not into the last of these', async () => {
    const gate = gateOf(8, 2);
    const entries = await come(gate, [large(2), large(2), ...Array.from({ length: 7 }, () => SMALL)]);
    expect(entries).toEqual(['go', undefined, ...Array.from({ length: 7 }, () => 'go')]);
    gate.leave(large(2));
    await vi.advanceTimersByTimeAsync(0);
    expect(entries[1]).toBe('go');
  });

  it('lets more in when there are more places', async () => {
    const gate = gateOf(2);
    const entries = await come(gate, [large(20), large(20), SMALL, SMALL]);
    expect(entries).toEqual(['go', undefined, 'go', undefined]);
    gate.resize({ places: 4, lanes: 4 });
    await vi.advanceTimersByTimeAsync(0);
    expect(entries).toEqual(['go', 'go', 'go', 'go']);
  });
});

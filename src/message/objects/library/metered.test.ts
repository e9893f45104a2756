import { describe, expect, it } from 'vitest';
import { metered, STEPS, UnknownModule } from './metered.js';

/** (func (export "f") (param i32) (result i32) — turns until its parameter is zero, and gives 7. */
const TURNS = Buffer.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x06, 0x01, 0x60, 0x01, 0x7f, 0x01, 0x7f],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x06, 0x06, 0x01, 0x7f, 0x01, 0x41, 0x05, 0x0b],
  ...[0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00],
  ...[0x0a, 0x12, 0x01, 0x10, 0x00, 0x03, 0x40, 0x20, 0x00, 0x41, 0x01, 0x6b, 0x22, 0x00, 0x0d, 0x00, 0x0b],
  ...[0x41, 0x07, 0x0b],
]);

function start(): { readonly run: (turns: number) => number; readonly steps: WebAssembly.Global } {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(metered(TURNS)), {});
  const run = exports['f'];
  const steps = exports[STEPS];
  if (typeof run !== 'function' || !(steps instanceof WebAssembly.Global)) throw new Error('it lacks its exports');
  return { run, steps };
}

describe('a module whose loops are counted', () => {
  it('does what it did, and says how often it went round', () => {
    const { run, steps } = start();
    steps.value = 100n;
    expect(run(30)).toBe(7);
    expect(steps.value).toBe(70n);
  });

  it('traps where it goes round more often than it may', () => {
    const { run, steps } = start();
    steps.value = 100n;
    expect(() => run(101)).toThrow(WebAssembly.RuntimeError);
    expect(steps.value).toBe(0n);
    steps.value = 101n;
    expect(run(101)).toBe(7);
  });

  it('refuses a module that it does not know all instructions of', () => {
    const odd = Buffer.from(TURNS);
    odd[odd.length - 5] = 0xfe;
    expect(() => metered(odd)).toThrow(Error);
    const cut = TURNS.subarray(0, TURNS.length - 4);
    expect(() => metered(cut)).toThrow(Error);
    expect(new UnknownModule('x')).toBeInstanceOf(Error);
  });
});

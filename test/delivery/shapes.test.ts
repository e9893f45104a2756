import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, it, vi } from 'vitest';
import type * as Attempt from '../../src/delivery/attempt.js';
import { startFakeSmtp, type FakeSmtp } from '../support/fake-smtp.js';
import { request, setting, type Setting } from './set-up.js';

/** The first ones are alike in any case: only then does V8 begin to copy objects in the quick way. */
const MANY = 100;
const inputs: unknown[] = [];
vi.mock('../../src/delivery/attempt.js', async (original) => {
  const real = await original<typeof Attempt>();
  const attempt: typeof Attempt.attempt = async (input, groups) => {
    inputs.push(input);
    return await real.attempt(input, groups);
  };
  return { ...real, attempt };
});

let server: FakeSmtp;
let at: Setting;
afterEach(async () => {
  await at.close();
  await server.close();
});

/** Whether V8 has one description for both. */
function sameShape(one: unknown, other: unknown): boolean {
  v8.setFlagsFromString('--allow-natives-syntax');
  try {
    return runInNewContext('%HaveSameMap(one, other)', { one, other }) === true;
  } finally {
    v8.setFlagsFromString('--no-allow-natives-syntax');
  }
}

it('what is attempted has the same shape for each message: V8 keeps shapes until it clears up everywhere', async () => {
  server = await startFakeSmtp();
  at = await setting([`${server.url}?tls=off`]);
  const outcomes = await Promise.all(Array.from({ length: MANY }, async () => await at.delivery.deliver(request())));
  expect(outcomes.flat().every(({ state }) => state === 'delivered')).toBe(true);
  expect(inputs).toHaveLength(MANY);
  expect(sameShape({ a: 1 }, { b: 1 })).toBe(false);
  expect(sameShape(inputs.at(-1), inputs.at(-2))).toBe(true);
});

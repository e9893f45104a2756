import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { request } from '../../test/delivery/set-up.js';
import { inputFor } from './attempt.js';

/** The first ones are alike in any case: only then does V8 begin to copy objects in the quick way. */
const MANY = 1000;

/** Whether V8 has one description for both. */
function sameShape(one: unknown, other: unknown): boolean {
  v8.setFlagsFromString('--allow-natives-syntax');
  try {
    return runInNewContext('%HaveSameMap(one, other)', { one, other }) === true;
  } finally {
    v8.setFlagsFromString('--no-allow-natives-syntax');
  }
}

it('what is tried has the same shape for each message', () => {
  const inputs = Array.from({ length: MANY }, () => {
    const one = request();
    return inputFor(one, one.content, () => true);
  });
  expect(sameShape({ a: 1 }, { b: 1 })).toBe(false);
  expect(sameShape(inputs.at(-1), inputs.at(-2))).toBe(true);
});

it('has the content that is given, not that of the request', () => {
  const other = request().content;
  const { content, wanted, ...rest } = inputFor(request({ item: 'n1' }), other, () => false);
  expect(content).toBe(other);
  expect(wanted?.()).toBe(false);
  expect(rest.item).toBe('n1');
});

import { describe, expect, it } from 'vitest';
import { mergeHeaders, NO_HEADERS } from './headers.js';

const change = (part: Partial<typeof NO_HEADERS>): typeof NO_HEADERS => ({ ...NO_HEADERS, ...part });

describe('header changes of several responses', () => {
  it('add their fields one after the other', () => {
    const merged = mergeHeaders([change({ add: { 'X-A': 'one' } }), change({ add: { 'x-a': ['two', 'three'], 'X-B': 'four' } })]);
    expect(merged).toEqual({ set: {}, add: { 'x-a': ['one', 'two', 'three'], 'X-B': 'four' }, remove: [] });
  });

  it('undo what an earlier one set, added or removed, in the order of the rule', () => {
    const set = change({ set: { 'X-A': 'set' } });
    const add = change({ add: { 'X-A': 'added' } });
    const remove = change({ remove: ['x-a'] });
    expect(mergeHeaders([set, add, remove])).toEqual(change({ remove: ['x-a'] }));
    expect(mergeHeaders([remove, set])).toEqual(set);
    expect(mergeHeaders([add, set])).toEqual(set);
    expect(mergeHeaders([remove, add])).toEqual(change({ add: { 'X-A': 'added' }, remove: ['X-A'] }));
    expect(mergeHeaders([set, change({ set: { 'x-a': 'later' } })])).toEqual(change({ set: { 'x-a': 'later' } }));
  });

  it('of one response stay as they are, and of none are none', () => {
    const one = change({ add: { A: 'b' } });
    expect(mergeHeaders([one])).toBe(one);
    expect(mergeHeaders([])).toEqual(NO_HEADERS);
  });
});

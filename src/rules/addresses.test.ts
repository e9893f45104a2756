import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressSet, foldAddress } from './addresses.js';
import { covers } from './cover.js';
import { compileMask } from './mask.js';
import { packList } from './packed-list.js';

const takes = (masks: readonly string[], address: string): boolean => new AddressSet(masks).has(foldAddress(address));

describe('a set of address masks', () => {
  it.each([
    [['*'], '', true],
    [['<>'], '', true],
    [['<>'], 'a@b.example', false],
    [['*@*'], '', false],
    [['*@example.org'], 'A@EXAMPLE.org', true],
    [['*@*.example.org'], 'a@x.y.example.org', true],
    [['*@*.example.org'], 'a@example.org', false],
    [['*@b\u00fccher.example'], 'a@xn--bcher-kva.example', true],
    [['*@XN--BCHER-KVA.example'], 'a@b\u00fccher.example', true],
    [['boss-?@example.org'], 'boss-1@example.org', true],
    [['*@example.org'], 'a@example\u3002org', true],
    [['*@example\uff61org'], 'a@example.org', true],
    [['*@*.example.org'], 'a@x\uff0eexample\uff61org', true],
    [['*@example.org'], 'a@example.org.', true],
    [['a@b\u00fccher.example'], 'a@xn--bcher-kva.example.', true],
    [['*@example.org'], 'a@example.org..', false],
    [['joe@b.example'], '"joe"@b.example', true],
    [['joe@b.example'], '"J\\oe"@B.example', true],
    [['"joe"@b.example'], 'joe@b.example', true],
    [['"joe"@*.b.example'], 'joe@x.b.example', true],
    [['"joe\\ smith"@b.example'], '"joe smith"@b.example', true],
    [['joe*@b.example'], '"joe.smith"@b.example', true],
    [['k\u00e4the@b.example'], '"k\u00e4the"@b.example', true],
    [['*@b.example'], '"joe smith"@b.example', true],
    [['"*"@b.example'], '"joe smith"@b.example', true],
    [['"*"@b.example'], '"joe"@b.example', false],
    [['a?@b.example'], '"a*"@b.example', true],
    [[], 'a@b.example', false],
  ])('%j on %j', (masks, address, expected) => {
    expect(takes(masks, address)).toBe(expected);
  });

  it('has one form for each address', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'B', '.', ' ', '"', '\\', '@', '*', '\u00e4'), maxLength: 12 });
    fc.assert(
      fc.property(text, (inside) => {
        const folded = foldAddress(`"${inside}"@b.example`);
        expect(foldAddress(folded)).toBe(folded);
      }),
      { numRuns: 2000 },
    );
  });

  it('takes the entries of a list in the same way', () => {
    const list = packList(['"joe"@b.example', '"anna smith"@b.example', '"*"@c.example']);
    const set = new AddressSet([], [list]);
    for (const address of ['joe@b.example', '"j\\oe"@b.example', '"anna\\ smith"@b.example', '"x y"@c.example'])
      expect(set.has(foldAddress(address))).toBe(true);
    expect(set.has('x@c.example')).toBe(false);
  });

  const part = fc.stringMatching(/^[ab]{1,2}$/);
  const address = fc.tuple(part, fc.array(part, { minLength: 1, maxLength: 3 })).map(([l, d]) => `${l}@${d.join('.')}`);
  const piece = fc.constantFrom('a', 'b', '*', '?', '@', '.', '*@', '*.');
  const mask = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''));

  it('takes what one of its masks takes, however it is looked up', () => {
    fc.assert(
      fc.property(fc.array(mask, { maxLength: 4 }), address, (masks, value) => {
        // A leading @ would be a list.
        fc.pre(masks.every((m) => !m.startsWith('@')));
        expect(takes(masks, value)).toBe(masks.some((m) => compileMask(m)(value)));
      }),
      { numRuns: 3000 },
    );
  });

  it('a mask that is said to cover another takes all that the other takes', () => {
    let covering = 0;
    fc.assert(
      fc.property(mask, mask, address, (wide, narrow, value) => {
        fc.pre(!wide.startsWith('@') && !narrow.startsWith('@'));
        if (!covers(new AddressSet([wide]), new AddressSet([narrow]))) return;
        covering++;
        if (takes([narrow], value)) expect(takes([wide], value)).toBe(true);
      }),
      { numRuns: 5000 },
    );
    expect(covering).toBeGreaterThan(100);
  });
});

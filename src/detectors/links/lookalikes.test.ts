import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cpuTime } from '../../../test/support/cpu-time.js';
import { disguised, mixedScripts, skeleton } from './confusables.js';
import { Lookalikes, oneEdit } from './lookalikes.js';

const lookalikes = new Lookalikes(
  ['contoso.test', 'mail.contoso-group.test', 'ab.test'],
  ['bank.example'],
  ['contos0.test'],
);

describe('lookalikes', () => {
  it('trust protected and allowed domains and what is below them', () => {
    for (const host of ['contoso.test', 'a.b.contoso.test', 'bank.example', 'contos0.test', 'x.contos0.test'])
      expect([lookalikes.trusts(host), lookalikes.check(host)]).toEqual([true, undefined]);
    expect(lookalikes.trusts('test')).toBe(false);
    expect(lookalikes.trusts('evilcontoso.test')).toBe(false);
  });

  it('say nothing of names too short to be told apart', () => {
    for (const host of ['abc.test', 'a.test', 'ab.com', 'ab-login.test'])
      expect(lookalikes.check(host)).toBeUndefined();
  });

  it('are stricter for names that were chosen than for our own', () => {
    expect(lookalikes.check('bamk.example')).toBeUndefined();
    const guarded = new Lookalikes([], ['contoso.test'], []);
    expect(guarded.check('contoxo.com')?.status).toBe('phishing');
    expect(guarded.check('contoso.com')?.status).toBe('phishing');
    expect(lookalikes.check('contoxo.com')?.status).toBe('suspicious-link');
    expect(lookalikes.check('contoso.com')?.status).toBe('suspicious-link');
  });

  it('look at the registered name of a domain of ours, not at the host', () => {
    expect(lookalikes.check('contoso-gr0up.test')?.status).toBe('phishing');
    expect(lookalikes.check('www.contoso-group.test')).toBeUndefined();
  });

  it('cost the same for many protected names', () => {
    const many = new Lookalikes(
      Array.from({ length: 20_000 }, (_, i) => `customer-number-${i}.test`),
      [],
      [],
    );
    const started = cpuTime();
    for (let i = 0; i < 2_000; i++) many.check(`some-other-name-${i}.test`);
    expect(cpuTime() - started).toBeLessThan(3_000);
    expect(many.check('cust0mer-number-77.test')?.status).toBe('phishing');
  });

  it('never fail, whatever the host is', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9-]{0,12}(\.[a-z0-9-]{0,12}){0,5}$/), (host) => {
        expect([undefined, 'phishing', 'suspicious-link']).toContain(lookalikes.check(host)?.status);
      }),
    );
  });
});

describe('what a name looks like', () => {
  it.each([
    ['paypal', 'p\u0430ypal'],
    ['paypal', 'paypa1'],
    ['microsoft', 'rnicrosoft'],
    ['google', 'g00gle'],
    ['m\u00fcller', 'muller'],
    ['apple', '\u0430\u0440\u0440\u04cf\u0435'],
    ['stra\u00dfe', 'stra\u00dfe'],
  ])('%s is %s', (one, other) => {
    expect(skeleton(one)).toBe(skeleton(other));
  });

  it('differs for names that differ', () => {
    expect(skeleton('contoso')).not.toBe(skeleton('fabrikam'));
    fc.assert(
      fc.property(fc.stringMatching(/^[b-hj-km-z]{1,10}$/), (name) => {
        fc.pre(!/rn|vv/.test(name));
        expect(skeleton(name)).toBe(name);
      }),
    );
  });

  it.each([
    ['paypal', undefined],
    ['p\u0430ypal', ['Latin', 'Cyrillic']],
    ['\u65e5\u672c\u8a9eweb\u30b5\u30a4\u30c8', undefined],
    ['\ud55c\uad6dweb', undefined],
    ['\u03b1\u0431', ['Greek', 'Cyrillic']],
    ['m\u00fcnchen-2', undefined],
  ])('scripts of %s', (label, scripts) => {
    expect(mixedScripts(label)).toEqual(scripts);
  });

  it('tells words in disguise from words of another language', () => {
    expect(disguised('\u0430\u0440\u0440\u04cf\u0435')).toBe(true);
    expect(disguised('\u043c\u043e\u0441\u043a\u0432\u0430\u0448')).toBe(false);
    expect(disguised('apple')).toBe(false);
    expect(disguised('12')).toBe(false);
  });
});

it('one slip is told from two', () => {
  expect(oneEdit('contoso', 'cnotoso')).toBe('exchanged');
  expect(oneEdit('contoso', 'contso')).toBe('left-out');
  expect(oneEdit('contoso', 'conttoso')).toBe('doubled');
  expect(oneEdit('contoso', 'contosox')).toBe('added');
  expect(oneEdit('contoso', 'kontoso')).toBe('changed');
  expect(oneEdit('contoso', 'kontosa')).toBeUndefined();
  expect(oneEdit('contoso', 'contoso')).toBeUndefined();
  expect(oneEdit('contoso', 'contosoxy')).toBeUndefined();
});

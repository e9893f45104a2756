import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subjectOf } from '../../test/rules/subject.js';
import { compileRules } from './compile.js';
import { takesAll } from './cover.js';
import type { MatchData, RuleBundle, RuleData } from './model.js';
import { packList } from './packed-list.js';
import { setScope } from './scope.js';

const LISTS = { few: packList(['a@x.y', '*@y.x']), all: packList(['*']), nets: packList(['10.0.0.0/31', '::/127']) };
const CONTEXT = { lists: LISTS, domains: ['y.x'] };

const letter = fc.constantFrom('a', 'x', 'y');
const domain = fc.array(letter, { minLength: 1, maxLength: 2 }).map((labels) => labels.join('.'));
const address = fc.tuple(letter, domain).map(([local, at]) => `${local}@${at}`);
const mask = fc.oneof(
  address,
  domain.map((name) => `*@${name}`),
  domain.map((name) => `*@*.${name}`),
  fc.array(fc.constantFrom('a', 'x', '*', '?', '@', '.'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
  fc.constantFrom('*', '<>', '*@*', '@few', '@all', '@our-domains'),
);
const masks = fc.option(
  fc.array(
    mask.filter((one) => !/^@(?!few$|all$|our-domains$)/.test(one)),
    { minLength: 1, maxLength: 3 },
  ),
  { nil: undefined },
);
const clientAddresses = ['10.0.0.0', '10.0.0.1', '10.0.0.2', '::1', '::2'];
const network = fc.constantFrom('10.0.0.0/30', '10.0.0.0/31', '10.0.0.1', '10.0.0.2', '::/126', '::1', '@nets');
const clients = fc.option(fc.array(network, { minLength: 1, maxLength: 2 }), { nil: undefined });
const condition = { kind: 'field', test: { field: 'subject', checks: [{ op: 'masks', masks: ['Hello'] }] } } as const;
const keys = { sender: masks, recipient: masks, client: clients, when: fc.constantFrom(undefined, undefined, condition) };
const KEYS = ['sender', 'recipient', 'client', 'when', 'senderIs', 'authenticated', 'time', 'except'];
const scope = fc
  .record({
    ...keys,
    senderIs: fc.constantFrom('envelope' as const, 'either' as const),
    authenticated: fc.constantFrom(undefined, undefined, true, false),
    time: fc.constantFrom(undefined, undefined, [{ days: [3], from: 0, to: 1440 }], [{ days: [2], from: 1380, to: 1439 }], [
      { days: [0, 1, 2, 3, 4, 5, 6], from: 0, to: 1440 },
    ]),
    except: fc.oneof(fc.constant(undefined), fc.constant(undefined), fc.record(keys)),
  })
  .map((given) => JSON.parse(JSON.stringify(given)) as MatchData);

function ruleOf(match: MatchData): RuleData {
  return {
    id: 'r',
    name: 'r',
    enabled: true,
    mode: 'enforce',
    match,
    process: 'scan',
    off: [],
    thresholds: {},
    on: [],
    additional: [],
  };
}

function bundleOf(rules: readonly RuleData[]): RuleBundle {
  return { hash: '', rules, timezone: 'UTC', thresholds: { spam: 8, probableSpam: 5, bulk: 3 }, ...CONTEXT };
}

describe('a rule that takes all mail of another', () => {
  it('is never named where one message shows the opposite', () => {
    const message = fc.record({
      sender: fc.oneof(address, fc.constant('')),
      from: fc.array(address, { maxLength: 2 }),
      recipient: address,
      client: fc.constantFrom(...clientAddresses),
      user: fc.constantFrom(undefined, 'u'),
      subject: fc.constantFrom('Hello', 'other'),
      at: fc.constantFrom('2026-11-17T23:30:00Z', '2026-11-18T12:00:00Z'),
    });
    let covering = 0;
    fc.assert(
      fc.property(scope, scope, fc.subarray(KEYS), fc.array(message, { minLength: 15, maxLength: 15 }), (earlier, other, own, messages) => {
        // Of two scopes that have nothing in common one hardly ever takes all of the other's mail.
        const later: MatchData = { ...earlier, ...Object.fromEntries(Object.entries(other).filter(([key]) => own.includes(key))) };
        if (!takesAll(setScope(earlier, CONTEXT), setScope(later, CONTEXT))) return;
        covering++;
        const [first, second] = compileRules(bundleOf([ruleOf(earlier), ruleOf(later)])).rules;
        const set = compileRules(bundleOf([ruleOf({ senderIs: 'envelope' })]));
        for (const { sender, from, recipient, client, user, subject, at } of messages) {
          const given = subjectOf({
            sender,
            recipients: [recipient],
            client,
            subject,
            at,
            ...(user === undefined ? {} : { user }),
            addresses: { from: from.map((one) => ({ address: one, name: '' })) },
          });
          const view = set.rules[0]?.view(given);
          if (view === undefined) throw new Error('no view');
          const question = { view, recipient, rawRecipient: recipient, findings: [] };
          if (second?.scope.refusal(question) === undefined) expect(first?.scope.refusal(question)).toBeUndefined();
        }
      }),
      { numRuns: 1000 },
    );
    expect(covering).toBeGreaterThan(100);
  });

  it.each<[string, Partial<MatchData>, Partial<MatchData>, boolean]>([
    ['no scope over any', {}, { sender: ['a@x.y'] }, true],
    ['a domain over an address', { recipient: ['*@x.y'] }, { recipient: ['a@x.y'] }, true],
    ['an address not over its domain', { recipient: ['a@x.y'] }, { recipient: ['*@x.y'] }, false],
    ['subdomains over deeper ones', { sender: ['*@*.y'] }, { sender: ['*@*.x.y'] }, true],
    ['a list over its entries', { sender: ['@few'] }, { sender: ['a@x.y', 'b@y.x'] }, true],
    ['masks over a list', { sender: ['*@x.y', '*@y.x'] }, { sender: ['@few'] }, true],
    ['a list over itself and more', { sender: ['@few', 'b@b'] }, { sender: ['@few'] }, true],
    ['a network over a smaller one', { client: ['10.0.0.0/8'] }, { client: ['10.1.0.0/16', '10.2.0.1'] }, true],
    ['a network not over a wider one', { client: ['10.0.0.0/16'] }, { client: ['10.0.0.0/8'] }, false],
    ['IPv4 not over IPv6', { client: ['0.0.0.0/0'] }, { client: ['::1'] }, false],
    ['no login over a login', { authenticated: false }, { authenticated: true }, false],
    ['all hours over some', { time: [{ days: [1, 2], from: 0, to: 1440 }] }, { time: [{ days: [1], from: 60, to: 90 }] }, true],
    ['a night over an early morning', { time: [{ days: [1], from: 1320, to: 360 }] }, { time: [{ days: [2], from: 0, to: 60 }] }, true],
    ['an exception that the later one is about', { except: { recipient: ['a@x.y'] } }, { recipient: ['a@x.y'] }, false],
    ['an exception that is about another', { except: { recipient: ['a@x.y'] } }, { recipient: ['b@x.y'] }, true],
    ['an exception that both have', { except: { sender: ['*@x.y'] } }, { except: { sender: ['*@*'] } }, true],
    ['a condition', { when: condition }, {}, false],
    ['a condition that both have', { when: condition }, { when: condition, sender: ['a@x.y'] }, true],
    ['the envelope over the From field', { sender: ['*@x.y'] }, { sender: ['a@x.y'], senderIs: 'either' }, false],
    ['an empty list over nothing', { sender: [] }, { sender: ['a@x.y'] }, false],
  ])('%s', (_, earlier, later, expected) => {
    const whole = (given: Partial<MatchData>) => setScope({ senderIs: 'envelope', ...given }, CONTEXT);
    expect(takesAll(whole(earlier), whole(later))).toBe(expected);
  });
});

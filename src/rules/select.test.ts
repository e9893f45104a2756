import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULTS, ruleSet } from '../../test/rules/load.js';
import { subjectOf, type SubjectOptions } from '../../test/rules/subject.js';
import { compileRules } from './compile.js';
import type { RuleBundle, RuleData } from './model.js';

async function chosen(rules: string, options: SubjectOptions = {}, recipient = 'b@example.org'): Promise<string> {
  const set = await ruleSet(`rules:\n${rules}`, {
    partners: '# our partners\nanna@partner.example\n*@friends.example # all of them\n',
    machines: '192.0.2.0/28\n2001:db8::/32\n',
  });
  return set.select(subjectOf({ recipients: [recipient], ...options }), recipient).rule.id;
}

const rule = (match: string): string => `  - id: test\n    match: ${match}\n`;

describe('match', () => {
  it.each<[string, SubjectOptions, boolean]>([
    ['{ sender: "*@partner.example" }', {}, true],
    ['{ sender: ["x@y.example", "a@*"] }', {}, true],
    ['{ sender: "@partners" }', {}, false],
    ['{ sender: "@partners" }', { sender: 'Anna@Partner.example' }, true],
    ['{ sender: "@partners" }', { sender: 'x@friends.example' }, true],
    ['{ sender: "<>" }', { sender: '' }, true],
    ['{ sender: "*" }', { sender: '' }, true],
    ['{ sender: "*@*" }', { sender: '' }, false],
    ['{ recipient: "@our-domains" }', {}, true],
    ['{ recipient: "c@example.org" }', {}, false],
    ['{ sender: "a@*", recipient: "c@example.org" }', {}, false],
    ['{ client: 192.0.2.0/24 }', {}, true],
    ['{ client: "@machines" }', { client: '2001:db8::5' }, true],
    ['{ client: "@machines" }', { client: '192.0.2.77' }, false],
    ['{ client: 192.0.2.1 }', { client: '::ffff:192.0.2.1' }, true],
    ['{ authenticated: true }', {}, false],
    ['{ authenticated: true }', { user: 'anna' }, true],
    ['{ authenticated: false }', {}, true],
    ['{ sender: "boss@example.org" }', { addresses: { from: [{ address: 'boss@example.org', name: '' }] } }, false],
    ['{ sender: "boss@example.org", senderIs: either }', { addresses: { from: [{ address: 'Boss@example.org', name: '' }] } }, true],
    ['{ sender: "boss@example.org", senderIs: either }', { addresses: { from: [{ address: '"b\\oss"@example.org', name: '' }] } }, true],
    ['{ when: { from: boss@example.org } }', { addresses: { from: [{ address: '"boss"@example.org', name: '' }] } }, true],
    ['{ when: { from: { is: \'"boss"@example.org\' } } }', { addresses: { from: [{ address: 'boss@example.org', name: '' }] } }, true],
    ['{ when: { from: { starts: boss@ } } }', { addresses: { from: [{ address: '"boss"@example.org', name: '' }] } }, true],
    ['{ when: { from: { matches: "^boss@" } } }', { addresses: { from: [{ address: '"boss"@example.org', name: '' }] } }, true],
    ['{ sender: "a b@partner.example" }', { sender: '"a b"@partner.example' }, false],
    ['{ time: { days: mon-fri, hours: "08:00-18:00" } }', { at: '2026-11-18T12:00:00Z' }, true],
    ['{ time: { days: mon-fri, hours: "08:00-18:00" } }', { at: '2026-11-18T17:00:00Z' }, false],
    ['{ time: { days: mon-fri, hours: "08:00-18:00" } }', { at: '2026-11-21T12:00:00Z' }, false],
    ['{ time: [ { days: [sat, sun] }, { hours: ["06:00-07:00", "22:00-23:00"] } ] }', { at: '2026-11-18T21:30:00Z' }, true],
    ['{ when: { subject: "*invoice*" } }', { subject: 'Your Invoice 7' }, true],
    ['{ except: { sender: "a@partner.example" } }', {}, false],
    ['{ except: { sender: "x@partner.example", client: 192.0.2.1 } }', {}, false],
    ['{ except: { recipient: "x@example.org", when: { size: { over: 1MB } } } }', {}, true],
    ['{ except: { sender: [] } }', {}, true],
    ['{}', {}, true],
  ])('%s with %j', async (match, options, expected) => {
    expect(await chosen(rule(match), options)).toBe(expected ? 'test' : 'default');
  });
});

describe('which rule decides', () => {
  it('is the first that is on, enforced and matches; the trace says why the others did not', async () => {
    const set = await ruleSet(`rules:
  - { id: off, enabled: false }
  - { id: trial, mode: audit }
  - { id: other-trial, mode: audit, match: { sender: "x@y.example" } }
  - { id: recipient, match: { recipient: "x@example.org" } }
  - { id: sender, match: { sender: "x@y.example" } }
  - { id: client, match: { client: 198.51.100.1 } }
  - { id: excepted, match: { except: { sender: "*" } } }
  - { id: condition, match: { when: { subject: no } } }
  - { id: decider, match: { recipient: "*@example.org" } }
  - { id: later, match: { sender: "*@partner.example" } }
`);
    const { rule: found, considered, audit } = set.select(subjectOf(), 'b@example.org');
    expect(found.id).toBe('decider');
    expect(audit.map(({ id }) => id)).toEqual(['trial']);
    expect(considered.map(({ rule: id, matched, why }) => `${id} ${matched ? 'yes' : 'no'}: ${why}`)).toEqual([
      'off no: the rule is disabled',
      'trial no: it matches, but in mode audit it never decides',
      'other-trial no: in mode audit, and the sender is not one of `sender`',
      'recipient no: the recipient is not one of `recipient`',
      'sender no: the sender is not one of `sender`',
      'client no: the client is not one of `client`',
      'excepted no: excepted by `except.sender`',
      'condition no: `when` does not hold',
      'decider yes: decides',
    ]);
  });

  it('does not depend on the index: the same as asking every rule in turn', () => {
    const address = fc.constantFrom('a@x.example', 'b@x.example', 'a@s.x.example', 'a@y.example', 'c@y.example');
    const mask = fc.constantFrom('a@x.example', '*@x.example', '*@*.x.example', 'a@*', '*', '<>', 'c@y.example', '?@y.*');
    const masks = fc.option(fc.array(mask, { minLength: 1, maxLength: 3 }), { nil: undefined });
    const scope = fc.record({ sender: masks, recipient: masks, either: fc.boolean(), enabled: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(scope, { maxLength: 8 }),
        fc.oneof(address, fc.constant('')),
        address,
        fc.array(address, { maxLength: 2 }),
        (scopes, sender, recipient, from) => {
          const rules = [...scopes.map((given, i) => ruleData(`r${i}`, given)), ruleData('default', {})];
          const subject = subjectOf({ sender, addresses: { from: from.map((one) => ({ address: one, name: '' })) } });
          const found = compileRules(bundleOf(rules)).select(subject, recipient);
          const expected = rules.find(
            (data) => data.enabled && compileRules(bundleOf([data, ruleData('rest', {})])).select(subject, recipient).rule.id === data.id,
          );
          expect(found.rule.id).toBe(expected?.id);
          expect(found.considered.map((entry) => entry.rule)).toEqual(
            rules.slice(0, rules.findIndex(({ id }) => id === expected?.id) + 1).map(({ id }) => id),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it('costs little with thousands of rules', () => {
    const many = Array.from({ length: 5000 }, (_, i) => ruleData(`r${i}`, { recipient: [`user${i}@example.org`] }));
    const set = compileRules(bundleOf([...many, ruleData('default', {})]));
    const start = process.hrtime.bigint();
    for (let i = 0; i < 2000; i++) {
      const recipient = `user${i * 2}@example.org`;
      expect(set.select(subjectOf(), recipient).rule.id).toBe(`r${i * 2}`);
    }
    // Asking each rule in turn would be four million questions: seconds.
    expect(Number(process.hrtime.bigint() - start) / 1e6).toBeLessThan(1500);
  });
});

interface Given {
  readonly sender?: readonly string[] | undefined;
  readonly recipient?: readonly string[] | undefined;
  readonly either?: boolean;
  readonly enabled?: boolean;
}

function ruleData(id: string, { sender, recipient, either = false, enabled = true }: Given): RuleData {
  return {
    id,
    name: id,
    enabled,
    mode: 'enforce',
    match: {
      senderIs: either ? 'either' : 'envelope',
      ...(sender === undefined ? {} : { sender }),
      ...(recipient === undefined ? {} : { recipient }),
    },
    process: 'scan',
    off: [],
    thresholds: {},
    on: [],
    additional: [],
  };
}

function bundleOf(rules: readonly RuleData[]): RuleBundle {
  return {
    hash: '',
    rules,
    lists: {},
    domains: DEFAULTS.domains,
    timezone: DEFAULTS.timezone,
    thresholds: { spam: 8, probableSpam: 5, bulk: 3 },
  };
}

import { describe, expect, it } from 'vitest';
import { ruleSet } from '../../test/rules/load.js';
import { object, subjectOf, type SubjectOptions } from '../../test/rules/subject.js';
import type { Finding } from '../detectors/types.js';
import { auditOutcome, decide } from './decide.js';
import type { OnError } from './fire.js';
import type { Decision } from './types.js';

const NOBODY: OnError = new Map();

async function decision(
  on: string,
  findings: readonly Finding[],
  options: SubjectOptions = {},
  onError: OnError = NOBODY,
): Promise<Decision> {
  const rules = await ruleSet(`rules:\n  - id: test\n    name: Test\n${on}`);
  const subject = subjectOf(options);
  const { rule } = rules.select(subject, 'b@example.org');
  return decide(rule, subject, 'b@example.org', findings, onError);
}

const eicar: Finding = { module: 'signatures', status: 'infected', name: 'Eicar-Test', object: 'a.zip/eicar.txt', size: 68 };
const zip = [object('a.zip', { type: 'archive', part: 2 }), object('a.zip/eicar.txt', { depth: 1, part: 2 })];

describe('the built-in rule', () => {
  it('rejects malware, keeps the original and tells the general list', async () => {
    const rules = await ruleSet('rules: []');
    const subject = subjectOf({ objects: zip });
    const { rule, considered } = rules.select(subject, 'b@example.org');
    const made = decide(rule, subject, 'b@example.org', [eicar], NOBODY);
    expect(made).toMatchObject({
      rule: 'default',
      process: 'scan',
      action: 'reject',
      quarantine: true,
      reply: { code: 550, enhanced: '5.7.1', text: 'Message refused: it contains malware' },
    });
    expect(made.fired).toHaveLength(1);
    expect(made.fired[0]).toMatchObject({
      key: 'malware',
      findings: [eicar],
      notify: [{ group: 'general', template: 'rule-general', attach: 'none' }],
    });
    expect(considered).toEqual([{ rule: 'default', matched: true, why: 'decides' }]);
  });
});

describe('decide', () => {
  it('takes the strictest action and the changes in the order of the rule', async () => {
    const on = `    on:
      macro: { action: deliver, tag: "[Macro]", headers: { set: { X-A: one } } }
      malware: { action: delete-attachment, tag: "[Cleaned]", headers: { set: { x-a: two } } }
`;
    const macro: Finding = { module: 'content', status: 'macro', object: 'b.doc' };
    const made = await decision(on, [eicar, macro], { objects: zip });
    expect(made.action).toBe('delete-attachment');
    expect(made.tags).toEqual(['[Macro]', '[Cleaned]']);
    expect(made.headers.set).toEqual({ 'x-a': 'two' });
    expect(made.removals).toEqual([{ part: 2, objects: ['a.zip/eicar.txt'], reason: 'malware: Eicar-Test' }]);
  });

  it('defers on a failed module, or goes on where onError says so', async () => {
    const failed: Finding = { module: 'signatures', status: 'timeout' };
    expect(await decision('', [failed])).toMatchObject({ action: 'defer', reply: { code: 451, enhanced: '4.7.1' } });
    expect(await decision('', [failed], {}, new Map([['signatures', 'accept']]))).toMatchObject({ action: 'deliver' });
    const on = '    on: { scan-error: { action: reject } }\n';
    expect(await decision(on, [failed], {}, new Map([['signatures', 'accept']]))).toMatchObject({ action: 'reject' });
  });

  it('tells what a rule in mode audit would have done', async () => {
    const rules = await ruleSet(`rules:
  - id: trial
    mode: audit
    on: { malware: { action: discard, quarantine: true, tag: "[X]", notify: [recipients] } }
`);
    const subject = subjectOf({ objects: zip });
    const { rule, audit } = rules.select(subject, 'b@example.org');
    expect(rule.id).toBe('default');
    const [trial] = audit;
    expect(trial?.id).toBe('trial');
    if (trial === undefined) return;
    expect(auditOutcome(trial, subject, 'b@example.org', [eicar], NOBODY)).toEqual({
      recipient: 'b@example.org',
      rule: 'trial',
      action: 'discard',
      quarantine: true,
      tags: [],
      notify: [{ group: 'recipients', template: 'rule-recipients', attach: 'none' }],
    });
  });
});

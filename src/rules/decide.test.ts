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
      fired: ['malware'],
    });
  });

  it('gives a finding to the first response whose name fits, and to that one only', async () => {
    const on = `    on:
      malware: [ { name: "Eicar*", action: discard }, { action: reject, tag: x } ]
`;
    expect(await decision(on, [eicar])).toMatchObject({ action: 'discard', fired: [{ action: 'discard' }] });
    const other = { ...eicar, name: 'Worm' };
    expect(await decision(on, [other])).toMatchObject({ action: 'reject', fired: [{ findings: [other] }] });
    expect((await decision(on, [eicar, other])).fired).toHaveLength(2);
  });

  it.each<[string, Finding, string]>([
    ['antivirus.infected: { action: discard }', { module: 'antivirus', status: 'infected' }, 'discard'],
    ['antivirus.infected: { action: discard }', { module: 'signatures', status: 'infected' }, 'deliver'],
    ['spf: { fail: { action: reject } }', { module: 'authentication', status: 'spf', name: 'fail' }, 'reject'],
    ['spf: { fail: { action: reject } }', { module: 'authentication', status: 'spf', name: 'pass' }, 'deliver'],
    ['spf: { fail: { action: reject } }', { module: 'authentication', status: 'dkim', name: 'fail' }, 'deliver'],
    [
      'dmarc: { fail: { policy-reject: { action: reject }, policy-quarantine: { action: discard } } }',
      { module: 'authentication', status: 'dmarc', name: 'fail', policy: 'quarantine' },
      'discard',
    ],
    [
      'dmarc: { fail: { action: reject } }',
      { module: 'authentication', status: 'dmarc', name: 'fail', policy: 'none' },
      'reject',
    ],
    ['external: { suspicious: { action: reject } }', { module: 'sandbox', status: 'suspicious' }, 'reject'],
    ['external: { malicious: { action: reject } }', { module: 'sandbox', status: 'suspicious' }, 'deliver'],
    ['anomaly: { name: "bare-*", action: reject }', { module: 'message', status: 'anomaly', name: 'bare-lf' }, 'reject'],
    ['scan-error: { action: reject }', { module: 'sandbox', status: 'limit' }, 'reject'],
    ['signatures.timeout: { action: deliver }', { module: 'signatures', status: 'timeout' }, 'deliver'],
  ])('%s on %j: %s', async (on, finding, action) => {
    expect((await decision(`    on: { ${on} }\n`, [finding])).action).toBe(action);
  });

  it.each<[number, string | undefined, string[]]>([
    [4.9, undefined, []],
    [5, undefined, ['[P]']],
    [9, undefined, ['[S]']],
    [3, 'bulk', ['[B]']],
    [6, 'bulk', ['[P]']],
  ])('classes the spam score %d (%s) by the thresholds', async (score, name, tags) => {
    const on = '    on: { spam: { tag: "[S]" }, probable-spam: { tag: "[P]" }, bulk: { tag: "[B]" } }\n';
    const finding = { module: 'antispam', status: 'score', score, ...(name === undefined ? {} : { name }) };
    expect((await decision(on, [finding])).tags).toEqual(tags);
    const strict = `    scan: { antispam: { spam: 1, probableSpam: 0.5 } }\n${on}`;
    expect((await decision(strict, [finding])).tags).toEqual(['[S]']);
    expect((await decision(strict, [{ ...finding, status: 'probable-spam' }])).tags).toEqual(['[P]']);
  });

  it('leaves out what a module reports that the rule turned off', async () => {
    const on = '    scan: { signatures: false }\n    on: { malware: { action: reject } }\n';
    expect(await decision(on, [eicar, { module: 'signatures', status: 'timeout' }])).toMatchObject({ action: 'deliver' });
  });

  it('fires a content expression for every object that it takes', async () => {
    const on = `    on:
      content:
        - { id: programs, name: Programs, when: { attachment.type: executable }, action: delete-attachment }
        - { id: infected, when: { finding: [malware, "Worm*"] }, tag: "[F]" }
`;
    const objects = [
      object('a.exe', { type: 'executable', part: 1 }),
      object('b.zip', { type: 'archive', part: 2 }),
      object('b.zip/c.exe', { depth: 1, type: 'executable', part: 2 }),
    ];
    const made = await decision(on, [{ ...eicar, object: 'b.zip/c.exe' }], { objects });
    expect(made.removals).toEqual([
      { part: 1, objects: ['a.exe'], reason: 'Programs' },
      { part: 2, objects: ['b.zip/c.exe'], reason: 'Programs' },
    ]);
    expect(made.tags).toEqual(['[F]']);
    expect(made.fired[0]).toMatchObject({ key: 'content.programs', name: 'Programs' });
    expect(made.fired[0]?.findings.map((finding) => finding.object)).toEqual(['a.exe', 'b.zip/c.exe']);
  });

  it('rejects where the finding names no attachment that could be deleted, and says so', async () => {
    const on = '    on: { malware: { action: delete-attachment, tag: "[X]" } }\n';
    const made = await decision(on, [{ module: 'antivirus', status: 'infected' }]);
    expect(made).toMatchObject({ action: 'reject', reply: { code: 550, enhanced: '5.7.1' }, removals: [], tags: [] });
    expect(made.notes).toEqual([
      'malware (antivirus.infected) names no attachment that could be deleted: the message is rejected instead',
    ]);
  });

  it('answers with the reply of the rule, or with public words', async () => {
    const given = '    on: { malware: { action: reject, reply: { code: 554, enhanced: 5.7.0, text: "No viruses" } } }\n';
    expect((await decision(given, [eicar])).reply).toEqual({ code: 554, enhanced: '5.7.0', text: 'No viruses' });
    const partly = '    on: { malware: { action: defer, reply: { text: "Later" } } }\n';
    expect((await decision(partly, [eicar])).reply).toEqual({ code: 451, enhanced: '4.7.1', text: 'Later' });
    const secret = '    on: { content: { id: secret-project, when: { subject: "*" }, action: reject } }\n';
    expect((await decision(secret, [])).reply?.text).not.toContain('secret');
  });

  it('owes notifications of every response, with the templates of the rule', async () => {
    const on = `    on:
      malware: { action: reject, notify: { general: { attach: original }, sender: own } }
      macro: { notify: [sender, additional] }
    notify: { additional: [x@example.org], templates: { sender: rule-own } }
`;
    const made = await decision(on, [eicar, { module: 'content', status: 'macro' }]);
    expect(made.fired.map(({ notify }) => notify)).toEqual([
      [
        { group: 'general', template: 'rule-general', attach: 'original' },
        { group: 'sender', template: 'own', attach: 'none' },
      ],
      [
        { group: 'sender', template: 'rule-own', attach: 'none' },
        { group: 'additional', template: 'rule-additional', attach: 'none' },
      ],
    ]);
    expect(made.additional).toEqual(['x@example.org']);
  });

  it('does not scan where the rule says so', async () => {
    expect(await decision('    process: skip\n', [eicar])).toMatchObject({ action: 'deliver', fired: [] });
    expect(await decision('    process: discard\n', [eicar])).toMatchObject({ action: 'discard' });
    expect(await decision('    process: reject\n    reply: { text: "Go away" }\n', [])).toMatchObject({
      action: 'reject',
      reply: { code: 550, enhanced: '5.7.1', text: 'Go away' },
    });
  });
});

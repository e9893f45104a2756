import { describe, expect, it } from 'vitest';
import { ruleSet } from '../../test/rules/load.js';
import { subjectOf } from '../../test/rules/subject.js';
import type { Finding } from '../detectors/types.js';
import { decide } from './decide.js';
import type { Decision } from './types.js';

const waiting: Finding = { module: 'external', status: 'timeout', hold: true };

async function decision(on: string, findings: readonly Finding[], more = ''): Promise<Decision> {
  const rules = await ruleSet(`rules:\n  - id: test\n    name: Test\n${more}    on: ${on}\n`);
  const subject = subjectOf({});
  const { rule } = rules.select(subject, 'b@example.org');
  return decide(rule, subject, 'b@example.org', findings, new Map([['antivirus', 'defer']]));
}

describe('a finding that is waited for', () => {
  it('keeps the message with us, and nothing is done about it yet', async () => {
    const spam: Finding = { module: 'antispam', status: 'spam' };
    const on = '{ spam: { action: deliver, quarantine: true, tag: "[Spam]", copy: [c@example.org], notify: [general] } }';
    expect(await decision(on, [waiting, spam])).toMatchObject({
      action: 'defer',
      hold: true,
      quarantine: false,
      fired: [],
      tags: [],
      copy: [],
      notes: ['external.timeout: the message waits in the spool and is inspected again'],
    });
  });

  it('is not offered to the rule', async () => {
    expect(await decision('{ scan-error: { action: reject } }', [waiting])).toMatchObject({ action: 'defer', hold: true });
  });

  it.each(['reject', 'discard'])('does not matter where the message is to %s anyway', async (action) => {
    const infected: Finding = { module: 'signatures', status: 'infected' };
    const made = await decision(`{ malware: { action: ${action} } }`, [waiting, infected]);
    expect(made.action).toBe(action);
    expect(made.hold).toBeUndefined();
  });

  it('does not take what is left with the client', async () => {
    const made = await decision('{}', [waiting, { module: 'antivirus', status: 'error' }]);
    expect(made.action).toBe('defer');
    expect(made.hold).toBeUndefined();
  });

  it('does not matter to a rule that has turned the module off', async () => {
    expect(await decision('{}', [waiting], '    scan: { external: false }\n')).toMatchObject({ action: 'deliver' });
  });
});

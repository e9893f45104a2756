import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { object, subjectOf, type SubjectOptions } from '../../test/rules/subject.js';
import { DEFAULTS } from '../../test/rules/load.js';
import type { Finding } from '../detectors/types.js';
import { compileRules, type RuleSet } from './compile.js';
import { decide } from './decide.js';
import { DEFAULT_TEXT } from './default-rule.js';
import { loadRules } from './load.js';
import type { Decision } from './types.js';

const SHIPPED = path.join(import.meta.dirname, '../../rules');
const BARE = {
  ...DEFAULTS,
  modules: new Map([
    ['content', ['encrypted', 'macro']],
    ['signatures', ['infected']],
  ]),
  generalConfigured: false,
};

async function shipped(): Promise<RuleSet> {
  const { bundle, problems } = await loadRules(SHIPPED, BARE);
  expect(problems).toEqual([]);
  if (bundle === undefined) throw new Error('the shipped set does not load');
  return compileRules(bundle);
}

async function shippedDecision(options: SubjectOptions, recipient: string, findings: Finding[]): Promise<Decision> {
  const set = await shipped();
  const subject = subjectOf({ ...options, recipients: [recipient] });
  return decide(set.select(subject, recipient).rule, subject, recipient, findings, new Map());
}

describe('the shipped rule set', () => {
  it('has no error and no warning in the default configuration', async () => {
    const set = await shipped();
    expect(set.rules.map(({ id }) => id)).toEqual([
      'partners',
      'own-machines',
      'blocked-senders',
      'blocked-recipients',
      'inbound',
      'outbound',
      'default',
    ]);
    expect(set.needsText).toBe(false);
  });

  it('has the built-in rule word for word', async () => {
    expect(DEFAULT_TEXT).toBe(await readFile(path.join(SHIPPED, '90-default.yaml'), 'utf8'));
  });

  it.each([
    ['a@partner.example', 'b@example.org', 'inbound'],
    ['b@example.org', 'c@example.org', 'inbound'],
    ['b@example.org', 'a@partner.example', 'outbound'],
    ['', 'b@example.org', 'inbound'],
    ['a@partner.example', 'c@other.example', 'default'],
  ])('from %j to %j: %s', async (sender, recipient, rule) => {
    expect(await shippedDecision({ sender }, recipient, [])).toMatchObject({ rule, action: 'deliver', fired: [] });
  });

  it.each(['b@example.org', 'a@partner.example', 'c@other.example'])('keeps malware from %s', async (recipient) => {
    const findings = [{ module: 'signatures', status: 'infected', name: 'Eicar', object: 'x' }];
    const sender = recipient === 'a@partner.example' ? 'b@example.org' : 'x@partner.example';
    expect(await shippedDecision({ sender }, recipient, findings)).toMatchObject({ action: 'reject', quarantine: true });
  });

  it('takes a program out of an archive by taking out the archive, and leaves a document alone', async () => {
    const objects = [
      object('report.pdf', { type: 'document', part: 2 }),
      object('tools.zip', { type: 'archive', part: 3 }),
      object('tools.zip/bin/setup.bin', { depth: 1, type: 'executable', part: 3 }),
    ];
    expect(await shippedDecision({ objects }, 'b@example.org', [])).toMatchObject({
      action: 'delete-attachment',
      removals: [{ part: 3, objects: ['tools.zip/bin/setup.bin'], reason: 'Program files' }],
    });
  });

  it('defers what could not be scanned', async () => {
    const findings = [{ module: 'content', status: 'limit', object: 'a.zip' }];
    expect(await shippedDecision({}, 'b@example.org', findings)).toMatchObject({
      action: 'defer',
      reply: { code: 451, enhanced: '4.7.1', text: 'Message cannot be checked now, please try again later' },
    });
  });
});

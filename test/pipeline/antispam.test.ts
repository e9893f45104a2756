import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, formatProblem } from '../../src/config/problems.js';
import { GTUBE } from '../../src/detectors/antispam/embedded/gtube.js';
import { loadSetup } from '../../src/gateway/setup.js';
import { gatepostFields } from '../../src/pipeline/headers.js';
import { createInspector } from '../../src/pipeline/inspector.js';
import type { Inspection, InspectInput } from '../../src/pipeline/types.js';
import { httpAnswer, startFakeEngine, type FakeEngine } from '../support/fake-engine.js';
import { makeMail } from '../support/mail.js';
import { inputFor } from './support.js';

const ANNA = 'anna@example.org';
const BERT = 'bert@example.org';
const RULES = `rules:
  - id: strict
    match: { recipient: ${BERT} }
    scan: { antispam: { spam: 4, probableSpam: 2 } }
    on: { spam: { action: reject }, probable-spam: { action: deliver, tag: "[Perhaps]" } }
  - id: rest
    on:
      spam: { action: discard }
      probable-spam: { action: deliver, tag: "[Spam?]" }
      bulk: { action: deliver, tag: "[Bulk]" }
      phishing: { action: reject }
`;

let folder: string;
let engine: FakeEngine;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-antispam-'));
  engine = await startFakeEngine({ kind: 'stall' });
  await mkdir(path.join(folder, 'rules'));
  await writeFile(path.join(folder, 'rules', '10-test.yaml'), RULES);
});

afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

interface Case {
  /** Under `detectors.antispam`, besides the address of the engine. */
  readonly settings?: string;
  readonly recipients?: readonly string[];
  readonly mail?: Buffer;
  readonly given?: Partial<InspectInput>;
}

async function inspect({ settings = '', recipients = [ANNA], mail, given }: Case): Promise<Inspection> {
  const file = path.join(folder, 'gatepost.yaml');
  await writeFile(file, `detectors: { antispam: { ${settings} } }\n`);
  const { bundle, specs, config } = await loadSetup('trial', file);
  const inspector = await createInspector({ bundle, specs, limits: config.scan, deadline: config.scan.deadline });
  try {
    return await inspector.inspect(inputFor(recipients, given), mail ?? makeMail('Hello'));
  } finally {
    await inspector.close();
  }
}

/** What becomes of a message that rspamd gives these points. */
async function scored(score: number, rest: Case = {}, more: object = {}): Promise<Inspection> {
  engine.behaviour = { kind: 'say', text: httpAnswer(JSON.stringify({ score, required_score: 15, ...more })) };
  const rspamd = `rspamd: "http://127.0.0.1:${engine.port}"`;
  return await inspect({ ...rest, settings: rest.settings === undefined ? rspamd : `${rspamd}, ${rest.settings}` });
}

/** Class in the findings, in the module's run, and in the header of the first copy. */
function classes(inspection: Inspection): string[] {
  const [copy] = inspection.copies;
  const fields = copy === undefined ? '' : gatepostFields(inspection, copy, 'mx.example.org');
  return [
    ...inspection.findings.filter((f) => f.module === 'antispam').map((f) => f.status),
    ...inspection.modules.filter((run) => run.module === 'antispam').map((run) => run.status),
    /antispam=(\S+)/.exec(fields)?.[1] ?? '',
  ];
}

const mass = Buffer.from(
  makeMail('Hello').toString('latin1').replace('Subject:', 'List-Unsubscribe: <mailto:u@x.example>\r\nSubject:'),
  'latin1',
);

describe('a spam score on its way to a decision', () => {
  it.each([
    [0.3, 'clean', 'deliver', []],
    [4.99, 'clean', 'deliver', []],
    [5, 'probable-spam', 'deliver', ['[Spam?]']],
    [7.99, 'probable-spam', 'deliver', ['[Spam?]']],
    [8, 'spam', 'discard', []],
  ])('of %f is %s', async (score, name, action, tags) => {
    const inspection = await scored(score);
    expect(classes(inspection)).toEqual([name, name, name]);
    expect(inspection.copies[0]?.decision).toMatchObject({ action, tags, spam: name });
    expect(inspection.findings.find((f) => f.module === 'antispam')).toMatchObject({ score });
  });

  it.each([
    [2.9, 'clean', []],
    [3, 'bulk', ['[Bulk]']],
    [5, 'probable-spam', ['[Spam?]']],
  ])('of %f is %s when the mail bears marks of mass mail', async (score, name, tags) => {
    const inspection = await scored(score, { mail: mass });
    expect(classes(inspection)).toEqual([name, name, name]);
    expect(inspection.copies[0]?.decision.tags).toEqual(tags);
  });

  it('is held against the thresholds of the configuration', async () => {
    const settings = 'spam: 20, probableSpam: 12, bulk: 11';
    expect(classes(await scored(11.9, { settings }))).toEqual(['clean', 'clean', 'clean']);
    expect(classes(await scored(11.9, { settings, mail: mass }))).toEqual(['bulk', 'bulk', 'bulk']);
    expect(classes(await scored(19, { settings }))).toEqual(['probable-spam', 'probable-spam', 'probable-spam']);
  });

  it('is held against the thresholds of the rule that decides, for each recipient', async () => {
    const inspection = await scored(4.5, { recipients: [ANNA, BERT] });
    const of = (recipient: string): unknown =>
      inspection.recipients.find((one) => one.recipient === recipient)?.decision;
    expect(of(ANNA)).toMatchObject({ rule: 'rest', action: 'deliver', spam: 'clean' });
    expect(of(BERT)).toMatchObject({ rule: 'strict', action: 'reject', spam: 'spam' });
    // For the message as a whole the strictest class is told, in the copy of each its own.
    expect(inspection.findings.find((f) => f.module === 'antispam')?.status).toBe('spam');
    expect(
      inspection.copies.map((copy) => /antispam=(\S+)/.exec(gatepostFields(inspection, copy, 'mx.example.org'))?.[1]),
    ).toEqual(['clean', 'spam']);
  });

  it('leaves phishing that the engine is sure of to its own response', async () => {
    const symbols = { PHISHING: { score: 4, options: ['bank.example->evil.example'] } };
    const inspection = await scored(4, {}, { symbols });
    expect(inspection.findings.map(({ status, name }) => [status, name])).toContainEqual(['phishing', 'evil.example']);
    expect(inspection.copies[0]?.decision).toMatchObject({ action: 'reject' });
    const unsure = await scored(1, {}, { symbols: { PHISHING: { score: 0.5 } } });
    expect(unsure.copies[0]?.decision.action).toBe('deliver');
  });

  it('gives way to a status that was given from outside', async () => {
    const spam = { module: 'antispam', status: 'spam', score: 0.1 };
    expect((await inspect({ given: { findings: [spam] } })).copies[0]?.decision.action).toBe('discard');
    const clean = { module: 'antispam', status: 'clean', score: 99 };
    expect((await inspect({ given: { findings: [clean] } })).copies[0]?.decision.action).toBe('deliver');
    const score = { module: 'antispam', status: 'score', score: 9 };
    expect((await inspect({ given: { findings: [score] } })).copies[0]?.decision.action).toBe('discard');
  });

  it('comes from the embedded scorer when no engine is named', async () => {
    const test = await inspect({ mail: makeMail(GTUBE) });
    expect(classes(test)).toEqual(['spam', 'spam', 'spam']);
    const ordinary = await inspect({ mail: makeMail('Shall we meet at noon?') });
    expect(classes(ordinary)).toEqual(['clean', 'clean', 'clean']);
  });

  it('is missed when the engine is down: the mail waits', async () => {
    engine.behaviour = { kind: 'close' };
    const inspection = await inspect({ settings: `rspamd: "http://127.0.0.1:${engine.port}"` });
    expect(classes(inspection)).toEqual(['error', 'error', 'error']);
    expect(inspection.copies[0]?.decision).toMatchObject({ action: 'defer' });
  });
});

describe('the settings of antispam', () => {
  async function problems(settings: string): Promise<string> {
    const error: unknown = await inspect({ settings }).catch((reason: unknown) => reason);
    return error instanceof ConfigError ? error.problems.map(formatProblem).join('\n') : String(error);
  }

  it.each([
    ['rspamd: "127.0.0.1:11333"', /is not the address of rspamd/],
    ['rspamd: "http://user:pass@127.0.0.1:11333"', /is not the address of rspamd/],
    ['spamd: "http://127.0.0.1:783"', /is not the address of spamd[^]*tcp:\/\/127\.0\.0\.1:783/],
    ['spamd: "tcp://127.0.0.1:0"', /is not the address of spamd/],
    ['rspamd: "http://127.0.0.1", spamd: "tcp://127.0.0.1:783"', /there is one engine/],
    ['password: x', /`password` is that of `rspamd`/],
    ['rspamd: "http://127.0.0.1", password: "x\\ny"', /printable ASCII/],
    ['spam: 3, probableSpam: 4', /`probableSpam` must be less than `spam`/],
    ['spam: "high"', /spam/],
    ['probablespam: 3', /did you mean `probableSpam`/],
  ])('refuse %s', async (settings, reason) => {
    expect(await problems(settings)).toMatch(reason);
  });
});

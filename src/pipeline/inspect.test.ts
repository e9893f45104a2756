import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLEAN, inputFor, optionsOf, type Setup } from '../../test/pipeline/support.js';
import { makeMail } from '../../test/support/mail.js';
import { makeZip } from '../../test/support/zip.js';
import { EICAR } from '../detectors/signatures/eicar.js';
import { applyEdits } from '../message/edit.js';
import { createInspector } from './inspector.js';
import type { Inspection, InspectInput } from './types.js';

const ANNA = 'anna@example.org';
const BERT = 'bert@example.org';

async function inspect(
  bytes: Buffer,
  setup: Setup = {},
  recipients: readonly string[] = [ANNA],
  given: Partial<InspectInput> = {},
): Promise<Inspection> {
  const inspector = await createInspector(await optionsOf(setup));
  try {
    return await inspector.inspect(inputFor(recipients, given), bytes);
  } finally {
    await inspector.close();
  }
}

const virus = makeMail('Look', [{ name: 'a.zip', bytes: makeZip([{ name: 'b.com', bytes: EICAR }]) }]);

/** Reads the body, names attachments, and changes what it delivers. */
const ALL_KEYS = `
rules:
  - id: anna
    match: { recipient: ${ANNA} }
    on:
      malware: { action: delete-attachment, tag: "[Virus]" }
      anomaly: { action: deliver, tag: "[Odd]", headers: { set: { X-Odd: "yes" } } }
      content:
        - { id: text, when: { body: "*o*" }, action: deliver, tag: "[Text]" }
        - { id: archives, when: { attachment.type: archive }, action: delete-attachment }
  - id: others
    on: { malware: { action: reject } }
`;

describe('inspecting a message', () => {
  it('delivers a clean one unchanged, and says who looked at it', async () => {
    const { copies, findings, modules, recipients, facts, audit } = await inspect(CLEAN);
    expect(copies).toEqual([expect.objectContaining({ recipients: [ANNA], edits: [], changes: [] })]);
    expect(recipients[0]?.decision).toMatchObject({ rule: 'default', action: 'deliver', fired: [] });
    expect(recipients[0]?.considered.at(-1)).toMatchObject({ rule: 'default', matched: true });
    expect(findings.map(({ module, status }) => [module, status])).toEqual([
      ['content', 'clean'],
      ['signatures', 'clean'],
    ]);
    expect(modules.map((run) => run.module)).toEqual(['content', 'signatures']);
    expect(facts).toMatchObject({
      size: CLEAN.length,
      subject: 'Hello',
      messageId: '1@partner.example',
      from: [{ address: 'a@partner.example', name: 'A' }],
      eightBit: false,
    });
    expect(audit).toEqual([]);
  });

  it('rejects a virus in an archive by the shipped rule', async () => {
    const { copies } = await inspect(virus);
    expect(copies[0]?.decision).toMatchObject({ action: 'reject', quarantine: true });
    expect(copies[0]?.decision.fired[0]?.findings[0]).toMatchObject({ object: 'a.zip/b.com' });
    expect(copies[0]?.edits).toEqual([]);
  });

  it('gives recipients of different rules their own copies, and those of equal decisions one', async () => {
    const rules = `
rules:
  - id: anna
    match: { recipient: [${ANNA}, carl@example.org] }
    on: { malware: { action: delete-attachment, tag: "[Virus]" } }
  - id: others
    on: { malware: { action: discard } }
`;
    const { copies, recipients } = await inspect(virus, { rules }, [ANNA, BERT, 'carl@example.org']);
    expect(copies.map((copy) => [copy.recipients, copy.decision.rule, copy.decision.action])).toEqual([
      [[ANNA, 'carl@example.org'], 'anna', 'delete-attachment'],
      [[BERT], 'others', 'discard'],
    ]);
    expect(recipients[0]?.decision).toBe(recipients[2]?.decision);
    const edited = applyEdits(virus, copies[0]?.edits ?? []).toString();
    expect(edited).toContain('[Virus]');
    expect(edited).not.toContain('a.zip"\r\nContent-Transfer');
    expect(copies[0]?.changes.length).toBeGreaterThan(0);
    expect(copies[1]?.edits).toEqual([]);
  });

  it('separates recipients whose content expressions fired on different objects', async () => {
    const rules = `
rules:
  - id: one
    on:
      content:
        - id: files
          when: { any: [ { attachment.name: "a.*" }, { all: [ { recipient: ${ANNA} }, { attachment.name: "b.*" } ] } ] }
          action: delete-attachment
`;
    const mail = makeMail('x', [
      { name: 'a.bin', bytes: Buffer.from('aaaa') },
      { name: 'b.bin', bytes: Buffer.from('bbbb') },
    ]);
    const { copies } = await inspect(mail, { rules }, [ANNA, BERT]);
    expect(copies.map((copy) => [copy.recipients, copy.decision.removals.length])).toEqual([
      [[ANNA], 2],
      [[BERT], 1],
    ]);
  });

  it.each([
    ['skip', 'deliver'],
    ['reject', 'reject'],
    ['discard', 'discard'],
  ])('does not scan for a rule whose process is %s', async (process, action) => {
    const rules = `rules: [ { id: one, process: ${process} } ]`;
    const { findings, modules, copies } = await inspect(virus, { rules });
    expect({ findings, modules }).toEqual({ findings: [], modules: [] });
    expect(copies[0]?.decision).toMatchObject({ action, process });
  });

  it('runs only the modules that a rule of a recipient wants, and hides from a rule what it turned off', async () => {
    const rules = `
rules:
  - id: trusting
    match: { recipient: ${ANNA} }
    scan: { signatures: false }
    on: { malware: { action: reject } }
  - id: strict
    match: { recipient: ${BERT} }
    on: { malware: { action: reject } }
`;
    const alone = await inspect(virus, { rules }, [ANNA]);
    expect(alone.modules.map((run) => run.module)).toEqual(['content']);
    const both = await inspect(virus, { rules }, [ANNA, BERT]);
    expect(both.modules.map((run) => run.module)).toEqual(['content', 'signatures']);
    expect(both.recipients.map(({ decision }) => decision.action)).toEqual(['deliver', 'reject']);
  });

  it('says what an audit rule would have done, and runs what it needs for that', async () => {
    const rules = `
rules:
  - id: watch
    mode: audit
    on: { malware: { action: discard, notify: [general] } }
  - id: pass
    process: skip
`;
    const { audit, copies } = await inspect(virus, { rules });
    expect(audit).toEqual([expect.objectContaining({ recipient: ANNA, rule: 'watch', action: 'discard' })]);
    expect(copies[0]?.decision).toMatchObject({ rule: 'pass', action: 'deliver', fired: [] });
  });

  it('takes findings that are given instead of running the module', async () => {
    const findings = [{ module: 'signatures', status: 'infected', name: 'Given' }];
    const given = await inspect(CLEAN, {}, [ANNA], { findings });
    expect(given.copies[0]?.decision).toMatchObject({ action: 'reject' });
    const rules = 'rules: [ { id: one, on: { malware: { action: reject } } } ]';
    const clean = await inspect(virus, { rules }, [ANNA], { findings: [{ module: 'signatures', status: 'clean' }] });
    expect(clean.copies[0]?.decision).toMatchObject({ action: 'deliver' });
    expect(clean.modules.find((run) => run.module === 'signatures')).toMatchObject({
      status: 'clean',
      milliseconds: 0,
    });
  });

  it('reports anomalies of intake and structure', async () => {
    const mail = Buffer.from('From: a@x.example\r\nFrom: b@x.example\r\nSubject: x\r\n\r\nx\r\n');
    const rules = 'rules: [ { id: one, on: { anomaly: { action: reject } } } ]';
    const intake = { anomalies: ['bare-lf'], received: 0 };
    const { findings, copies } = await inspect(mail, { rules }, [ANNA], { intake });
    const names = findings
      .filter(({ status }) => status === 'anomaly')
      .map(({ module, name }) => `${module}:${name ?? ''}`);
    expect(names).toContain('message:bare-lf');
    expect(names).toContain('message:duplicate-from');
    expect(copies[0]?.decision.action).toBe('reject');
  });
});

describe('what could not be looked into', () => {
  const crowded = makeMail('x', [
    {
      name: 'many.zip',
      bytes: makeZip(Array.from({ length: 5 }, (_, i) => ({ name: `${i}.txt`, bytes: Buffer.from('x') }))),
    },
  ]);
  const limits = { maxArchiveEntries: 3 };

  it('is a scan-error of content, and the module is not called clean', async () => {
    const rules = 'rules: [ { id: one, on: { scan-error: { action: reject } } } ]';
    const { findings, modules, copies } = await inspect(crowded, { rules, limits });
    expect(findings.filter(({ module }) => module === 'content')).toEqual([
      expect.objectContaining({ status: 'limit', object: expect.stringContaining('many.zip') as string }),
    ]);
    expect(modules[0]).toMatchObject({ module: 'content', status: 'limit' });
    expect(copies[0]?.decision.action).toBe('reject');
  });

  it('defers where the rule says nothing, unless content is to be accepted', async () => {
    const rules = 'rules: [ { id: one } ]';
    const deferred = await inspect(crowded, { rules, limits });
    expect(deferred.copies[0]?.decision).toMatchObject({ action: 'defer', reply: { code: 451 } });
    const detectors = [{ name: 'content', settings: { onError: 'accept' } }];
    const accepted = await inspect(crowded, { rules, limits, detectors });
    expect(accepted.copies[0]?.decision.action).toBe('deliver');
  });

  it('counts although the rule turns content off, and where content is not configured', async () => {
    const off = 'rules: [ { id: one, scan: { content: false }, on: { scan-error: { action: reject } } } ]';
    expect((await inspect(crowded, { rules: off, limits })).copies[0]?.decision.action).toBe('reject');
    const rules = 'rules: [ { id: one, on: { scan-error: { action: reject } } } ]';
    const detectors = [{ name: 'signatures', settings: {} }];
    const { copies, modules } = await inspect(crowded, { rules, limits, detectors });
    expect(copies[0]?.decision.action).toBe('reject');
    expect(modules.map(({ module, status }) => [module, status])).toEqual([
      ['signatures', 'clean'],
      ['message', 'limit'],
    ]);
  });
});

describe('inspecting the header alone', () => {
  it('decides by envelope, header and the findings given', async () => {
    const rules = `
rules:
  - id: one
    match: { when: { subject: Hello } }
    on: { scan-error: { action: deliver, tag: "[Unscanned]" } }
`;
    const findings = [{ module: 'message', status: 'timeout', detail: 'too slow' }];
    const result = await inspect(virus, { rules }, [ANNA], { depth: 'header', findings });
    expect(result.findings).toEqual(findings);
    expect(result.copies[0]?.decision).toMatchObject({ rule: 'one', action: 'deliver' });
    const edited = applyEdits(virus, result.copies[0]?.edits ?? []);
    expect(edited.toString()).toContain('Subject: [Unscanned] Hello');
    expect(edited.subarray(-200)).toEqual(virus.subarray(-200));
  });
});

describe('hostile bytes', () => {
  it('always lead to a decision for every recipient', async () => {
    const inspector = await createInspector(await optionsOf({ rules: ALL_KEYS }));
    const damaged = fc
      .tuple(fc.nat(virus.length - 1), fc.nat(40), fc.uint8Array({ maxLength: 40 }))
      .map(([at, cut, put]) => Buffer.concat([virus.subarray(0, at), put, virus.subarray(at + cut)]));
    const anything = fc.oneof(
      damaged,
      fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
    );
    await fc.assert(
      fc.asyncProperty(anything, async (bytes) => {
        const { recipients, copies } = await inspector.inspect(inputFor([ANNA, BERT]), bytes);
        expect(recipients.map(({ recipient }) => recipient)).toEqual([ANNA, BERT]);
        expect(copies.flatMap((copy) => copy.recipients).sort()).toEqual([ANNA, BERT]);
        for (const { edits } of copies) {
          let position = 0;
          for (const { start, end } of edits) {
            expect(start).toBeGreaterThanOrEqual(position);
            expect(end).toBeLessThanOrEqual(bytes.length);
            position = end;
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { explain, type ExplainOptions } from '../../src/cli/explain.js';
import { UsageError } from '../../src/cli/exit.js';
import { replay, type ReplayOptions } from '../../src/cli/replay.js';
import { test } from '../../src/cli/test.js';
import { ConfigError } from '../../src/config/problems.js';
import { makeSite, runGatepost, type Site } from '../support/gateway.js';

let site: Site;
const place = (name: string): string => path.join(site.folder, name);

const RULES = `rules:
  - { id: staff, match: { recipient: "*@example.org" }, on: { content: [ { id: big, when: { subject: "*big*" }, tag: "[Big]" } ] } }
`;
const OTHER = RULES.replace('tag: "[Big]"', 'action: reject').replace('id: staff', 'id: crew');

beforeAll(async () => {
  site = await makeSite('domains: [example.org]\ndetectors: { content: {} }\nscan: { threads: 1 }\n', {
    'rules/10-a.yaml': RULES,
    'other/10-a.yaml': OTHER,
    'same/10-a.yaml': RULES,
    'empty.eml': '',
    'binary.eml': Buffer.from([0, 1, 2, 255, 254, 13, 10]).toString('latin1'),
    'plain.eml': 'From: a@x.example\nTo: b@example.org\nSubject: s\n\nx\n',
  });
  await mkdir(place('mails'));
  for (let i = 0; i < 120; i++)
    await writeFile(
      place(`mails/${i}.eml`),
      `From: a@x.example\nTo: b@example.org\nSubject: ${i % 40 === 0 ? 'big' : 'small'}\n\nx\n`,
    );
  await writeFile(place('mails/zero.eml'), '');
  await writeFile(place('mails/nobody.eml'), 'From: a@x.example\nSubject: s\n\nx\n');
});
afterAll(async () => await site.remove());
afterEach(() => {
  process.exitCode = undefined;
  vi.restoreAllMocks();
});

/** Standard output and error of a command. */
async function printed(command: () => Promise<void>): Promise<{ readonly out: string; readonly err: string }> {
  const texts = { out: '', err: '' };
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => ((texts.out += String(chunk)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => ((texts.err += String(chunk)), true));
  await command();
  return texts;
}

const explained = async (name: string, options: Partial<ExplainOptions> = {}) =>
  await printed(
    async () =>
      await explain(name, {
        ...{ sender: 'a@x.example', recipient: ['b@example.org'], client: '192.0.2.1', helo: 'x', config: site.config },
        ...options,
      }),
  );

describe('gatepost explain', () => {
  it('says what is odd about a message, and looks at it all the same', async () => {
    expect((await explained(place('empty.eml'))).err).toContain('the message is empty');
    const { out, err } = await explained(place('binary.eml'));
    expect(err).toContain('does not begin with a header field');
    expect(out).toMatch(/^b@example\.org$/m);
  });

  it.each([
    ['a file that is not there', 'nofile.eml', {}, 'there is no such file'],
    ['a folder', 'mails', {}, 'it is a folder'],
    ['a sender that is none', 'plain.eml', { sender: 'foo' }, '--sender: "foo" is not an address'],
    ['a recipient that is none', 'plain.eml', { recipient: ['b@example.org', 'foo'] }, '--recipient: "foo"'],
    ['a client that is none', 'plain.eml', { client: 'mx.example.org' }, '--client'],
    ['a time that is none', 'plain.eml', { at: 'soon' }, '--at'],
  ])('refuses %s', async (_, name, options, text) => {
    const refused = explained(place(name), options);
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(text);
  });

  it('takes addresses with brackets, and the null sender in both forms', async () => {
    const shape = z.looseObject({ recipients: z.record(z.string(), z.looseObject({ rule: z.string() })) });
    for (const sender of ['', '<>', '<a@x.example>']) {
      const { out } = await explained(place('plain.eml'), { sender, recipient: ['<b@example.org>'], json: true });
      expect(Object.keys(shape.parse(JSON.parse(out)).recipients)).toEqual(['b@example.org']);
    }
  });
});

const replayed = async (name: string, options: Partial<ReplayOptions> = {}) =>
  await printed(async () => await replay(name, { against: place('other'), config: site.config, ...options }));

const shape = z.object({
  messages: z.number(),
  unreadableCount: z.number(),
  ignoredFiles: z.number(),
  unreadable: z.array(z.object({ message: z.string(), reason: z.string() })),
  changed: z.array(
    z.looseObject({
      message: z.string(),
      recipient: z.string(),
      before: z.looseObject({ rule: z.string() }),
      after: z.looseObject({ action: z.string() }),
      reason: z.string(),
    }),
  ),
});

describe('gatepost replay', () => {
  it('tells what changes in few messages, in this thread, with the reason', async () => {
    const { changed, messages } = shape.parse(JSON.parse((await replayed(place('plain.eml'), { json: true })).out));
    expect([messages, changed.map(({ message, recipient, reason }) => [message, recipient, reason])]).toEqual([
      1,
      [['plain.eml', 'b@example.org', 'the other set has no rule staff; crew takes it']],
    ]);
    expect(process.exitCode).toBe(0);
  });

  it('has exit status 1 for a change only when it is asked for', async () => {
    await replayed(place('plain.eml'), { failOnChange: true });
    expect(process.exitCode).toBe(1);
    const { out } = await replayed(place('plain.eml'), { failOnChange: true, against: place('same') });
    expect(out).toContain('1 messages to 1 recipients: nothing changes');
    expect(process.exitCode).toBe(0);
  });

  it('takes a gatepost.yaml or the folder of a site for the other set, and refuses what is none', async () => {
    for (const against of [site.config, site.folder])
      expect((await replayed(place('plain.eml'), { against })).out).toContain('nothing changes');
    await expect(replayed(place('plain.eml'), { against: place('mails') })).rejects.toThrow('no rule files');
    await expect(replayed(place('plain.eml'), { against: place('nowhere') })).rejects.toThrow('there is no folder');
    await expect(replayed(place('nowhere'))).rejects.toThrow('there is no such file');
    await expect(replayed(place('plain.eml'), { client: 'x' })).rejects.toThrow('--client');
  });

  it('goes to all cores with many, in the order of names, and tells those that cannot be compared', async () => {
    const { stdout, stderr } = await runGatepost([
      'replay',
      place('mails'),
      '--against',
      place('other'),
      '--config',
      site.config,
      '--json',
    ]);
    const { changed, messages, unreadable, unreadableCount } = shape.parse(JSON.parse(stdout));
    expect([messages, changed.length, unreadableCount]).toEqual([120, 120, 2]);
    expect(unreadable).toEqual([
      { message: 'nobody.eml', reason: 'it names no recipient (Delivered-To, X-Original-To, To, Cc)' },
      { message: 'zero.eml', reason: 'it is empty' },
    ]);
    expect(changed.map(({ message }) => message)).toEqual(changed.map(({ message }) => message).sort());
    expect(changed.filter(({ after }) => after.action === 'reject').map(({ message }) => message)).toEqual([
      '0.eml',
      '40.eml',
      '80.eml',
    ]);
    // A bar is for terminals.
    expect(stderr).not.toContain('\r');
  });
});

describe('gatepost test', () => {
  it('says of broken cases where and what is wrong, all at once', async () => {
    const file = place('cases.yaml');
    await writeFile(
      file,
      `- name: one
  raw: x
  envelope: { sender: a@x.example, recipients: [b@example.org] }
  expect: { c@example.org: { action: deliver } }
- name: two
  message: no-such.eml
  envelope: { sender: a@x.example, recipients: [b@example.org] }
  expect: { b@example.org: { actoin: deliver, rule: stuff } }
- name: three
  raw: x
  envelope: { sender: a@x.example, recipients: [b@example.org] }
  findings: [{ module: contentt, status: macro }, { module: content, status: marco }]
  expect: {}
`,
    );
    const failure: unknown = await test([file], { config: site.config }).catch((error: unknown) => error);
    if (!(failure instanceof ConfigError)) throw new Error('the cases are taken');
    expect(failure.problems.map(({ place, message }) => `${place?.line}: ${message}`)).toEqual([
      expect.stringMatching(/^4: "c@example.org" is not a recipient/),
      expect.stringMatching(/^6: .*no-such\.eml/),
      expect.stringMatching(/^8: .*actoin/),
      expect.stringMatching(/^8: .*stuff/),
      expect.stringMatching(/^12: .*contentt/),
      expect.stringMatching(/^12: .*marco/),
      expect.stringMatching(/^13: `expect` is empty/),
    ]);
  });

  it('shows what differed and why, and has exit status 1', async () => {
    const file = place('cases.yaml');
    await writeFile(
      file,
      `- name: wrong
  message: plain.eml
  envelope: { sender: a@x.example, recipients: b@example.org }
  expect: { b@example.org: { rule: default, tag: "[Big]", action: deliver } }
`,
    );
    const { out } = await printed(async () => await test([file], { config: site.config }));
    expect(out).toMatch(/FAIL {2}wrong {2}\S*cases\.yaml:1:9/);
    expect(out).toMatch(/rule +default +staff +staff stands before it and decides/);
    expect(out).toMatch(/tag\w* +"\[Big\]" +none/);
    expect(process.exitCode).toBe(1);
  });
});

import { generateKeyPairSync } from 'node:crypto';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { check } from '../../src/cli/check.js';
import { openSettings } from '../../src/gateway/reload/open-settings.js';
import { loadSetup } from '../../src/gateway/setup.js';
import { makeSite, runGatepost } from '../support/gateway.js';

const TLS_FOLDER = path.join(import.meta.dirname, '../fixtures/tls');
const OTHER_KEY = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();

/** What `gatepost check` says of files, in this process. */
async function said(
  files: Readonly<Record<string, string>>,
  json = false,
): Promise<{ readonly status: unknown; readonly text: string }> {
  const { 'gatepost.yaml': config = '', ...rest } = files;
  const site = await makeSite(config, rest);
  const texts: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    texts.push(String(text));
    return true;
  });
  try {
    await check({ config: site.config, json });
    return { status: process.exitCode, text: texts.join('') };
  } finally {
    write.mockRestore();
    await site.remove();
  }
}

const exitCode = process.exitCode;
afterEach(() => {
  process.exitCode = exitCode;
});

const REPORT = z.strictObject({
  ok: z.boolean(),
  problems: z.array(
    z.strictObject({
      severity: z.enum(['error', 'warning']),
      place: z
        .strictObject({
          file: z.string(),
          line: z.int().positive(),
          column: z.int().positive(),
          excerpt: z.string().optional(),
          excerptColumn: z.int().optional(),
        })
        .optional(),
      message: z.string(),
      hint: z.string().optional(),
    }),
  ),
});

const CONFIG = 'domains: [example.org]\nnotifications: { general: [it@example.org] }\n';
const CASE = `- name: all is well
  raw: "Subject: x\\n\\nx"
  envelope: { sender: a@partner.example, recipients: [b@example.org] }
  expect: { b@example.org: { rule: inbound, action: deliver } }
`;
const RULES = 'rules:\n  - id: inbound\n    match: { recipient: "*@example.org" }\n';
/** Something wrong in every kind of file. */
const ALL_BROKEN = {
  'gatepost.yaml': `${CONFIG}smtp: { lissten: ["127.0.0.1:0"] }\nscan: { deadline: soon }\ndetectors: { content: {}, links: { timout: 5s } }\n`,
  'rules/10-a.yaml': `${RULES}    on: { malwares: { action: reject } }\n`,
  'rules/20-b.yaml': 'rules: [ { id: b, match: { sender: "@partner" } } ]\n',
  'rules/lists/partners.txt': '@other\n',
  'templates/en/mine.hbs': '---\nsubject: x\n---\n{{#if nonsense}}\n',
  'rules/tests/a.yaml': CASE.replace('action: deliver', 'action: delver'),
  'rules/tests/b.yaml': '- name: x\n\traw: x\n',
};

describe('gatepost check', () => {
  it.each<[what: string, config: string, files: Readonly<Record<string, string>>, problems: readonly string[]]>([
    [
      'a certificate and a key that are not there',
      'smtp: { tls: { cert: ./cert.pem, key: ./key.pem } }\n',
      {},
      [':1:22: error: `smtp.tls.cert`: there is no file /', ':1:39: error: `smtp.tls.key`: there is no file /'],
    ],
    [
      'a certificate that is none',
      `smtp: { tls: { cert: ./cert.pem, key: ${TLS_FOLDER}/key.pem } }\n`,
      { 'cert.pem': 'x' },
      [':1:22: error: `smtp.tls.cert`: /'],
    ],
    [
      'a key that is not that of the certificate',
      `smtp: { tls: { cert: ${TLS_FOLDER}/cert.pem, key: ./key.pem } }\n`,
      { 'key.pem': OTHER_KEY },
      [':1:14: error: `smtp.tls`: certificate and key do not belong together'],
    ],
    [
      'implicit TLS without a certificate',
      'smtp: { listen: ["127.0.0.1:0", "tls://127.0.0.1:0"] }\n',
      {},
      [':1:33: error: `smtp.listen[1]`: listening on tls://127.0.0.1:0 needs `smtp.tls`'],
    ],
    [
      "an authority's file of a next hop",
      'delivery: { nextHop: "smtp://mx.example.org?ca=./nofile.pem" }\n',
      {},
      [':1:22: error: `delivery.nextHop[0]`: ca=: there is no file /'],
    ],
    [
      "a file of an authority's that has no certificates",
      'delivery: { routes: { a.example: "smtps://mx.example.org?ca=./ca.pem" } }\n',
      { 'ca.pem': 'x' },
      [':1:34: error: `delivery.routes.a.example`: ca=: /'],
    ],
    [
      "an authority's file of the queue",
      'queue: "rediss://h?ca=./no.pem"\n',
      {},
      [':1:8: error: `queue`: ca=: there is no file /'],
    ],
  ])('finds %s, as a start does', async (_, config, files, problems) => {
    const { status, text } = await said({ 'gatepost.yaml': config, 'rules/10-a.yaml': RULES, ...files });
    const found = text.split('\n').filter((line) => line.startsWith('gatepost.yaml'));
    expect(found).toHaveLength(problems.length);
    for (const [i, problem] of problems.entries()) expect(found[i]).toContain(problem);
    expect(status).toBe(1);
    const site = await makeSite(config, files);
    await expect(
      openSettings({ purpose: 'gateway', file: site.config, cwd: site.folder, lastGood: false }),
    ).rejects.toThrow(problems[0]);
    // Who tries rules need not have the files that a gateway needs.
    await loadSetup('trial', site.config);
    await site.remove();
  });

  it('warns of logins that nobody is offered', async () => {
    const { status, text } = await said({
      'gatepost.yaml': 'smtp: { auth: { users: ./users } }\n',
      'rules/10-a.yaml': RULES,
    });
    expect(text).toContain('gatepost.yaml:1:9: warning: `smtp.auth` has no effect without `smtp.tls`');
    expect(status).toBe(0);
  });

  it('of good files says how many rules there are', async () => {
    const { status, text } = await said({
      'gatepost.yaml': CONFIG,
      'rules/10-a.yaml': RULES,
      'rules/tests/a.yaml': CASE,
    });
    expect(text).toMatch(/^Good: 2 rules in \S+\/rules\.\n$/);
    expect(status).toBe(0);
  });

  it.each([
    [
      'a rule that can never decide',
      { 'rules/20-b.yaml': 'rules: [ { id: late, match: { recipient: b@example.org } } ]\n' },
      /^rules\/20-b\.yaml:1:\d+: warning: .*"late".*inbound/,
    ],
    [
      'a list that no rule uses',
      { 'rules/lists/vips.txt': 'a@b.example\n' },
      /^rules\/lists\/vips\.txt:1:1: warning: no rule uses the list/,
    ],
    [
      'a template that nothing uses',
      { 'templates/en/mine.hbs': '---\nsubject: x\n---\nHello\n' },
      /^templates\/en\/mine\.hbs:1:1: warning: /,
    ],
    [
      'the group additional with nobody in it',
      { 'rules/10-a.yaml': `${RULES}    on: { malware: { action: reject, notify: [additional] } }\n` },
      /^rules\/10-a\.yaml:4:\d+: warning: .*additional/,
    ],
    [
      'an invisible character',
      { 'rules/10-a.yaml': `${RULES}    name: "In\u200bbound"\n` },
      /^rules\/10-a\.yaml:4:14: warning: an invisible character/,
    ],
    [
      'a mask that can match no address',
      {
        'rules/10-a.yaml': `${RULES}      sender: example.com\n`.replace(
          'match: { recipient: "*@example.org" }',
          'match:\n      recipient: "*@example.org"',
        ),
      },
      /^rules\/10-a\.yaml:5:15: warning: .*example\.com/,
    ],
  ])('warns of %s, once, and leaves the exit status 0', async (_, files, expected) => {
    const { status, text } = await said({ 'gatepost.yaml': CONFIG, 'rules/10-a.yaml': RULES, ...files });
    const places = text.split('\n').filter((line) => / (warning|error): /.test(line));
    expect(places, text).toHaveLength(1);
    expect(places[0]).toMatch(expected);
    expect(text).toMatch(/\nGood: \d rules? in \S+; 1 warning\.\n$/);
    expect(status).toBe(0);
  });

  it('tells the errors of all files at once, counted from the folder of the configuration', async () => {
    const { status, text } = await said(ALL_BROKEN);
    const places = text.split('\n').flatMap((line) => /^(\S+:\d+):\d+: error: /.exec(line)?.[1] ?? []);
    expect(places, text).toEqual([
      'gatepost.yaml:3',
      'gatepost.yaml:4',
      'gatepost.yaml:5',
      'rules/10-a.yaml:4',
      'rules/20-b.yaml:1',
      'rules/lists/partners.txt:1',
      'rules/tests/a.yaml:4',
      'rules/tests/b.yaml:2',
      'templates/en/mine.hbs:5',
    ]);
    expect(text).toMatch(/\nNot good: 9 errors\. Nothing of it can be put in force before the errors are mended\.\n$/);
    expect(status).toBe(1);
  });

  it('does not call rules wrong for what is wrong in the configuration alone', async () => {
    for (const bad of ['detectorz: {}', 'directory: { url: 5 }', 'domains: 5', 'a: [']) {
      const { status, text } = await said({
        'gatepost.yaml': `${bad}\n`,
        'rules/20-b.yaml': 'rules: [ { id: b, match: { sender: "@ldap:staff" } } ]\n',
      });
      expect(text).not.toContain('20-b');
      expect(status).toBe(1);
    }
  });

  it('says of errors in test cases that they hold nothing up', async () => {
    const broken = {
      'gatepost.yaml': CONFIG,
      'rules/10-a.yaml': RULES,
      'rules/tests/a.yaml': CASE.replace('inbound', 'inbond'),
    };
    const { status, text } = await said(broken);
    expect(text).toContain(
      'rules/tests/a.yaml:4:36: error: `[0].expect.b@example.org.rule`: there is no rule "inbond"',
    );
    expect(text).toContain('The rules can be put in force');
    expect(status).toBe(1);
  });

  it('as JSON is one object, with the same places', async () => {
    const bad = await said(ALL_BROKEN, true);
    const { ok, problems } = REPORT.parse(JSON.parse(bad.text));
    expect(ok).toBe(false);
    expect(problems.filter(({ severity }) => severity === 'error')).toHaveLength(9);
    expect(problems[0]).toMatchObject({
      place: { file: 'gatepost.yaml', line: 3, column: 9, excerpt: 'smtp: { lissten: ["127.0.0.1:0"] }' },
      hint: 'did you mean `listen`?',
    });
    expect(bad.status).toBe(1);
    const good = await said({ 'gatepost.yaml': CONFIG, 'rules/10-a.yaml': RULES }, true);
    expect(JSON.parse(good.text)).toEqual({ ok: true, problems: [] });
    expect(good.status).toBe(0);
  });

  it('as a command: 1 with errors, 2 when it is called wrongly, and no colours where nobody sees them', async () => {
    const site = await makeSite(CONFIG, { 'rules/10-a.yaml': `${RULES}    acton: x\n`, 'rules/lists/l.txt': '' });
    try {
      const { status, stdout, stderr } = await runGatepost(['check'], site.folder);
      expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
      expect(stdout).toContain('rules/10-a.yaml:4:5: error: ');
      expect(stdout).toContain('rules/lists/l.txt:1:1: warning: ');
      expect(stdout).not.toContain('\u001b');
      expect((await runGatepost(['check', '--no-such-option'], site.folder)).status).toBe(2);
    } finally {
      await site.remove();
    }
  });
});

import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { sendMail } from '../../src/cli/demo/smtp-client.js';
import { makeSite, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { makeMail } from '../support/mail.js';
import { until } from '../support/until.js';

const IN_FORCE = 'the changed settings are in force';
const RULES = `rules:
  - id: seen
    on: { external: { found: { action: reject } } }
`;
const ready = z.object({ listen: z.array(z.object({ port: z.number(), implicitTls: z.boolean() })) });

let site: Site;
let gateway: RunningGateway;

const count = (text: string): number => gateway.log.filter((line) => line.includes(text)).length;

async function said(text: string, before: number): Promise<void> {
  await until(`the log to say: ${text}`, () => Promise.resolve(count(text) > before));
}

/** Writes a file as editors do. */
async function replace(name: string, text: string): Promise<void> {
  const file = path.join(site.folder, name);
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

/** A module that finds something or does not, as its file or the one beside it says. */
const detector = (found: string): string => `import { FOUND } from './found.mjs';
export default ({ z }) => ({
  settings: z.strictObject({}),
  statuses: ['found'],
  create: () => ({ inspect: async () => (${found} ? [{ status: 'found' }] : []) }),
});
`;

async function send(): Promise<string> {
  return await sendMail('127.0.0.1', gateway.port, {
    sender: 'a@partner.example',
    recipients: ['a@example.org'],
    bytes: makeMail('text'),
  });
}

/** Makes a certificate and its key; the name tells it from others. */
async function makeCertificate(name: string): Promise<{ readonly cert: string; readonly key: string }> {
  const [cert, key] = [path.join(site.folder, `${name}.cert`), path.join(site.folder, `${name}.key`)];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'];
  execFileSync('openssl', ['req', '-x509', ...made, '-keyout', key, '-out', cert, '-subj', `/CN=${name}`], {
    stdio: 'ignore',
  });
  return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
}

/** The name in the certificate that a new session is shown. */
async function shown(): Promise<string> {
  const line: unknown = JSON.parse(gateway.log.find((text) => text.includes('"ready"')) ?? '{}');
  const port = ready.parse(line).listen.find(({ implicitTls }) => implicitTls)?.port ?? 0;
  const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    const { raw } = socket.getPeerCertificate();
    return new X509Certificate(raw).subject;
  } finally {
    socket.destroy();
  }
}

beforeAll(async () => {
  site = await makeSite(
    `smtp: { listen: ["127.0.0.1:0", "tls://127.0.0.1:0"], tls: { cert: ./tls.cert, key: ./tls.key } }
domains: [example.org]
scan: { threads: 1 }
delivery: { nextHop: "maildir:./inbox" }
detectors: { content: {}, mine: { module: ./mine.mjs } }
`,
    { 'rules/10-seen.yaml': RULES, 'mine.mjs': detector('FOUND'), 'found.mjs': 'export const FOUND = false;\n' },
  );
  const { cert, key } = await makeCertificate('first');
  await replace('tls.cert', cert);
  await replace('tls.key', key);
  gateway = await startGatewayProcess(site);
});

afterAll(async () => {
  await gateway.stop();
  await site.remove();
});

it('a renewed certificate is shown without a restart; one that does not fit its key changes nothing', async () => {
  expect(await shown()).toBe('CN=first');
  const second = await makeCertificate('second');
  const raised = count('event raised');
  await replace('tls.cert', second.cert);
  await said('event raised', raised);
  expect(gateway.log.find((line) => line.includes('"settings-not-applied"'))).toContain('certificate and key');
  expect(await shown()).toBe('CN=first');

  const resolved = count('event resolved');
  await replace('tls.key', second.key);
  await said('event resolved', resolved);
  expect(await shown()).toBe('CN=second');
});

it("a third party's module is taken anew, on SIGHUP also what it imports", async () => {
  expect(await send()).toMatch(/^250 /);
  const before = count(IN_FORCE);
  await replace('mine.mjs', detector('true'));
  await said(IN_FORCE, before);
  expect(await send()).toMatch(/^5/);

  const again = count(IN_FORCE);
  await replace('mine.mjs', detector('FOUND'));
  await said(IN_FORCE, again);
  expect(await send()).toMatch(/^250 /);

  const signalled = count(IN_FORCE);
  await replace('found.mjs', 'export const FOUND = true;\n');
  gateway.process.kill('SIGHUP');
  await said(IN_FORCE, signalled);
  expect(await send()).toMatch(/^5/);
});

it('requests in a burst fold into few loads, the last of which sees the last state', async () => {
  const before = count(IN_FORCE);
  for (let i = 0; i < 30; i++) {
    await replace('rules/10-seen.yaml', i < 29 ? `${RULES}# ${i}\n` : 'rules: []\n');
    gateway.process.kill('SIGHUP');
  }
  await until('the last state', async () => (await send()).startsWith('250'));
  expect(count(IN_FORCE) - before).toBeLessThan(15);
});

it('killed in the midst of reloads, it starts again on the files, and what it keeps for --last-good is whole', async () => {
  for (const moment of [1, 2]) {
    const before = count(IN_FORCE);
    await replace('rules/10-seen.yaml', `${RULES}# before ${moment}\n`);
    await said(IN_FORCE, before);
    await replace('rules/10-seen.yaml', `${RULES}# after ${moment}\n`);
    gateway.process.kill('SIGHUP');
    // At first while it is loaded, then as soon as it is in force, while it is kept.
    if (moment === 2) await said(IN_FORCE, before + 1);
    await gateway.kill();

    const home = path.join(site.folder, 'data', 'last-good');
    const kept = path.join(home, (await readFile(path.join(home, 'current'), 'utf8')).trim());
    expect((await readdir(kept)).sort()).toEqual(['gatepost.yaml', 'rules', 'set.json', 'templates']);
    // Whole, and of one of the sets so far: it is kept behind its being put in force.
    const rules = await readFile(path.join(kept, 'rules', '10-seen.yaml'), 'utf8');
    expect([RULES, 'rules: []\n']).toContain(rules.replace(/# [a-z0-9 ]+\n$/, ''));

    gateway = await startGatewayProcess(site);
    expect(await send()).toMatch(/^5/);
  }
});

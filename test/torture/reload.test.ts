import { readdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { sendMail } from '../../src/cli/demo/smtp-client.js';
import { startFakeSmtp, type FakeMail } from '../support/fake-smtp.js';
import { makeSite, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { makeMail } from '../support/mail.js';
import { until } from '../support/until.js';
import { tortureSettings } from './settings.js';

const { long, reloads } = tortureSettings(0, 0);
const SENDERS = 4;
/** Messages of the phase without reloads, for comparison. */
const QUIET = long ? 1000 : 40;
/** ms that the slowest message under reloads may take more than the slowest without: a busy machine has room in the short form. */
const SLOWEST = long ? 5_000 : 60_000;
const IN_FORCE = 'the changed settings are in force';
const FILES = { a: 'rules/10-a.yaml', b: 'rules/20-b.yaml' } as const;

const rule = (name: string, version: number): string => `rules:
  - id: ${name}
    match: { recipient: ["${name}@example.org"] }
    on:
      content:
        - { id: all, name: All, when: { size: { over: 0 } }, headers: { set: { X-Set: "${version}" } } }
`;

/** Writes both rule files as editors do. */
async function write(site: Site, version: number): Promise<void> {
  for (const name of ['a', 'b'] as const) {
    const file = path.join(site.folder, FILES[name]);
    await writeFile(`${file}.new`, rule(name, version));
    await rename(`${file}.new`, file);
  }
}

/** Counts the reloads in a log that grows. */
function counter({ log }: RunningGateway): () => number {
  const seen = { lines: 0, reloads: 0 };
  return () => {
    for (; seen.lines < log.length; seen.lines++) if (log[seen.lines]?.includes(IN_FORCE) === true) seen.reloads++;
    return seen.reloads;
  };
}

/** Senders that send without a pause, until they are stopped. */
class Load {
  readonly subjects: string[] = [];
  /** ms from connecting to the answer to the end of data. */
  times: number[] = [];
  private running = true;
  private readonly senders: Promise<void>;

  constructor(port: number) {
    this.senders = Promise.all(
      Array.from({ length: SENDERS }, async (_, sender) => {
        for (let i = 0; this.running; i++) await this.send(port, `load-${sender}-${i}`);
      }),
    ).then(() => undefined);
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.senders;
  }

  private async send(port: number, subject: string): Promise<void> {
    const began = performance.now();
    const reply = await sendMail('127.0.0.1', port, {
      sender: 'a@partner.example',
      recipients: ['a@example.org', 'b@example.org'],
      bytes: makeMail('text', [], subject),
    });
    this.times.push(performance.now() - began);
    expect(reply).toMatch(/^250 /);
    this.subjects.push(subject);
  }
}

/** Which set each copy of each message was judged by. */
function versionsBySubject(mails: readonly FakeMail[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { bytes } of mails) {
    const text = bytes.toString('latin1');
    const [, subject = ''] = /^Subject: (.*)\r$/m.exec(text) ?? [];
    const [, version = 'none'] = /^X-Set: (.*)\r$/m.exec(text) ?? [];
    found.set(subject, [...(found.get(subject) ?? []), version]);
  }
  return found;
}

function summary(what: string, times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): string => `${Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0)} ms`;
  return `${what}: ${sorted.length} messages, p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}\n`;
}

async function torture(closing: (() => Promise<unknown>)[]): Promise<void> {
  const hop = await startFakeSmtp();
  closing.push(() => hop.close());
  const site = await makeSite(
    `smtp: { listen: ["127.0.0.1:0"] }
domains: [example.org]
scan: { threads: 1 }
delivery: { nextHop: "${hop.url}?tls=off" }
`,
    { [FILES.a]: rule('a', 0), [FILES.b]: rule('b', 0) },
  );
  closing.push(() => site.remove());
  const gateway = await startGatewayProcess(site);
  closing.push(() => gateway.stop());
  const { pid } = gateway.process;
  const open = async (): Promise<number> => (await readdir(`/proc/${pid}/fd`)).length;
  const threads = async (): Promise<number> => (await readdir(`/proc/${pid}/task`)).length;
  const done = counter(gateway);

  const load = new Load(gateway.port);
  await until('the mails without reloads', () => Promise.resolve(load.times.length >= QUIET), 120_000);
  const without = load.times;
  load.times = [];
  const before = { open: await open(), threads: await threads() };
  const began = performance.now();
  for (let version = 1; version <= reloads; version++) {
    const seen = done();
    await write(site, version);
    gateway.process.kill('SIGHUP');
    await until('the next set', () => Promise.resolve(done() > seen), 60_000);
  }
  const each = Math.round((performance.now() - began) / reloads);
  await load.stop();
  await until('the threads of former sets to end', async () => (await threads()) <= before.threads + 2);
  expect(await open()).toBeLessThan(before.open + 30);

  const found = versionsBySubject(hop.mails);
  // Two copies of each message, one for each rule.
  expect(load.subjects.filter((subject) => found.get(subject)?.length !== 2)).toEqual([]);
  expect([...found].filter(([, versions]) => new Set(versions).size !== 1)).toEqual([]);
  expect(found.size).toBe(load.subjects.length);
  expect(new Set([...found.values()].flat()).size).toBeGreaterThan(1);
  // No message waits for a reload to end: each takes no longer than a busy machine makes it without one.
  expect(Math.max(...load.times)).toBeLessThan(Math.max(...without) + SLOWEST);
  process.stdout.write(
    `${reloads} reloads, one every ${each} ms\n${summary('without reloads', without)}${summary('with reloads', load.times)}`,
  );
}

describe('a gateway whose settings change again and again under load', () => {
  it(
    'loses, doubles and delays no message, judges none by two sets, and leaks nothing',
    async () => {
      const closing: (() => Promise<unknown>)[] = [];
      try {
        await torture(closing);
      } finally {
        for (const close of closing.reverse()) await close();
      }
    },
    120_000 + reloads * 5_000,
  );
});

import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { check } from '../../src/cli/check.js';
import { sendMail } from '../../src/cli/demo/smtp-client.js';
import { explain } from '../../src/cli/explain.js';
import { listQuarantine } from '../../src/cli/quarantine-list.js';
import { replay } from '../../src/cli/replay.js';
import { test } from '../../src/cli/test.js';
import { trace } from '../../src/cli/trace.js';
import { startFakeSmtp, type FakeMail, type FakeSmtp } from '../support/fake-smtp.js';
import { makeSite, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { until } from '../support/until.js';
import { MARKER, SAMPLES, SETS, type Sample } from './five-paths-sets.js';

const told = z.object({ group: z.string(), to: z.array(z.string()), template: z.string() });
const reply = z.object({ code: z.number(), enhanced: z.string(), text: z.string() });
const headers = z.object({
  set: z.record(z.string(), z.string()),
  add: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
  remove: z.array(z.string()),
});
const outcome = z.object({
  rule: z.string(),
  action: z.string(),
  quarantine: z.boolean(),
  tags: z.array(z.string()),
  headers,
  warn: z.array(z.string()),
  disclaimer: z.array(z.string()),
  notify: z.array(told),
  reply: reply.optional(),
  redirect: z.array(z.string()).optional(),
  copy: z.array(z.string()),
  route: z.string().optional(),
});
const report = outcome.extend({
  fired: z.array(z.object({ response: z.string() })),
  edits: z.array(z.string()),
  suppressed: z.array(told.extend({ reason: z.string() })),
});
type Report = z.infer<typeof report>;
const audited = z.array(z.looseObject({ recipient: z.string(), rule: z.string(), action: z.string() }));
const explanation = z.looseObject({ recipients: z.record(z.string(), report), audit: audited });
type Explained = z.infer<typeof explanation>;

/** What a command prints; its exit status in `status`. */
async function printed(command: () => Promise<void>): Promise<{ readonly text: string; readonly status: unknown }> {
  const texts: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    texts.push(String(chunk));
    return true;
  });
  process.exitCode = 0;
  try {
    await command();
    return { text: texts.join(''), status: process.exitCode };
  } finally {
    spy.mockRestore();
    process.exitCode = undefined;
  }
}

const printedJson = async (command: () => Promise<void>): Promise<unknown> => JSON.parse((await printed(command)).text);

let hop: FakeSmtp;
let notices: FakeSmtp;
let site: Site;
let gateway: RunningGateway;
/** The first set is in force when the gateway starts; the others are put in its place while it runs. */
const FIRST = Object.keys(SETS)[0] ?? '';
const RULES = 'rules/10-test.yaml';

beforeAll(async () => {
  hop = await startFakeSmtp();
  notices = await startFakeSmtp();
  site = await makeSite(
    `smtp: { listen: ["127.0.0.1:0"], hostname: mx.example.org }
domains: [example.org]
scan: { threads: 1 }
detectors: { content: {}, signatures: {}, links: { lists: [./bad.txt] }, antispam: {}, marker: { module: ./marker.mjs } }
delivery: { nextHop: "${hop.url}?tls=off" }
notifications: { from: "Gatepost <gatepost@example.org>", general: [security@example.org], server: "${notices.url}?tls=off" }
http: { listen: off }
`,
    {
      [RULES]: SETS[FIRST] ?? '',
      'rules/lists/helpers.txt': 'deputy@example.org\n',
      'empty/10-none.yaml': 'rules: []\n',
      'marker.mjs': MARKER,
      'bad.txt': 'bad.example\n',
    },
  );
  await mkdir(path.join(site.folder, 'mails'));
  await mkdir(path.join(site.folder, 'stored'));
  for (const { name, bytes, sender, recipients } of SAMPLES) {
    await writeFile(path.join(site.folder, 'mails', `${name}.eml`), bytes);
    const head = `Return-Path: <${sender}>\r\n${recipients.map((one) => `Delivered-To: ${one}\r\n`).join('')}`;
    await writeFile(path.join(site.folder, 'stored', `${name}.eml`), Buffer.concat([Buffer.from(head), bytes]));
  }
  gateway = await startGatewayProcess(site);
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([hop.close(), notices.close(), site.remove()]);
});

/** Puts a rule set in force, as an editor does. */
async function putInForce(set: string): Promise<void> {
  if (set === FIRST) return;
  const said = (): number => gateway.log.filter((line) => line.includes('the changed settings are in force')).length;
  const before = said();
  const file = path.join(site.folder, RULES);
  await writeFile(`${file}.new`, SETS[set] ?? '');
  await rename(`${file}.new`, file);
  await until('the rules to be in force', () => Promise.resolve(said() > before));
}

const SESSION = { client: '127.0.0.1', helo: 'partner.example' };

describe.each(Object.keys(SETS))('the rule set %s', (set) => {
  let explained: ReadonlyMap<string, Explained>;
  const of = (mail: Sample): Explained => {
    const found = explained.get(mail.name);
    if (found === undefined) throw new Error(`${mail.name} was not explained`);
    return found;
  };

  beforeAll(async () => {
    await putInForce(set);
    const texts = new Map<string, Explained>();
    for (const { name, sender, recipients } of SAMPLES) {
      const file = path.join(site.folder, 'mails', `${name}.eml`);
      const options = { ...SESSION, sender, recipient: recipients, config: site.config, json: true };
      texts.set(name, explanation.parse(await printedJson(async () => await explain(file, options))));
    }
    explained = texts;
  });

  it('is accepted by check', async () => {
    expect(await printed(async () => await check({ config: site.config }))).toMatchObject({ status: 0 });
  });

  it('comes to the same with `gatepost test`', async () => {
    const cases = SAMPLES.map((mail) => ({
      name: mail.name,
      message: `../../mails/${mail.name}.eml`,
      envelope: { ...SESSION, sender: mail.sender, recipients: mail.recipients },
      expect: Object.fromEntries(
        Object.entries(of(mail).recipients).map(([recipient, got]) => [
          recipient,
          expectationOf(got, of(mail), recipient),
        ]),
      ),
    }));
    await mkdir(path.join(site.folder, 'rules', 'tests'), { recursive: true });
    await writeFile(path.join(site.folder, 'rules', 'tests', 'all.yaml'), stringify(cases));
    const { text, status } = await printed(async () => await test([], { config: site.config }));
    await rm(path.join(site.folder, 'rules', 'tests'), { recursive: true });
    expect(text).toContain(`${SAMPLES.length} cases passed`);
    expect(status).toBe(0);
  });

  it('comes to the same with `gatepost replay`', async () => {
    const folder = path.join(site.folder, 'stored');
    const options = {
      against: path.join(site.folder, 'empty'),
      client: SESSION.client,
      config: site.config,
      json: true,
    };
    const shape = z.object({
      messages: z.number(),
      changed: z.array(z.looseObject({ message: z.string(), recipient: z.string(), before: outcome, after: outcome })),
    });
    const { messages, changed } = shape.parse(await printedJson(async () => await replay(folder, options)));
    expect(messages).toBe(SAMPLES.length);
    for (const mail of SAMPLES) {
      for (const [recipient, got] of Object.entries(of(mail).recipients)) {
        const change = changed.find((one) => one.message === `${mail.name}.eml` && one.recipient === recipient);
        // What the built-in rule decides under both sets does not change.
        if (got.rule === 'default') expect([mail.name, recipient, change]).toEqual([mail.name, recipient, undefined]);
        else expect([mail.name, recipient, change?.before]).toEqual([mail.name, recipient, outcome.parse(got)]);
      }
    }
  });

  describe('in a running gateway', () => {
    const replies = new Map<string, string>();
    let earlier = { hop: 0, notices: 0 };

    beforeAll(async () => {
      earlier = { hop: hop.mails.length, notices: notices.mails.length };
      for (const mail of SAMPLES) {
        const said = await sendMail('127.0.0.1', gateway.port, mail);
        replies.set(mail.name, said);
      }
    });

    it('the client gets the reply', () => {
      for (const mail of SAMPLES) {
        const reports = Object.values(of(mail).recipients);
        const said = replies.get(mail.name) ?? '';
        const refused = reports.filter(({ action }) => action === 'reject' || action === 'defer');
        const [first] = refused;
        if (first?.reply === undefined || refused.length < reports.length)
          expect([mail.name, said]).toEqual([mail.name, expect.stringMatching(/^250 /)]);
        else
          expect([mail.name, said]).toEqual([
            mail.name,
            expect.stringContaining(`${first.reply.code} ${first.reply.enhanced} ${first.reply.text}`),
          ]);
      }
    });

    it('the next hop gets the changed bytes', async () => {
      for (const mail of SAMPLES) {
        for (const [recipient, got] of Object.entries(of(mail).recipients)) {
          const arrived = (): FakeMail[] =>
            hop.mails.slice(earlier.hop).filter((one) => isFor(one, mail, got.redirect ?? [recipient]));
          const delivered = got.action === 'deliver' || got.action === 'delete-attachment';
          if (delivered) await until(`${mail.name} to arrive`, () => Promise.resolve(arrived().length > 0));
          const [copy, ...more] = arrived().filter((one) => !one.rcptTo.some((to) => to.includes('archive@')));
          expect([mail.name, recipient, more.length]).toEqual([mail.name, recipient, 0]);
          if (!delivered) expect([mail.name, recipient, copy]).toEqual([mail.name, recipient, undefined]);
          else expectChanged(copy?.bytes ?? Buffer.alloc(0), mail, got);
        }
      }
    });

    it('those who are to know are told, and nobody else', async () => {
      const wanted = SAMPLES.flatMap((mail) => [
        ...new Set(
          Object.values(of(mail).recipients).flatMap(({ notify }) =>
            notify.flatMap(({ to, template }) => to.map((one) => `${template} ${one}`)),
          ),
        ),
      ]);
      const got = (): string[] =>
        notices.mails.slice(earlier.notices).flatMap(({ rcptTo }) => rcptTo.map((to) => /<(.*?)>/.exec(to)?.[1] ?? to));
      await until('all to be told', () => Promise.resolve(got().length >= wanted.length));
      expect(got().sort()).toEqual(wanted.map((text) => text.split(' ')[1]).sort());
    });

    it('the journal and the quarantine say the same', async () => {
      const shape = z.looseObject({
        decisions: z.array(
          z.looseObject({
            recipient: z.string(),
            rule: z.string(),
            action: z.string(),
            quarantine: z.boolean(),
            tags: z.array(z.string()),
            fired: z.array(z.looseObject({ key: z.string() })),
            changes: z.array(z.string()),
          }),
        ),
        audit: audited,
        notifications: z.array(
          z.looseObject({ kind: z.string(), to: z.string(), template: z.string(), state: z.string() }),
        ),
      });
      const kept = z
        .array(z.looseObject({ id: z.string(), recipients: z.array(z.string()), rule: z.string() }))
        .parse(await printedJson(async () => await listQuarantine({ config: site.config, json: true })));
      for (const mail of SAMPLES) {
        const id = /\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/.exec(replies.get(mail.name) ?? '')?.[0] ?? '';
        const told = await until('the journal to be written', async () => {
          const { text } = await printed(async () => await trace(id, { config: site.config, json: true }));
          return text === '' ? undefined : text;
        });
        const story = shape.parse(JSON.parse(told));
        const { recipients, audit } = of(mail);
        expect([
          mail.name,
          story.decisions.map((one) => [
            one.recipient,
            one.rule,
            one.action,
            one.quarantine,
            one.tags,
            one.fired.map(({ key }) => key),
            one.changes,
          ]),
        ]).toEqual([
          mail.name,
          Object.entries(recipients).map(([recipient, one]) => [
            recipient,
            one.rule,
            one.action,
            one.quarantine,
            one.tags,
            one.fired.map(({ response }) => response),
            one.edits,
          ]),
        ]);
        expect(story.audit.map(({ recipient, rule, action }) => [recipient, rule, action])).toEqual(
          audit.map(({ recipient, rule, action }) => [recipient, rule, action]),
        );
        const quarantined = Object.entries(recipients)
          .filter(([, one]) => one.quarantine)
          .map(([recipient]) => recipient);
        expect([mail.name, kept.find((item) => item.id === id)?.recipients ?? []]).toEqual([mail.name, quarantined]);
        const owed = new Set(
          Object.values(recipients).flatMap(({ notify }) =>
            notify.flatMap(({ to, template }) => to.map((one) => `${template} ${one}`)),
          ),
        );
        expect([
          mail.name,
          story.notifications
            .filter(({ kind, state }) => kind === 'rule' && state !== 'suppressed')
            .map(({ to, template }) => `${template} ${to}`)
            .sort(),
        ]).toEqual([mail.name, [...owed].sort()]);
      }
    });
  });
});

/** The outcome as a test case would expect it. */
function expectationOf(got: Report, { audit }: Explained, recipient: string): object {
  const { rule, action, quarantine, tags, headers: changes, warn, disclaimer, copy, redirect = [], route = '' } = got;
  return {
    ...{ rule, action, quarantine, tags, headers: changes, warn, disclaimer, copy, redirect, route },
    ...(got.reply === undefined ? {} : { reply: got.reply }),
    fired: got.fired.map(({ response }) => response),
    notify: Object.fromEntries(got.notify.map(({ group, to, template }) => [group, { to, template }])),
    suppressed: [...new Set(got.suppressed.map(({ group }) => group))],
    audit: audit.filter((one) => one.recipient === recipient).map((one) => one.rule),
  };
}

function isFor({ rcptTo, bytes }: FakeMail, { name }: Sample, addresses: readonly string[]): boolean {
  return (
    rcptTo.some((to) => addresses.some((one) => to.includes(`<${one}>`))) && bytes.includes(`X-Sample: ${name}\r\n`)
  );
}

/** What arrived is the original with the changes that were told, and no others. */
function expectChanged(bytes: Buffer, mail: Sample, got: Report): void {
  const text = bytes.toString('latin1');
  if (got.edits.length === 0) {
    expect([mail.name, bytes.subarray(-mail.bytes.length).equals(mail.bytes)]).toEqual([mail.name, true]);
    return;
  }
  const subject = /^Subject: (.*(?:\r\n[ \t].*)*)/m.exec(text)?.[1] ?? '';
  if (/^[\x20-\x7e]*$/.test(subject) && !subject.includes('=?'))
    expect([mail.name, subject.startsWith(got.tags.join(' '))]).toEqual([mail.name, true]);
  for (const [name, value] of Object.entries(got.headers.set))
    expect(text).toMatch(new RegExp(`^${name}: ${value}\r$`, 'm'));
  for (const [name, values] of Object.entries(got.headers.add))
    for (const value of [values].flat()) expect(text).toMatch(new RegExp(`^${name}: ${value}\r$`, 'm'));
  for (const name of got.headers.remove) expect(text).not.toMatch(new RegExp(`^${name}:`, 'm'));
  if (got.action === 'delete-attachment') expect(bytes.length).not.toBe(mail.bytes.length);
}

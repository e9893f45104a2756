import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eicar } from '../../src/cli/demo/messages.js';
import { sendMail } from '../../src/cli/demo/smtp-client.js';
import { startFakeSmtp, type FakeSmtp } from '../support/fake-smtp.js';
import { makeSite, runGatepost, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { makeMail } from '../support/mail.js';
import { until } from '../support/until.js';
import { makeZip } from '../support/zip.js';

const RULES = `rules:
  - id: blocked
    name: Blocked
    match: { recipient: ["gone@example.org"] }
    process: reject
  - id: strip
    name: No programs
    match: { recipient: ["strip@example.org"] }
    on:
      content:
        - id: exe
          name: Programs
          when: { attachment.extension: [exe] }
          action: delete-attachment
          quarantine: true
          notify: [recipients]
  - id: tagged
    name: Tagged
    match: { recipient: ["tag@example.org"] }
    on:
      content:
        - { id: exe, name: Programs, when: { attachment.extension: [exe] }, tag: "[EXE]" }
  - id: inbound
    name: Inbound
    match: { recipient: ["*@example.org"] }
    on:
      malware: { action: reject, quarantine: true, notify: [general, sender, recipients, additional] }
    notify: { additional: [helpdesk@example.org] }
`;

let hop: FakeSmtp;
let site: Site;
let gateway: RunningGateway;

beforeAll(async () => {
  hop = await startFakeSmtp();
  site = await makeSite(
    `smtp: { listen: ["127.0.0.1:0"], maxMessageSize: 1MiB }
domains: [example.org]
trusted: []
delivery: { nextHop: "${hop.url}?tls=off" }
notifications: { general: [security@example.org], external: always }
`,
    { 'rules/50-test.yaml': RULES },
  );
  gateway = await startGatewayProcess(site);
});

afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  await hop.close();
  await site.remove();
});

const send = (recipients: readonly string[], bytes: Buffer): Promise<string> =>
  sendMail('127.0.0.1', gateway.port, { sender: 'a@partner.example', recipients, bytes });

const idIn = (reply: string): string => /\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/.exec(reply)?.[0] ?? '';
const mailsTo = (address: string) => hop.mails.filter((m) => m.rcptTo.some((to) => to.includes(address)));

describe('mail goes through', () => {
  it('untouched mail arrives byte for byte, below our own fields', async () => {
    const bytes = makeMail('Hello,\r\n.\r\n..two dots\r\nlast line without an end', [
      { name: 'a.bin', bytes: Buffer.from([0, 1, 2, 255]) },
    ]);
    const reply = await send(['plain@example.org'], bytes);
    expect(reply).toMatch(/^250 2\.0\.0 Ok: queued as [0-9A-Z]{26}$/);
    const [mail] = mailsTo('plain@example.org');
    const text = mail?.bytes.toString('latin1') ?? '';
    const sent = bytes.toString('latin1');
    expect(text.slice(-sent.length)).toBe(sent);
    const top = text.slice(0, -sent.length);
    expect(top).toMatch(
      new RegExp(
        `^X-Gatepost-ID: ${idIn(reply)}\\r\\nX-Gatepost-Rule: inbound\\r\\nX-Gatepost-Action: deliver\\r\\nX-Gatepost-Status: content=clean; signatures=clean; links=clean;\\s+antispam=clean\\r\\nReceived: from partner\\.example[^]*\\sid ${idIn(reply)}[^]*\\r\\n$`,
      ),
    );
  });

  it('takes out fields that only the gateway may write', async () => {
    await send(
      ['forged@example.org'],
      Buffer.concat([Buffer.from('X-Gatepost-Rule: trusted\r\nX-GATEPOST-Action:\r\n deliver\r\n'), makeMail('x')]),
    );
    const text = mailsTo('forged@example.org')[0]?.bytes.toString('latin1') ?? '';
    expect(text.match(/^X-Gatepost-(Rule|Action):.*$/gim)).toEqual([
      'X-Gatepost-Rule: inbound',
      'X-Gatepost-Action: deliver',
    ]);
  });

  it('two recipients under different rules get their own outcomes', async () => {
    const program = Buffer.from('MZ program');
    const reply = await send(
      ['strip@example.org', 'tag@example.org'],
      makeMail(
        'see attached',
        [
          { name: 'setup.exe', bytes: program },
          { name: 'notes.txt', bytes: Buffer.from('notes') },
        ],
        'Release',
      ),
    );
    expect(reply).toMatch(/^250 /);
    const stripped = mailsTo('strip@example.org')[0]?.bytes.toString('latin1') ?? '';
    const tagged = mailsTo('tag@example.org')[0]?.bytes.toString('latin1') ?? '';
    expect(stripped).not.toContain(program.toString('base64'));
    expect(stripped).toContain(Buffer.from('notes').toString('base64'));
    expect(stripped).toContain('X-Gatepost-Rule: strip\r\nX-Gatepost-Action: delete-attachment\r\n');
    expect(tagged).toContain(program.toString('base64'));
    expect(tagged).toMatch(/^Subject: \[EXE\] Release\r$/m);
  });

  it('a refused recipient beside an accepted one does not stop the accepted one', async () => {
    expect(await send(['gone@example.org', 'other@example.org'], makeMail('x'))).toMatch(/^250 /);
    expect(mailsTo('other@example.org')).toHaveLength(1);
    expect(mailsTo('gone@example.org')).toHaveLength(0);
    expect(await send(['gone@example.org'], makeMail('x'))).toMatch(/^550 5\.7\.1 /);
  });

  it('is no open relay, and refuses what is too large', async () => {
    expect(await send(['x@elsewhere.example'], makeMail('x'))).toMatch(/^550 5\.7\.1 .*domains/);
    expect(await send(['plain@example.org'], makeMail('x'.repeat(70).concat('\r\n').repeat(20_000)))).toMatch(
      /^552 5\.3\.4 /,
    );
    expect(
      await sendMail('127.0.0.1', gateway.port, {
        sender: 'a@b.example',
        recipients: ['plain@example.org'],
        bytes: Buffer.alloc(2 ** 21, 'x'),
        declareSize: true,
      }),
    ).toMatch(/^552 5\.3\.4 /);
  });

  it('what the next hop refuses is refused in the session', async () => {
    hop.script = { rcpt: (argument) => (argument.includes('nobody@') ? '550 5.1.1 No such user' : undefined) };
    expect(await send(['nobody@example.org'], makeMail('x'))).toMatch(/^550 5\.1\.1 .*No such user/);
    hop.script = {};
  });
});

describe('malware in a zip in a zip', () => {
  let reply = '';
  let id = '';

  beforeAll(async () => {
    const inner = makeZip([{ name: 'invoice.com', bytes: eicar() }]);
    reply = await send(
      ['victim@example.org'],
      makeMail('pay', [{ name: 'invoice.zip', bytes: makeZip([{ name: 'inner.zip', bytes: inner }]) }], 'Invoice'),
    );
    id = idIn(reply);
  });

  it('is refused in the session with the ID', () => {
    expect(reply).toMatch(/^5\d\d 5\.7\.\d .*[0-9A-Z]{26}/);
    expect(mailsTo('victim@example.org').filter((m) => m.bytes.includes('Subject: Invoice\r\n'))).toEqual([]);
  });

  it('each group gets exactly one mail, with the ID that trace finds', async () => {
    const expected = ['security@example.org', 'a@partner.example', 'victim@example.org', 'helpdesk@example.org'];
    const about = () => hop.mails.filter((m) => m.bytes.includes(`X-Gatepost-Notification: ${id}`));
    await until('the four notifications', () => Promise.resolve(about().length >= 4));
    for (const address of expected) expect(about().filter((m) => m.rcptTo.join().includes(address))).toHaveLength(1);
    for (const mail of about()) {
      expect(mail.mailFrom).toMatch(/<>/);
      expect(mail.bytes.toString('latin1')).toMatch(/^Auto-Submitted: auto-generated\r$/m);
    }
    const story = await until('the ledger', async () => {
      const found = traceShape.parse(
        JSON.parse((await runGatepost(['trace', id, '--json', '--config', site.config])).stdout),
      );
      return found.notifications.length === 4 && found.notifications.every((n) => n.state === 'sent') && found;
    });
    expect(story.id).toBe(id);
    expect(story.findings).toContainEqual(
      expect.objectContaining({
        module: 'signatures',
        status: 'infected',
        object: 'invoice.zip/inner.zip/invoice.com',
      }),
    );
    expect(story.decisions).toEqual([
      expect.objectContaining({ recipient: 'victim@example.org', rule: 'inbound', action: 'reject', quarantine: true }),
    ]);
    expect(story.notifications.map((n) => n.to).sort()).toEqual([...expected].sort());
    expect(story.reply).toBe(reply);
  });

  it('the original lies in the quarantine and can be released, once', async () => {
    const list = z
      .array(z.looseObject({ id: z.string(), sender: z.string(), state: z.string() }))
      .parse(JSON.parse((await runGatepost(['quarantine', 'list', '--json', '--config', site.config])).stdout));
    expect(list.find((i) => i.id === id)).toMatchObject({
      sender: 'a@partner.example',
      recipients: ['victim@example.org'],
      subject: 'Invoice',
      rule: 'inbound',
      state: 'stored',
    });
    const raw = await runGatepost(['quarantine', 'show', id, '--raw', '--config', site.config]);
    expect(raw.stdout).toContain('Subject: Invoice');
    const released = await runGatepost(['quarantine', 'release', id, '--config', site.config]);
    expect([released.status, released.stderr]).toEqual([0, '']);
    await until('the released mail', () =>
      Promise.resolve(mailsTo('victim@example.org').some((m) => m.bytes.includes('X-Gatepost-Action: released'))),
    );
    const again = await runGatepost(['quarantine', 'release', id, '--config', site.config]);
    expect(again.status).toBe(1);
    expect(again.stderr).toContain('released already');
  });
});

const traceShape = z.object({
  id: z.string(),
  findings: z.array(z.looseObject({})),
  decisions: z.array(z.looseObject({})),
  deliveries: z.array(z.looseObject({})),
  notifications: z.array(z.looseObject({ to: z.string(), state: z.string() })),
  reply: z.string(),
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sendMail } from '../../src/cli/demo/smtp-client.js';
import { startFakeSmtp, type FakeSmtp } from '../support/fake-smtp.js';
import { freePort } from '../support/free-port.js';
import { makeSite, runGatepost, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { until } from '../support/until.js';

let hop: FakeSmtp;
let other: FakeSmtp;
let late: FakeSmtp | undefined;
let latePort: number;
let site: Site;
let gateway: RunningGateway;

/** A rule for one recipient that does the same with every mail. */
const rule = (name: string, response: string): string => `  - id: ${name}
    match: { recipient: [${name}@example.org] }
    on: { content: [ { id: all, when: { size: { over: 0 } }, ${response} } ] }
`;

beforeAll(async () => {
  hop = await startFakeSmtp();
  other = await startFakeSmtp();
  latePort = await freePort();
  const rules = [
    rule('redirected', 'redirect: [boss@other.example], tag: "[To you]"'),
    rule('copied', 'copy: [audit@example.org]'),
    rule('rejected', 'action: reject, copy: [audit@example.org]'),
    rule('discarded', 'action: discard, copy: [audit@example.org]'),
    rule('deferred', 'action: defer, copy: [audit@example.org]'),
    rule('looping', 'copy: [looping@example.org]'),
    rule('routed', `route: "${other.url}?tls=off"`),
    rule('dead', `route: "smtp://127.0.0.1:${latePort}?tls=off"`),
    rule('warned', 'warn: own, disclaimer: disclaimer'),
    rule('headers', 'headers: { add: { X-Note: [one, zwei ä] }, remove: [X-Old] }'),
  ];
  site = await makeSite(
    `smtp: { listen: ["127.0.0.1:0"] }
domains: [example.org]
delivery: { nextHop: "${hop.url}?tls=off", retry: { delays: [1s], lifetime: 1h } }
templates: ./templates
notifications: { from: "Gatepost <gatepost@example.org>" }
`,
    {
      'rules/10-test.yaml': `rules:\n${rules.join('')}`,
      'templates/en/own.hbs': '---\nkind: banner\nformat: both\n---\n<p>From {{sender}}: {{subject}} {{unknown}}</p>\n',
    },
  );
  gateway = await startGatewayProcess(site);
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([hop.close(), other.close(), late?.close()]);
  await site.remove();
});

let sent = 0;
/** @returns the reply, or the refusal */
async function send(
  recipients: readonly string[],
  body = 'Hello\r\n',
  head = '',
): Promise<{ reply: string; bytes: Buffer }> {
  const bytes = Buffer.from(`From: a@partner.example\r\nSubject: mail ${(sent += 1)}\r\n${head}\r\n${body}`);
  const mail = { sender: 'a@partner.example', recipients: recipients.map((name) => `${name}@example.org`), bytes };
  const reply = await sendMail('127.0.0.1', gateway.port, mail).catch((error: unknown) => String(error));
  return { reply, bytes };
}

const arrivals = (server: FakeSmtp, address: string, bytes: Buffer) =>
  server.mails.filter(
    (mail) => mail.rcptTo.some((to) => to.includes(address)) && mail.bytes.includes(subjectOf(bytes)),
  );
const subjectOf = (bytes: Buffer): string => /Subject: (.*)\r\n/.exec(bytes.toString())?.[0] ?? '';
const copies = (bytes: Buffer) => arrivals(hop, 'audit@example.org', bytes);

describe('other recipients', () => {
  it('get the changed mail instead of those it was for', async () => {
    const { reply } = await send(['redirected']);
    expect(reply).toMatch(/^250 /);
    const [mail, ...more] = hop.mails.filter(({ rcptTo }) => rcptTo.some((to) => to.includes('boss@other.example')));
    expect(more).toEqual([]);
    expect(mail?.rcptTo).toHaveLength(1);
    expect(mail?.bytes.toString()).toContain('Subject: [To you] mail');
  });
});

describe('blind copies', () => {
  it('are the original, whatever the action, from our own address', async () => {
    for (const [to, reply] of [
      ['copied', /^250 /],
      ['rejected', /550/],
      ['discarded', /^250 /],
    ] as const) {
      const one = await send([to]);
      expect(one.reply).toMatch(reply);
      await until('the copy', () => Promise.resolve(copies(one.bytes).length > 0));
      const [copy] = copies(one.bytes);
      expect(copy?.mailFrom).toContain('<gatepost@example.org>');
      expect(copy?.bytes.subarray(-one.bytes.length).equals(one.bytes)).toBe(true);
    }
  });

  it('are one for each address, however many recipients and rules ask for them', async () => {
    const { bytes, reply } = await send(['copied', 'rejected', 'discarded']);
    expect(reply).toMatch(/^250 /);
    await until('the copy', () => Promise.resolve(copies(bytes).length > 0));
    const next = await send(['copied']);
    await until('the next copy', () => Promise.resolve(copies(next.bytes).length > 0));
    expect(copies(bytes)).toHaveLength(1);
  });

  it('are not sent of a mail that is to come again', async () => {
    const { bytes, reply } = await send(['deferred']);
    expect(reply).toMatch(/451/);
    const both = await send(['deferred', 'rejected']);
    expect(both.reply).toMatch(/451/);
    const next = await send(['copied']);
    await until('a later copy', () => Promise.resolve(copies(next.bytes).length > 0));
    expect([copies(bytes), copies(both.bytes)]).toEqual([[], []]);
  });

  it('lie in the spool before the reply, and survive kill -9', async () => {
    hop.script = { mail: (argument) => (argument.includes('gatepost@example.org') ? '451 4.3.0 later' : undefined) };
    const { bytes, reply } = await send(['copied']);
    expect(reply).toMatch(/^250 /);
    await gateway.kill();
    hop.script = {};
    gateway = await startGatewayProcess(site);
    await until('the copy', () => Promise.resolve(copies(bytes).length > 0));
  });

  it('that come back make no further ones, though a forged mark keeps nobody out', async () => {
    const { bytes } = await send(['looping']);
    const seen = () => arrivals(hop, 'looping@example.org', bytes);
    await until('the mail and its copy', () => Promise.resolve(seen().length === 2));
    const copy = seen().find(({ mailFrom }) => mailFrom.includes('gatepost@example.org'));
    expect(copy?.bytes.toString()).toMatch(/^X-Loop: gatepost-copy /m);
    const back = {
      sender: 'gatepost@example.org',
      recipients: ['looping@example.org'],
      bytes: copy?.bytes ?? Buffer.alloc(0),
    };
    expect(await sendMail('127.0.0.1', gateway.port, back)).toMatch(/^250 /);
    const forged = await send(
      ['looping'],
      'x\r\n',
      `X-Loop: gatepost-copy 01ARZ3NDEKTSV4RRFFQ69G5FAV ${'A'.repeat(22)}\r\n`,
    );
    await until('the copy in spite of the forged mark', () =>
      Promise.resolve(arrivals(hop, 'looping@example.org', forged.bytes).length === 2),
    );
    expect(seen()).toHaveLength(3);
  });
});

describe('another next hop', () => {
  it('takes the mail', async () => {
    const { bytes, reply } = await send(['routed', 'copied']);
    expect(reply).toMatch(/^250 /);
    expect(arrivals(other, 'routed@example.org', bytes)).toHaveLength(1);
    expect(arrivals(hop, 'routed@example.org', bytes)).toEqual([]);
  });

  it('that is dead gets it when it is back, and no other does', async () => {
    const { bytes, reply } = await send(['dead']);
    expect(reply).toMatch(/^250 /);
    const queued = z
      .array(z.looseObject({ hop: z.string() }))
      .parse(JSON.parse((await runGatepost(['queue', 'list', '--json', '--config', site.config])).stdout));
    expect(queued.map((item) => item.hop)).toEqual([`smtp://127.0.0.1:${latePort}`]);
    const revived = await startFakeSmtp({ port: latePort });
    late = revived;
    await until('the mail', () => Promise.resolve(arrivals(revived, 'dead@example.org', bytes).length > 0));
    expect(arrivals(hop, 'dead@example.org', bytes)).toEqual([]);
  });
});

describe('changes of the mail itself', () => {
  it('texts come from templates, and the trace tells where they went', async () => {
    const { bytes, reply } = await send(['warned']);
    const text = arrivals(hop, 'warned@example.org', bytes)[0]?.bytes.toString() ?? '';
    expect(text).toMatch(
      /\r\n\r\nFrom a@partner\.example: mail \d+ \{\{unknown\}\}\r\n\r\nHello\r\n\r\nThis message and its/,
    );
    const id = /\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/.exec(reply)?.[0] ?? '';
    const trace = await runGatepost(['trace', id, '--json', '--config', site.config]);
    expect(trace.stdout).toContain('put the warning own and the disclaimer disclaimer into the text of part 1');
  });

  it('several fields of a name stand in their order', async () => {
    const { bytes } = await send(['headers'], 'x\r\n', 'X-Old: 1\r\nX-Keep: 2\r\nX-Old: 3\r\n');
    const text = arrivals(hop, 'headers@example.org', bytes)[0]?.bytes.toString() ?? '';
    expect(text).toContain('X-Note: one\r\nX-Note: =?utf-8?Q?zwei_=C3=A4?=\r\nFrom: a@partner.example');
    expect(text).toMatch(/Subject: mail \d+\r\nX-Keep: 2\r\n\r\nx\r\n$/);
  });
});

describe('gatepost check', () => {
  it('names the place of a next hop that is none, and of texts that there are not', async () => {
    const bad = await makeSite('domains: [example.org]\n', {
      'rules/10-a.yaml': `rules:\n${rule('one', 'route: "smtp://mx:25?tls=perhaps"')}${rule('two', 'warn: malicious-lnk')}${rule('three', 'notify: { general: disclaimer }')}${rule('four', 'redirect: []')}`,
    });
    try {
      const { stdout, status } = await runGatepost(['check', '--config', bad.config]);
      expect(status).toBe(1);
      expect(stdout).toMatch(/rules\/10-a\.yaml:4:\d+: error: .*tls= is required, opportunistic or off/);
      expect(stdout).toMatch(/rules\/10-a\.yaml:7:\d+: error: .*there is no template "malicious-lnk"/);
      expect(stdout).toContain('did you mean `malicious-link`?');
      expect(stdout).toMatch(/rules\/10-a\.yaml:10:\d+: error: .*the template "disclaimer" cannot stand here/);
      expect(stdout).toMatch(/rules\/10-a\.yaml:13:\d+: error: .*an empty list/);
      expect(stdout).not.toContain('not in force');
    } finally {
      await bad.remove();
    }
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sendMail } from '../../src/cli/demo/smtp-client.js';
import { keyRecord, rsa, signed } from '../authentication/sign.js';
import { FakeDns } from '../support/fake-dns.js';
import { makeSite, runGatepost, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { makeMail } from '../support/mail.js';
import { until } from '../support/until.js';
import { startFakeService } from '../support/verdict-service.js';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const RULES = `rules:
  - id: all
    name: All
    match: { recipient: ["*@example.org"] }
    on:
      external: { malicious: { action: discard } }
      anomaly: [{ name: bare-cr, action: deliver, headers: { add: { X-Odd: bare-cr } } }]
      dmarc: { fail: { policy-reject: { action: reject } } }
`;

async function site(detectors: string): Promise<Site> {
  const made = await makeSite(
    `smtp: { listen: ["127.0.0.1:0"], hostname: mx.example.org }
domains: [example.org]
trusted: []
delivery: { nextHop: "maildir:./inbox", retry: { delays: [1s] } }
detectors: ${detectors}
`,
    { 'rules/50-all.yaml': RULES },
  );
  closing.push(() => made.remove());
  return made;
}

async function started(made: Site): Promise<RunningGateway> {
  const gateway = await startGatewayProcess(made);
  closing.push(async () => gateway.process.exitCode ?? (await gateway.stop()));
  return gateway;
}

async function send(gateway: RunningGateway, bytes: Buffer, sender = 'a@partner.example'): Promise<string> {
  return await sendMail('127.0.0.1', gateway.port, { sender, recipients: ['b@example.org'], bytes });
}

async function queued(made: Site): Promise<unknown[]> {
  const { stdout } = await runGatepost(['queue', 'list', '--json', '--config', made.config]);
  return z.array(z.unknown()).parse(JSON.parse(stdout));
}

describe('a sandbox that takes its time', () => {
  it('the client gets its 250, the message waits in the spool, also over a crash, until there is a verdict', async () => {
    const said: { verdict?: unknown } = {};
    const asked = new Set<string>();
    const service = await startFakeService(({ method, body }, response) => {
      if (method === 'POST') asked.add(/"sha256":"(\w+)"/.exec(body)?.[1] ?? '');
      if (said.verdict !== undefined) return said.verdict;
      response.statusCode = 202;
      return { poll: '/later' };
    });
    closing.push(() => service.close());
    const made = await site(`{ external: { url: "${service.url}", verdictTimeout: 1s, onLate: hold } }`);
    const message = makeMail('Hello');
    const gateway = await started(made);
    // What only intake sees of it: the bytes in the spool do not show it any more.
    const odd = Buffer.concat([message, Buffer.from('one\rtwo\r\n')]);
    expect(await send(gateway, odd)).toMatch(/^250 2\.0\.0 Ok: queued as/);
    expect(await queued(made)).toHaveLength(1);
    await gateway.kill();

    const again = await started(made);
    const before = service.requests.length;
    await until('another question', () => Promise.resolve(service.requests.length > before));
    expect(await made.inbox()).toEqual([]);
    said.verdict = { findings: [] };
    await until('the message', async () => (await made.inbox()).length === 1);
    const [delivered] = await made.inbox();
    const kept = Buffer.concat([message, Buffer.from('one\r\ntwo\r\n')]);
    expect(delivered?.subarray(-kept.length)).toEqual(kept);
    expect(delivered?.toString('latin1')).toContain('X-Odd: bare-cr\r\n');
    // The service can know the message again.
    expect(asked.size).toBe(1);
    await until('an empty spool', async () => (await queued(made)).length === 0);

    said.verdict = undefined;
    expect(await send(again, makeMail('Another'))).toMatch(/^250 /);
    said.verdict = { findings: [{ status: 'malicious', name: 'X' }] };
    await until('an empty spool', async () => (await queued(made)).length === 0);
    expect(await made.inbox()).toHaveLength(1);
  });
});

describe('authentication', () => {
  const mail = [
    'Authentication-Results: mx.example.org; spf=pass; dmarc=pass',
    'Authentication-Results: mx.partner.example; none',
    'From: a@partner.example',
    'To: b@example.org',
    'Subject: Hello',
    '',
    'Hello',
    '',
  ].join('\r\n');

  it('writes its results on top, and removes what claims to be ours', async () => {
    const dns = await FakeDns.start({
      'partner.example': { TXT: ['v=spf1 ip4:127.0.0.1 -all'] },
      's1._domainkey.partner.example': { TXT: [keyRecord(rsa.publicKey)] },
      '_dmarc.partner.example': { TXT: ['v=DMARC1; p=reject'] },
    });
    closing.push(() => dns.close());
    const made = await site(`{ authentication: { dns: ["${dns.address}"] } }`);
    const gateway = await started(made);
    const options = { domain: 'partner.example', selector: 's1', key: rsa.privateKey };
    expect(await send(gateway, Buffer.from(signed(mail, options)))).toMatch(/^250 /);
    await until('the message', async () => (await made.inbox()).length === 1);
    const text = (await made.inbox())[0]?.toString('latin1') ?? '';
    const fields = text.slice(0, text.indexOf('\r\n\r\n')).split(/\r\n(?![ \t])/);
    const results = fields.filter((field) => /^authentication-results:/i.test(field));
    expect(results.map((field) => field.replace(/\r\n /g, ' ').replace(/header\.b=\S+;/, 'header.b=X;'))).toEqual([
      'Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=a@partner.example; ' +
        'dkim=pass header.d=partner.example header.s=s1 header.b=X; dmarc=pass header.from=partner.example; arc=none',
      'Authentication-Results: mx.partner.example; none',
    ]);
    expect(text).toContain('X-Gatepost-Status: authentication=clean');
    expect(text.endsWith(mail.slice(mail.indexOf('From:')))).toBe(true);

    expect(await send(gateway, Buffer.from(mail), 'x@elsewhere.example')).toMatch(/^550 5\.7\.1 /);
  });
});

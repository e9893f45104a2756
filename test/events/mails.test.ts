import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFakeSmtp, type FakeSmtp } from '../support/fake-smtp.js';
import { makeSite, runGatepost, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { until } from '../support/until.js';

let hop: FakeSmtp;
let server: FakeSmtp;
let site: Site;
let gateway: RunningGateway;

const RECIPIENTS = ['postmaster@example.org', 'noc@example.org'];

beforeAll(async () => {
  hop = await startFakeSmtp();
  server = await startFakeSmtp();
  site = await makeSite(`smtp: { listen: ["127.0.0.1:0"] }
domains: [example.org]
health: 1s
node: { name: gw1, address: 10.0.0.11, comment: "rack 2", timezone: Europe/Berlin }
delivery: { nextHop: "${hop.url}?tls=off" }
notifications:
  server: "${server.url}?tls=off"
  events: { changeInterval: 2s, recipients: [ { to: [${RECIPIENTS.join(', ')}] } ] }
`);
  gateway = await startGatewayProcess(site);
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([hop.close(), server.close()]);
  await site.remove();
});

async function mailWith(subject: RegExp) {
  const mail = await until(`a mail ${subject}`, async () => {
    for (const { bytes } of server.mails) {
      const parsed = await simpleParser(bytes);
      if (subject.test(parsed.subject ?? '')) return parsed;
    }
    return undefined;
  });
  return mail;
}

describe('mails about events', () => {
  it('tell the set in one mail when a next hop is gone, and when it is back', async () => {
    const { port } = hop;
    await hop.close();
    const gone = await mailWith(/critical: Next hop takes no mail/);
    const [first] = server.mails;
    expect(first?.mailFrom).toContain('<>');
    expect(first?.rcptTo.map((line) => line.replace(/.*<|>.*/g, ''))).toEqual(RECIPIENTS);
    expect(gone.headers.get('x-gatepost-event')).toBe('next-hop-unavailable');
    expect(gone.headers.get('auto-submitted')).toBe('auto-generated');
    expect(gone.headers.get('x-auto-response-suppress')).toBe('All');
    expect(gone.text).toContain('[critical, next-hop-unavailable]');
    expect(gone.text).toContain('10.0.0.11');
    expect(gone.text).toContain('rack 2');
    expect(gone.text).toMatch(/last seen \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0[12]:00/);

    hop = await startFakeSmtp({ port });
    const back = await mailWith(/over: Next hop takes no mail/);
    expect(back.text).toMatch(/over at \d{4}-/);
    expect(back.messageId).not.toBe(gone.messageId);
    // Nothing was told twice.
    expect(new Set(server.mails.map(({ bytes }) => /^Message-ID: .*$/m.exec(bytes.toString())?.[0])).size).toBe(
      server.mails.length,
    );

    const { stdout } = await runGatepost(['events', '--json', '--config', site.config]);
    expect(JSON.parse(stdout)).toMatchObject({ active: [], resolved: [{ event: 'next-hop-unavailable' }] });
  });
});

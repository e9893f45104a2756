import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eicar } from '../../src/cli/demo/messages.js';
import { sendMail } from '../../src/cli/demo/smtp-client.js';
import { startFakeSmtp, type FakeSmtp } from '../support/fake-smtp.js';
import { makeSite, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { makeMail } from '../support/mail.js';
import { redisMissing, startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

describe.skipIf(redisMissing)('a stop while everything hangs', () => {
  let redis: TestRedis;
  let server: FakeSmtp;
  let site: Site;
  let gateway: RunningGateway;

  beforeAll(async () => {
    redis = await startRedis();
    server = await startFakeSmtp({ script: { end: 'hang' } });
    site = await makeSite(
      `smtp: { listen: ["127.0.0.1:0"], timeouts: { stop: 1s } }
domains: [example.org]
delivery: { nextHop: "maildir:./inbox" }
notifications: { server: "${server.url}?tls=off", general: [security@example.org] }
queue: "${redis.url}"
`,
      {
        'rules/50-test.yaml': `rules:
  - { id: inbound, name: Inbound, match: { recipient: ["*@example.org"] }, on: { malware: { action: discard, notify: [general] } } }
`,
      },
    );
    gateway = await startGatewayProcess(site);
  });
  afterAll(async () => {
    await gateway.kill();
    await server.close();
    await redis.dispose();
    await site.remove();
  });

  it('comes to its end, with a mail under way to a server that says nothing, and a queue that answers no more', async () => {
    const virus = makeMail('See the file.', [{ name: 'eicar.com', bytes: eicar() }]);
    const mail = { sender: 'a@partner.example', recipients: ['b@example.org'], bytes: virus };
    expect(await sendMail('127.0.0.1', gateway.port, mail)).toMatch(/^250/);
    await until('the notification under way', () =>
      Promise.resolve(server.dialogue.some((line) => line.endsWith(' DATA'))),
    );
    redis.pause();
    expect(await gateway.stop()).toBe(0);
    expect(gateway.log.join('')).toContain('"msg":"stopped"');
  });
});

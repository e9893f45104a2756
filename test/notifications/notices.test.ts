import { connect } from 'node:net';
import { simpleParser } from 'mailparser';
import { expect, test } from 'vitest';
import { makeSite, startGatewayProcess } from '../support/gateway.js';

const CONFIG = `
smtp: { listen: "127.0.0.1:0" }
domains: [example.org]
trusted: []
delivery: { nextHop: "maildir:./inbox" }
notifications: { admins: [postmaster@example.org], notices: { policy: true } }
`;

/** Says the lines one behind the other, each after the reply to the one before. */
async function talk(port: number, lines: readonly string[]): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  const rest = [...lines];
  socket.on('data', () => {
    const line = rest.shift();
    if (line === undefined) socket.end();
    else socket.write(`${line}\r\n`);
  });
  await new Promise((resolve, reject) => socket.once('close', resolve).once('error', reject));
}

test('a client that may not relay is told to the admins, with the session', async () => {
  const site = await makeSite(CONFIG);
  try {
    const gateway = await startGatewayProcess(site);
    try {
      await talk(gateway.port, ['HELO stranger.test', 'MAIL FROM:<a@x.test>', 'RCPT TO:<b@elsewhere.test>', 'QUIT']);
      await expect.poll(async () => (await site.inbox()).length).toBe(1);
      const mail = await simpleParser((await site.inbox())[0] ?? '');
      expect(mail.subject).toBe('[Gatepost] Refused by policy: 127.0.0.1');
      expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
      expect(mail.text).toContain('C: RCPT TO:<b@elsewhere.test>');
      expect(mail.text).toMatch(/S: 550 5\.7\.1 /);
    } finally {
      await gateway.stop();
    }
  } finally {
    await site.remove();
  }
});

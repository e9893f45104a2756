import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { PROGRAM_FOLDER } from '../../src/config/load.js';
import type { RulePayload } from '../../src/notifications/webhooks/payload.js';
import { postTo } from '../../src/notifications/webhooks/post.js';

const FOLDER = path.join(PROGRAM_FOLDER, 'docs', 'examples', 'webhooks');
const SECRET = 'a-secret';
const HOSTILE = '<!channel>|x=1\\ [a](https://evil.example)';

const PAYLOAD: RulePayload = {
  version: 1,
  kind: 'rule',
  id: 'n0123456789',
  traceId: '01M80E88V5V7DR49DTRBTTV37Y',
  time: '2026-11-21T12:00:00.000Z',
  node: 'gw1',
  severity: 'error',
  message: {
    messageId: 'x@partner.example',
    sender: `${HOSTILE}\r\n<1>forged@partner.example`,
    senderIp: '192.0.2.7',
    recipients: ['bob@example.org'],
    affectedRecipients: ['bob@example.org'],
    subject: HOSTILE,
    size: 1,
  },
  rules: [{ id: 'inbound', name: 'Inbound' }],
  action: 'rejected',
  quarantined: true,
  objects: [{ name: 'a.exe', size: 1, status: 'infected', module: 'signatures', threat: 'Eicar-Test' }],
  objectsOmitted: 0,
};

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function start(script: string, environment: NodeJS.ProcessEnv): Promise<{ port: number; child: ChildProcess }> {
  const child = spawn(process.execPath, [path.join(FOLDER, script)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, WEBHOOK_SECRET: SECRET, PORT: '0', ...environment },
  });
  closers.push(() => void child.kill());
  const port = await new Promise<number>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /^listening on (\d+)$/.exec(line)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
  });
  return { port, child };
}

async function post(port: number, secret = SECRET, now = Date.now()): Promise<string> {
  const url = new URL(`http://127.0.0.1:${port}/`);
  const hook = { id: 'h', url, name: 'h', secret, kinds: ['rule' as const], timeout: 5000, maxWaiting: 1 };
  return (await postTo(hook, PAYLOAD, now)).reply.slice(0, 8);
}

describe('the receivers of the documentation', () => {
  it('take what is signed, once, and nothing that is forged or old', async () => {
    const lines: string[] = [];
    const { port, child } = await start('receive.mjs', {});
    if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    expect(await post(port, 'another')).toBe('HTTP 401');
    expect(await post(port, SECRET, Date.now() - 600_000)).toBe('HTTP 401');
    expect(await post(port)).toBe('HTTP 204');
    expect(await post(port)).toBe('HTTP 204');
    await expect.poll(() => lines).toEqual([JSON.stringify(PAYLOAD)]);
  });

  it.each(['slack', 'teams'])(
    '%s gets a text whose marks have no effect; when it fails, Gatepost comes again',
    async (format) => {
      const bodies: string[] = [];
      let status = 500;
      const chat = createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          bodies.push(Buffer.concat(chunks).toString());
          response.writeHead(status).end();
        });
      });
      await new Promise<void>((resolve) => {
        chat.listen(0, '127.0.0.1', resolve);
      });
      closers.push(() => {
        chat.closeAllConnections();
        chat.close();
      });
      const address = chat.address();
      const target = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`;
      const { port } = await start('chat.mjs', { TARGET_URL: target, TARGET_FORMAT: format });
      expect(await post(port)).toBe('HTTP 503');
      status = 200;
      expect(await post(port)).toBe('HTTP 204');
      expect(bodies).toHaveLength(2);
      expect(bodies[1]).toContain('Eicar');
      expect(bodies[1]).toContain(PAYLOAD.traceId);
      expect(bodies[1]).not.toContain('<!channel>');
      if (format === 'teams') expect(bodies[1]).not.toContain('[a](https');
    },
  );

  it('syslog gets one line of CEF', async () => {
    const socket = createSocket('udp4');
    const packets: string[] = [];
    socket.on('message', (packet) => packets.push(packet.toString()));
    await new Promise<void>((resolve) => {
      socket.bind(0, '127.0.0.1', resolve);
    });
    closers.push(() => socket.close());
    const { port } = await start('syslog-cef.mjs', { SYSLOG_PORT: String(socket.address().port) });
    expect(await post(port)).toBe('HTTP 204');
    await expect.poll(() => packets.length).toBe(1);
    const [packet = ''] = packets;
    expect(packet).toMatch(
      /^<131>1 2026-11-21T12:00:00\.000Z gw1 gatepost - rule - CEF:0\|Gatepost\|Gatepost\|1\|rule:inbound\|/,
    );
    expect(packet).toContain('externalId=01M80E88V5V7DR49DTRBTTV37Y');
    expect(packet).toContain('src=192.0.2.7');
    expect(packet).not.toMatch(/[\r\n]/);
    expect(packet).toContain('<!channel>\\|x=1');
    expect(packet).toContain('x\\=1');
  });
});

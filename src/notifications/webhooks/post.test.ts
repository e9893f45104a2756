import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { readFileSync } from 'node:fs';
import { createHmac } from 'node:crypto';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { PROGRAM_FOLDER } from '../../config/load.js';
import { maskedUrl, type Webhook } from './hook.js';
import type { WebhookPayload } from './payload.js';
import { postTo } from './post.js';

const NOW = Date.UTC(2026, 10, 21, 12);
const PAYLOAD: WebhookPayload = {
  version: 1,
  kind: 'test',
  id: 'n1',
  traceId: null,
  time: new Date(NOW).toISOString(),
  node: 'gw1',
  severity: 'informative',
  description: 'Grüße \u202e\0',
};

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function hookTo(listener: RequestListener, changes: Partial<Webhook> = {}): Promise<Webhook> {
  const port = await listen(createServer(listener));
  return hook(`http://127.0.0.1:${port}/in`, changes);
}

function hook(url: string, changes: Partial<Webhook> = {}): Webhook {
  return {
    id: 'h',
    url: new URL(url),
    name: maskedUrl(url),
    secret: 's3cret',
    kinds: ['rule'],
    timeout: 500,
    maxWaiting: 10,
    ...changes,
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

describe('a post', () => {
  it('is JSON, signed over the very bytes, with the password as Basic authentication', async () => {
    const seen: { readonly headers: IncomingMessage['headers']; readonly body: string; readonly url?: string }[] = [];
    const to = await hookTo((request, response) => {
      void bodyOf(request).then((body) => {
        seen.push({ headers: request.headers, body, ...(request.url === undefined ? {} : { url: request.url }) });
        response.writeHead(204).end();
      });
    });
    to.url.username = 'us%40er';
    to.url.password = 'p%3Ass';
    expect(await postTo(to, PAYLOAD, NOW)).toEqual({ state: 'sent', reply: 'HTTP 204 No Content', away: false });
    const [got] = seen;
    expect(JSON.parse(got?.body ?? '')).toEqual(PAYLOAD);
    expect(got?.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(got?.headers.authorization).toBe(`Basic ${Buffer.from('us@er:p:ss').toString('base64')}`);
    const t = NOW / 1000;
    const mac = createHmac('sha256', 's3cret')
      .update(`${t}.${got?.body ?? ''}`)
      .digest('hex');
    expect(got?.headers['x-gatepost-signature']).toBe(`t=${t},v1=${mac}`);
  });

  it.each([
    [200, 'sent'],
    [202, 'sent'],
    [301, 'failed'],
    [307, 'failed'],
    [400, 'failed'],
    [401, 'failed'],
    [404, 'failed'],
    [408, 'later'],
    [410, 'failed'],
    [425, 'later'],
    [429, 'later'],
    [500, 'later'],
    [503, 'later'],
  ] as const)('%d is %s, and no redirect is followed', async (status, state) => {
    let asked = 0;
    const to = await hookTo((request, response) => {
      asked += 1;
      request.resume();
      response.writeHead(status, { Location: '/elsewhere', 'Retry-After': '999999' }).end('why\r\n\u001b[31mnot');
    });
    const result = await postTo(to, PAYLOAD, NOW);
    expect(result.state).toBe(state);
    expect(result.reply).toMatch(new RegExp(`^HTTP ${status} .*: why \\[31mnot$`));
    expect(result.retryAfter).toBe(3_600_000);
    expect(asked).toBe(1);
  });

  it('an endless answer is cut, and one that never comes ends with the time', async () => {
    const flood = await hookTo((request, response) => {
      request.resume();
      response.writeHead(200);
      const write = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', write);
      write();
    });
    const result = await postTo(flood, PAYLOAD, NOW);
    expect(result.state).toBe('sent');
    expect(result.reply.length).toBeLessThan(300);
    const silent = await hookTo((request) => void request.resume());
    expect(await postTo(silent, PAYLOAD, NOW)).toMatchObject({
      state: 'later',
      away: true,
      reply: 'no answer within 0.5 s',
    });
    const slow = await hookTo((request, response) => {
      request.resume();
      response.writeHead(500).write('drop');
    });
    expect((await postTo(slow, PAYLOAD, NOW)).state).toBe('later');
  });

  it('one that is not wanted any more when the connection is there is given up, untold', async () => {
    let told = 0;
    const to = await hookTo((request, response) => {
      told += 1;
      request.resume();
      response.end();
    });
    const result = await postTo(to, PAYLOAD, NOW, () => false);
    expect(result).toEqual({ state: 'later', away: false, reply: 'given up: it was held up for too long' });
    expect((await postTo(to, PAYLOAD, NOW, () => true)).state).toBe('sent');
    expect(told).toBe(1);
  });

  it('what is not there, hangs up or is not HTTP is tried again', async () => {
    const port = await listen(createServer());
    servers.pop()?.close();
    expect(await postTo(hook(`http://127.0.0.1:${port}/`), PAYLOAD, NOW)).toMatchObject({ state: 'later', away: true });
    const rude = await hookTo((request) => request.socket.destroy());
    expect(await postTo(rude, PAYLOAD, NOW)).toMatchObject({ state: 'later', away: true });
  });

  it('a certificate is verified, against an own CA where one is named', async () => {
    const tls = path.join(PROGRAM_FOLDER, 'test', 'fixtures', 'tls');
    const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(path.join(tls, name), 'utf8'));
    if (cert === undefined || key === undefined) throw new Error('no certificate');
    let told = 0;
    const server = createTlsServer({ cert, key }, (request, response) => {
      told += 1;
      request.resume();
      response.end('ok');
    });
    const port = await listen(server);
    const strict = await postTo(hook(`https://localhost:${port}/`), PAYLOAD, NOW);
    expect(strict).toMatchObject({ state: 'later', away: true });
    const trusting = hook(`https://localhost:${port}/`, { ca: cert });
    expect((await postTo(trusting, PAYLOAD, NOW)).state).toBe('sent');
    expect((await postTo(trusting, PAYLOAD, NOW, () => false)).state).toBe('later');
    expect(told).toBe(1);
  });
});

it('a masked address shows no user, password, query or key, and stays apart from others', () => {
  expect(maskedUrl('https://hooks.example.org/gatepost')).toBe('https://hooks.example.org/gatepost');
  const slack = maskedUrl('https://hooks.slack.com/services/T0/B0/abcdefghijklmnopqrstuvwx');
  expect(slack).toMatch(/^https:\/\/hooks\.slack\.com\/services\/T0\/B0\/\.\.\.#[0-9a-f]{6}$/);
  expect(maskedUrl('https://hooks.slack.com/services/T0/B0/abcdefghijklmnopqrstuvwy')).not.toBe(slack);
  const secret = maskedUrl('https://user:pa55@h.example:8443/x?token=abc#frag');
  expect(secret).toMatch(/^https:\/\/h\.example:8443\/x#[0-9a-f]{6}$/);
});

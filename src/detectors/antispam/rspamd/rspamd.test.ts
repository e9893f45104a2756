import { afterEach, describe, expect, it } from 'vitest';
import {
  httpAnswer,
  startFakeEngine,
  type EngineBehaviour,
  type FakeEngine,
} from '../../../../test/support/fake-engine.js';
import { makeMail } from '../../../../test/support/mail.js';
import type { Envelope } from '../../../message/envelope.js';
import { readMessage } from '../../../message/read.js';
import type { Verdict } from '../engine.js';
import { Rspamd } from './rspamd.js';

const LIMITS = { maxDepth: 16, maxParts: 100, maxArchiveEntries: 100, maxUnpacked: 2 ** 24 };
const MESSAGE = makeMail('Hello');
const GOOD = httpAnswer(JSON.stringify({ score: 2.5, required_score: 15, action: 'no action', symbols: {} }));
const SESSION: Envelope = {
  sender: '',
  recipients: [{ address: 'b@example.org' }, { address: 'bjørn@example.org\r\nPass: all' }],
  client: '192.0.2.7',
  helo: '',
  tls: false,
  trusted: false,
  smtpUtf8: false,
  eightBit: false,
};

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function set(behaviour: EngineBehaviour, options: object = {}): Promise<{ fake: FakeEngine; rspamd: Rspamd }> {
  const fake = await startFakeEngine(behaviour);
  const rspamd = new Rspamd({ url: `http://127.0.0.1:${fake.port}`, maxSize: 2 ** 20, ...options });
  open.push(rspamd, fake);
  return { fake, rspamd };
}

async function judge(rspamd: Rspamd, signal = AbortSignal.timeout(20_000)): Promise<Verdict> {
  const message = readMessage(MESSAGE, LIMITS);
  return await rspamd.judge({ message, envelope: SESSION, intake: { anomalies: [], received: 0 }, signal });
}

describe('the rspamd client', () => {
  it('posts the message as it is, with the session in headers that cannot be broken out of', async () => {
    const { fake, rspamd } = await set({ kind: 'say', text: GOOD }, { password: 'secret' });
    expect((await judge(rspamd)).score).toBe(2.5);
    const [request = ''] = fake.requests;
    const [head = '', ...body] = request.split('\r\n\r\n');
    expect(body.join('\r\n\r\n')).toBe(MESSAGE.toString('latin1'));
    const lines = head.split('\r\n');
    expect(lines[0]).toBe('POST /checkv2 HTTP/1.1');
    expect(lines).toContain('From: <>');
    expect(lines.filter((line) => line.startsWith('Rcpt: '))).toEqual([
      'Rcpt: b@example.org',
      `Rcpt: ${Buffer.from('bjørn').toString('latin1')}@example.org  Pass: all`,
    ]);
    expect(lines).toContain('IP: 192.0.2.7');
    expect(lines).toContain('Password: secret');
    expect(head).not.toMatch(/^(Helo|User|TLS-Cipher|Pass):/m);
  });

  it('keeps connections, and takes a new one when the kept ones are gone', async () => {
    const { fake, rspamd } = await set({ kind: 'keep', text: GOOD });
    for (let i = 0; i < 3; i += 1) await judge(rspamd);
    expect(fake.connections).toBe(1);
    fake.drop();
    await judge(rspamd);
    expect(fake.connections).toBe(2);
  });

  it('sends again when a kept connection is closed under the request', async () => {
    const { fake, rspamd } = await set({ kind: 'keep', text: GOOD });
    await judge(rspamd);
    fake.behaviour = { kind: 'close' };
    await expect(judge(rspamd)).rejects.toThrow('rspamd cannot be reached');
    // Once on the kept connection, once on a new one, which is no longer a matter of bad luck.
    expect(fake.requests).toHaveLength(3);
  });

  it.each<[string, EngineBehaviour, RegExp]>([
    ['hangs up', { kind: 'close' }, /cannot be reached/],
    ['breaks off', { kind: 'say', text: GOOD.slice(0, -10) }, /broke off/],
    ['answers an error', { kind: 'say', text: httpAnswer('{}', '500 Oh no') }, /the status 500/],
    ['wants a password', { kind: 'say', text: httpAnswer('{}', '403 Forbidden') }, /the status 403/],
    ['speaks no HTTP', { kind: 'say', text: 'SPAMD/1.1 0 EX_OK\r\n\r\n' }, /cannot be reached/],
    ['speaks no JSON', { kind: 'say', text: httpAnswer('<html>') }, /no verdict/],
    ['gives no score', { kind: 'say', text: httpAnswer('{"score": "high"}') }, /no verdict/],
    ['never ends', { kind: 'flood', text: `HTTP/1.1 200 OK\r\n\r\n${' '.repeat(65_536)}` }, /more than an answer/],
  ])('fails when it %s', async (_, behaviour, reason) => {
    const { rspamd } = await set(behaviour);
    await expect(judge(rspamd)).rejects.toThrow(reason);
  });

  it('fails when nobody listens, and when it is aborted', async () => {
    const { fake, rspamd } = await set({ kind: 'stall' });
    const abort = new AbortController();
    const running = judge(rspamd, abort.signal);
    abort.abort();
    await expect(running).rejects.toThrow();
    await fake.close();
    await expect(judge(rspamd)).rejects.toThrow('rspamd cannot be reached');
    open.splice(open.indexOf(fake), 1);
  });

  it('takes a message that is too large for a limit, not for an error', async () => {
    const small = await set({ kind: 'say', text: GOOD }, { maxSize: 10 });
    await expect(judge(small.rspamd)).rejects.toMatchObject({ name: 'TooLarge' });
    expect(small.fake.connections).toBe(0);
    const refused = await set({ kind: 'say', text: httpAnswer('', '413 Too large') });
    await expect(judge(refused.rspamd)).rejects.toMatchObject({ name: 'TooLarge' });
  });

  it('says whether the engine is well', async () => {
    const { fake, rspamd } = await set({ kind: 'say', text: httpAnswer('pong\r\n') });
    await rspamd.health(AbortSignal.timeout(20_000));
    fake.behaviour = { kind: 'say', text: httpAnswer('gone') };
    await expect(rspamd.health(AbortSignal.timeout(20_000))).rejects.toThrow('does not answer a ping');
  });
});

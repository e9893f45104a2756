import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { startFakeEngine, type EngineBehaviour, type FakeEngine } from '../../../../test/support/fake-engine.js';
import { makeMail } from '../../../../test/support/mail.js';
import { readMessage } from '../../../message/read.js';
import { DetectorError } from '../../failure.js';
import type { Verdict } from '../engine.js';
import { parseReply } from './reply.js';
import { Spamd } from './spamd.js';

const LIMITS = { maxDepth: 16, maxParts: 100, maxArchiveEntries: 100, maxUnpacked: 2 ** 24 };
const MESSAGE = makeMail('Hello');
const GOOD = 'SPAMD/1.1 0 EX_OK\r\nContent-length: 12\r\nSpam: True ; 7.1 / 5.0\r\n\r\nFIRST,SECOND';
const envelope = {
  sender: '',
  recipients: [],
  client: '192.0.2.7',
  helo: '',
  tls: false,
  trusted: false,
  smtpUtf8: false,
  eightBit: false,
};

const open: FakeEngine[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function set(behaviour: EngineBehaviour, maxSize = 2 ** 20): Promise<{ fake: FakeEngine; spamd: Spamd }> {
  const fake = await startFakeEngine(behaviour);
  open.push(fake);
  const endpoint = { kind: 'tcp', host: '127.0.0.1', port: fake.port } as const;
  return { fake, spamd: new Spamd({ endpoint, user: 'mailuser', maxSize }) };
}

async function judge(spamd: Spamd, signal = AbortSignal.timeout(20_000)): Promise<Verdict> {
  const message = readMessage(MESSAGE, LIMITS);
  return await spamd.judge({ message, envelope, intake: { anomalies: [], received: 0 }, signal });
}

describe('the spamd client', () => {
  it('asks for symbols, with user and length', async () => {
    const { fake, spamd } = await set({ kind: 'say', text: GOOD });
    expect(await judge(spamd)).toEqual({
      score: 7.1,
      required: 5,
      symbols: [{ name: 'FIRST' }, { name: 'SECOND' }],
      notes: [],
    });
    const head = `SYMBOLS SPAMC/1.5\r\nUser: mailuser\r\nContent-length: ${MESSAGE.length}\r\n\r\n`;
    expect(fake.requests).toEqual([head + MESSAGE.toString('latin1')]);
  });

  it('sends the beginning of what is too large', async () => {
    const { fake, spamd } = await set({ kind: 'say', text: GOOD }, 50);
    expect((await judge(spamd)).notes).toEqual(['only the first 50 B were looked at']);
    expect(fake.requests[0]?.endsWith(MESSAGE.toString('latin1', 0, 50))).toBe(true);
  });

  it.each<[string, EngineBehaviour, RegExp]>([
    ['hangs up', { kind: 'close' }, /cannot be reached|no verdict|closed/],
    ['breaks off', { kind: 'say', text: GOOD.slice(0, -4) }, /broke off/],
    ['refuses', { kind: 'say', text: 'SPAMD/1.0 76 Bad header line: x\r\n' }, /refused: a protocol error/],
    ['speaks another protocol', { kind: 'say', text: 'HTTP/1.1 200 OK\r\n\r\n' }, /no verdict/],
    ['never ends', { kind: 'flood', text: 'A,'.repeat(10_000) }, /more than an answer/],
  ])('fails when it %s', async (_, behaviour, reason) => {
    const { spamd } = await set(behaviour);
    await expect(judge(spamd)).rejects.toThrow(reason);
  });

  it('fails when nobody listens, and when it is aborted', async () => {
    const { fake, spamd } = await set({ kind: 'stall' });
    const abort = new AbortController();
    const running = judge(spamd, abort.signal);
    abort.abort();
    await expect(running).rejects.toThrow('given up');
    open.splice(0);
    await fake.close();
    await expect(judge(spamd)).rejects.toThrow('cannot be reached');
  });

  it('says whether the engine is well', async () => {
    const { fake, spamd } = await set({ kind: 'say', text: 'SPAMD/1.5 0 PONG\r\n' });
    await spamd.health(AbortSignal.timeout(20_000));
    expect(fake.requests).toEqual(['PING SPAMC/1.5\r\n\r\n']);
    fake.behaviour = { kind: 'say', text: 'SPAMD/1.5 0 WHAT\r\n' };
    await expect(spamd.health(AbortSignal.timeout(20_000))).rejects.toThrow('does not answer a ping');
  });

  it('reads a verdict or throws a DetectorError, whatever comes', () => {
    const verdict = (text: string): boolean => {
      try {
        return Number.isFinite(parseReply(text).score);
      } catch (error) {
        return error instanceof DetectorError;
      }
    };
    fc.assert(fc.property(fc.string(), verdict));
    fc.assert(fc.property(fc.string(), (text) => verdict(`SPAMD/1.1 0 EX_OK\r\nSpam: ${text}\r\n\r\n${text}`)));
  });
});

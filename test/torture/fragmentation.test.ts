import { scryptSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TLS_FOLDER, type Gateway } from '../smtp/harness.js';
import { startInProcess, turn, type InProcess, type PairedSocket } from '../smtp/in-process.js';

/** `npm run torture` tries every pair of places; otherwise pairs are taken from the places around line ends and dots. */
const EVERY_PAIR = process.env['TORTURE'] === 'long';

const CERTIFICATE = `tls: { cert: "${TLS_FOLDER}/cert.pem", key: "${TLS_FOLDER}/key.pem" }`;
const MAIL = 'MAIL FROM:<a@x.test>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n';
const TRICKS =
  'a\n.\nb\n.\rc\r.\nd\r.\re\n.\r\nf\r.\r\ng\r\n.\nh\r\n.\ri\r\n\0.\r\nj\r\n.\0\r\nk\r\n.\r\r\nl\r\r\n.\r\r\nm';

interface Dialogue {
  /** Sent first; what follows waits for the greeting. */
  readonly before?: string;
  readonly text: string;
  /** Codes of all replies. */
  readonly codes: string;
  /** Bytes of the messages as the handler got them. */
  readonly messages: readonly string[];
}

const DIALOGUES = {
  'two messages, pipelined, with dots': {
    text:
      `EHLO c.test\r\n${MAIL}Subject: a\r\nX-Gatepost-ID: x\r\n\ty\r\nTo: b\r\n\r\n..\r\n...x\r\n.y\r\n\r\n.\r\n` +
      'MAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n.\r\nQUIT\r\n',
    codes: '220 250 250 250 354 250 250 250 354 250 221',
    messages: ['Subject: a\r\nTo: b\r\n\r\n.\r\n..x\r\ny\r\n\r\n', ''],
  },
  'tricks in the data': {
    text: `HELO c.test\r\n${MAIL}${TRICKS}\r\n.\r\nQUIT\r\n`,
    codes: '220 250 250 250 354 250 221',
    messages: [
      'a\r\n.\r\nb\r\n.\r\nc\r\n.\r\nd\r\n.\r\ne\r\n.\r\nf\r\n.\r\ng\r\n\r\nh\r\n\r\ni\r\n.\r\nj\r\n\r\nk\r\n\r\n\r\nl\r\n\r\n\r\n\r\nm\r\n',
    ],
  },
  'commands that are none, and line ends of commands': {
    text: 'EHLO c.test\r\nBDAT 5 LAST\r\nhello\r\nNOOP\nMAIL FROM:<a\0@x.test>\r\nAUTH PLAIN AGEAYg==\r\n\r\nDATA\r\nRSET\rNOOP\r\nQUIT\r\n',
    codes: '220 250 500 500 250 501 500 500 503 500 221',
    messages: [],
  },
} satisfies Record<string, Dialogue>;

interface Outcome {
  readonly replies: string;
  readonly messages: readonly unknown[];
}

let folder = '';
const opened: InProcess[] = [];
afterAll(async () => {
  for (const { gateway } of opened) await gateway.stop();
  await rm(folder, { recursive: true, force: true });
});

async function open(smtp: string, listen?: string): Promise<InProcess> {
  const made = await startInProcess({ smtp, ...(listen === undefined ? {} : { listen }) });
  opened.push(made);
  return made;
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-pieces-'));
});

/** Sends the pieces one by one over a stream and gives what came of it, without the trace IDs. */
async function talk({ gateway }: InProcess, stream: Talk, pieces: readonly Buffer[][]): Promise<Outcome> {
  gateway.seen.length = 0;
  const received: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => received.push(chunk));
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  for (const [part, chunks] of pieces.entries()) {
    for (const chunk of chunks) {
      stream.write(chunk);
      await turn();
    }
    while (part === 0 && received.length === 0 && !stream.destroyed) await turn();
  }
  await closed;
  return outcomeOf(gateway, Buffer.concat(received).toString());
}

function outcomeOf(gateway: Gateway, replies: string): Outcome {
  return {
    replies: replies.replace(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, 'ID'),
    messages: gateway.seen.map(({ envelope, intake, text }) => ({ envelope, intake, text })),
  };
}

interface Talk {
  readonly destroyed: boolean;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  once(event: 'close', listener: () => void): unknown;
  write(bytes: Buffer): unknown;
}

function codes({ replies }: Outcome): string {
  return [...replies.matchAll(/^(\d{3}) /gm)].map(([, code]) => code).join(' ');
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  return [...places, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : places[i - 1], end));
}

/** Every cut into two pieces; into three, at all pairs of the places that matter; and into single bytes. */
function* cuts(bytes: Buffer): Generator<Buffer[]> {
  const places = Array.from({ length: bytes.length - 1 }, (_, i) => i + 1);
  for (const place of places) yield cut(bytes, [place]);
  const special = (at: number): boolean => '\r\n.\0'.includes(String.fromCharCode(bytes[at] ?? 1));
  const pairs = EVERY_PAIR ? places : places.filter((place) => special(place - 1) || special(place));
  for (const [i, first] of pairs.entries()) for (const second of pairs.slice(i + 1)) yield cut(bytes, [first, second]);
  yield cut(bytes, places);
}

/** Compares all cuts with the whole. @returns how many there were */
async function compare(service: InProcess, dialogue: Dialogue): Promise<number> {
  const bytes = Buffer.from(dialogue.text, 'latin1');
  const before = Buffer.from(dialogue.before ?? '', 'latin1');
  const first = before.length === 0 ? [] : [before];
  const whole = await talk(service, service.open(), [first, [bytes]]);
  expect(codes(whole)).toBe(dialogue.codes);
  expect(service.gateway.seen.map(({ text }) => text)).toEqual(dialogue.messages);
  let count = 1;
  for (const pieces of cuts(bytes)) {
    count += 1;
    const outcome = await talk(service, service.open(), [first, pieces]);
    if (outcome.replies !== whole.replies || !same(outcome.messages, whole.messages))
      expect({ pieces: pieces.map((piece) => piece.toString('latin1')), ...outcome }).toEqual(whole);
  }
  for (const pieces of before.length === 0 ? [] : cuts(before)) {
    count += 1;
    expect(await talk(service, service.open(), [pieces, [bytes]])).toEqual(whole);
  }
  return count;
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

describe('the same bytes in pieces', () => {
  let cases = 0;

  for (const [name, dialogue] of Object.entries(DIALOGUES)) {
    it(name, { timeout: 3_600_000 }, async () => {
      cases += await compare(await open(''), dialogue);
    });
  }

  it('tricks in the data, under reject', { timeout: 3_600_000 }, async () => {
    const text = `HELO c.test\r\n${MAIL}${TRICKS}\r\n.\r\nQUIT\r\n`;
    cases += await compare(await open('lineEndings: reject'), {
      text,
      codes: '220 250 250 250 354 550 221',
      messages: [],
    });
  });

  it('a client behind XCLIENT', { timeout: 3_600_000 }, async () => {
    const text = `EHLO p.test\r\nXCLIENT ADDR=127.0.0.9 LOGIN=joe\r\nEHLO c.test\r\n${MAIL}x\r\n.\r\nQUIT\r\n`;
    const service = await open('xclient: ["127.0.0.1"]');
    cases += await compare(service, { text, codes: '220 250 220 250 250 250 354 250 221', messages: ['x\r\n'] });
    expect(service.gateway.seen[0]?.envelope).toMatchObject({ client: '127.0.0.9', user: 'joe' });
  });

  it('a client behind a PROXY line', { timeout: 3_600_000 }, async () => {
    const service = await open('proxyProtocol: ["127.0.0.1"]');
    cases += await compare(service, {
      before: 'PROXY TCP4 127.0.0.9 127.0.0.1 4000 25\r\n',
      text: `EHLO c.test\r\n${MAIL}x\r\n.\r\nQUIT\r\n`,
      codes: '220 250 250 250 354 250 221',
      messages: ['x\r\n'],
    });
    expect(service.gateway.seen[0]?.envelope.client).toBe('127.0.0.9');
  });

  it('are more than 5,000 cases', () => {
    expect(cases).toBeGreaterThan(5000);
    if (EVERY_PAIR) process.stdout.write(`fragmentation: ${cases} cases, one result each\n`);
  });
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function secured(plain: PairedSocket): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ socket: plain, rejectUnauthorized: false }, () => resolve(socket));
    socket.once('error', reject);
  });
}

describe('a login in pieces', () => {
  const LOGINS = {
    PLAIN: `AUTH PLAIN ${base64('\0joe\0secret')}\r\n`,
    LOGIN: `AUTH LOGIN\r\n${base64('joe')}\r\n${base64('secret')}\r\n`,
  };

  for (const [mechanism, login] of Object.entries(LOGINS)) {
    it(mechanism, async () => {
      const users = path.join(folder, 'users');
      const key = scryptSync('secret', 'salt', 32, { N: 2, r: 8, p: 1 });
      await writeFile(users, `joe:scrypt$2$8$1$${base64('salt')}$${key.toString('base64')}\n`);
      const service = await open(`${CERTIFICATE}\nauth: { users: "${users}" }`, 'tls://127.0.0.1:0');
      const rest = Buffer.from(`${MAIL}x\r\n.\r\nQUIT\r\n`);
      const whole = await talk(service, await secured(service.open()), [
        [],
        [Buffer.from(`EHLO c.test\r\n${login}`), rest],
      ]);
      expect(codes(whole)).toBe(`220 250 ${mechanism === 'LOGIN' ? '334 334 ' : ''}235 250 250 354 250 221`);
      expect(whole.messages).toMatchObject([{ envelope: { user: 'joe', tls: true } }]);
      const bytes = Buffer.from(login);
      const hello = Buffer.from('EHLO c.test\r\n');
      for (let at = 1; at < bytes.length; at += 1) {
        const pieces = [hello, ...cut(bytes, [at]), rest];
        expect(await talk(service, await secured(service.open()), [[], pieces])).toEqual(whole);
      }
    });
  }
});

describe('STARTTLS in pieces', () => {
  /** Sends the pieces over the network, goes over to TLS after the last reply, and carries on under it. */
  async function upgrade({ gateway }: InProcess, pieces: readonly Buffer[]): Promise<Outcome> {
    gateway.seen.length = 0;
    const client = await gateway.connect();
    const replies = [await client.reply()];
    for (const piece of pieces) await client.flush(piece);
    while (!replies.at(-1)?.startsWith('220 2.')) replies.push(await client.reply());
    await client.startTls();
    for (const line of ['EHLO again.test', ...MAIL.trimEnd().split('\r\n'), 'x\r\n.', 'QUIT']) {
      replies.push(await client.command(line));
    }
    return outcomeOf(gateway, `${replies.join('\r\n')}\r\n`);
  }

  it('is one command however it is cut', async () => {
    const service = await open(CERTIFICATE);
    const bytes = Buffer.from('EHLO c.test\r\nMAIL FROM:<a@x.test>\r\nSTARTTLS\r\n');
    const whole = await upgrade(service, [bytes]);
    expect(codes(whole)).toBe('220 250 250 220 250 250 250 354 250 221');
    expect(whole.messages).toMatchObject([{ text: 'x\r\n', envelope: { tls: true, helo: 'again.test' } }]);
    const places = Array.from({ length: bytes.length - 1 }, (_, i) => i + 1);
    for (const at of places) expect(await upgrade(service, cut(bytes, [at]))).toEqual(whole);
    for (const at of places.slice(-11)) expect(await upgrade(service, cut(bytes, [22, at]))).toEqual(whole);
    expect(await upgrade(service, cut(bytes, places))).toEqual(whole);
  });

  it('forgets what stood behind it in the same piece, even a line that goes on under TLS', async () => {
    const service = await open(CERTIFICATE);
    const start = 'EHLO c.test\r\nSTARTTLS\r\n';
    const plain = await upgrade(service, [Buffer.from(start)]);
    expect(codes(plain)).toBe('220 250 220 250 250 250 354 250 221');
    const behind = ['NOOP\r\n', 'NO', `EHLO evil\r\n${MAIL}evil\r\n`, 'NOOP\r\n'.repeat(500)];
    for (const text of behind) expect(await upgrade(service, [Buffer.from(start + text)])).toEqual(plain);
  });
});

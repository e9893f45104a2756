import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startInProcess, turn, type InProcess, type PairedSocket } from './in-process.js';

/** Bytes that are no command as they stand: binary, NUL, other line ends, long. */
const odd = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  fc.string({ maxLength: 60, unit: 'binary' }).map((text) => Buffer.from(text).toString('latin1')),
  fc.nat(30).map((n) => 'X'.repeat(n * 200)),
  fc.nat(30).map((n) => `MAIL FROM:<${'a'.repeat(n * 100)}@x.test>`),
  fc.nat(30).map((n) => `RCPT TO:<b@example.org> ${'A=B '.repeat(n * 40)}`),
  fc.constantFrom('', ' ', '.', '\0', 'MAIL\0FROM:<a@x.test>', 'NOOP\rNOOP', 'RCPT TO:<b\rc@example.org>', '\xff\xfe'),
);

const MAIL_OK = ['MAIL FROM:<a@x.test>', 'MAIL FROM:<>', 'mail from:<a@x.test> SIZE=10'];
const RCPT_OK = ['RCPT TO:<b@example.org>', 'rcpt to:<c@example.org>', 'RCPT TO:<d@example.org> NOTIFY=NEVER'];
const HELLO = ['EHLO c.test', 'HELO c.test', 'ehlo [127.0.0.1]'];

const known = fc.constantFrom(
  ...HELLO,
  ...MAIL_OK,
  ...MAIL_OK,
  ...RCPT_OK,
  ...RCPT_OK,
  'DATA',
  'DATA',
  'RSET',
  'NOOP',
  'NOOP x',
  'VRFY b',
  'EXPN x',
  'HELP',
  'EHLO',
  'HELO ',
  'EHLO a b c',
  'MAIL',
  'MAIL FROM:',
  'MAIL FROM:a@x.test',
  'MAIL FROM:<a@x.test> SIZE=99999999999999',
  'MAIL FROM:<a@x.test> NONE=1',
  'MAIL FROM:<@a,@b:c@d>',
  'RCPT TO:',
  'RCPT TO:<>',
  'RCPT TO:<b@example.org> ORCPT=x',
  'DATA now',
  'STARTTLS',
  'AUTH PLAIN AGEAYg==',
  'AUTH LOGIN',
  'BDAT 0 LAST',
  'XCLIENT ADDR=192.0.2.1',
  'XFORWARD NAME=x',
  'ETRN x',
  'TURN',
);

/** Up to its end: what stands before a line end that is none is part of the line. */
const command = fc.oneof({ weight: 4, arbitrary: known }, { weight: 1, arbitrary: odd }).map((line) => {
  const one = line.replaceAll('\n', '');
  return one.endsWith('\r') ? `${one}_` : one;
});

const body = fc.oneof(
  odd,
  fc.constantFrom('Subject: x\r\n\r\ntext', '..', 'a\n.\nb', 'x\r\n.\rQUIT', 'EHLO c.test\r\nDATA', '\0'),
);

/** What a server that follows RFC 5321 has in mind; it learns from the replies which commands were taken. */
class Model {
  greeted = false;
  sender = false;
  recipients = 0;

  /** @returns what is wrong with the reply to a command */
  take(line: string, code: number): string | undefined {
    const verb = (/^[a-z]+/i.exec(line)?.[0] ?? '').toUpperCase();
    const good = code >= 200 && code < 400;
    if (verb === 'MAIL' && good && (!this.greeted || this.sender)) return 'MAIL was taken out of order';
    if (verb === 'RCPT' && good && !this.sender) return 'RCPT was taken without MAIL';
    if (verb === 'DATA' && code === 354 && (!this.sender || this.recipients === 0))
      return 'DATA was taken without RCPT';
    if (line === 'DATA' && code !== 354 && this.recipients > 0) return 'DATA was refused';
    if (MAIL_OK.includes(line) && this.greeted && !this.sender && !good) return 'MAIL was refused';
    if (RCPT_OK.includes(line) && this.sender && !good) return 'RCPT was refused';
    if (!good) return undefined;
    if (['EHLO', 'HELO', 'RSET'].includes(verb)) this.#forget();
    if (verb === 'EHLO' || verb === 'HELO') this.greeted = true;
    if (verb === 'MAIL') this.sender = true;
    if (verb === 'RCPT') this.recipients += 1;
    return undefined;
  }

  /** The end of data has been answered. */
  end(): void {
    this.#forget();
  }

  #forget(): void {
    this.sender = false;
    this.recipients = 0;
  }
}

class Talk {
  readonly socket: PairedSocket;
  text = '';

  constructor(socket: PairedSocket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => (this.text += chunk.toString('latin1')));
  }

  /** The code of the next reply; 0 when the session is closed without one. */
  async code(): Promise<number> {
    for (;;) {
      const reply = /^(?:\d{3}-[^\r\n]*\r\n)*(\d{3}) [^\r\n]*\r\n/.exec(this.text);
      if (reply !== null) {
        this.text = this.text.slice(reply[0].length);
        return Number(reply[1]);
      }
      if (this.socket.destroyed) return 0;
      await turn();
    }
  }

  async command(line: string): Promise<number> {
    this.socket.write(Buffer.from(`${line}\r\n`, 'latin1'));
    return await this.code();
  }
}

let service: InProcess;
beforeAll(async () => {
  service = await startInProcess({ smtp: 'maxErrors: 1000' });
});
afterAll(async () => {
  await service.gateway.stop();
});

/** Sends the lines one by one, a body after each 354, and holds every reply against the model. */
async function converse(lines: readonly string[], text: string): Promise<void> {
  const talk = new Talk(service.open());
  const model = new Model();
  expect(await talk.code()).toBe(220);
  for (const line of lines) {
    const code = await talk.command(line);
    expect(model.take(line, code), `${JSON.stringify(line)}: ${code}`).toBeUndefined();
    expect(code, line).toBeGreaterThanOrEqual(200);
    if (code === 334) expect(await talk.command('*')).toBeGreaterThanOrEqual(500);
    if (code === 354) {
      const end = await talk.command(`${text.replace(/^\.+$/gm, '..')}\r\n.`);
      expect(end, JSON.stringify(text)).toBe(250);
      model.end();
    }
    for (let i = 0; i < 3; i += 1) await turn();
    expect(talk.text, `more than one reply to ${JSON.stringify(line)}`).toBe('');
  }
  expect(await talk.command('QUIT')).toBe(221);
}

describe('random commands', () => {
  it('have one reply each, and none is taken out of order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40 }), body, async (lines, text) => {
        await converse(lines, text);
      }),
      { numRuns: 300, interruptAfterTimeLimit: 8000 },
    );
  });

  it('have the same replies when they come in one piece', async () => {
    const harmless = command.filter((line) => !/^(?:data|auth|starttls)/i.test(line));
    await fc.assert(
      fc.asyncProperty(fc.array(harmless, { maxLength: 30 }), async (lines) => {
        const slow = new Talk(service.open());
        const codes = [await slow.code()];
        for (const line of lines) codes.push(await slow.command(line));
        const fast = new Talk(service.open());
        const together = [await fast.code()];
        fast.socket.write(Buffer.from([...lines, ''].join('\r\n'), 'latin1'));
        while (together.length <= lines.length) together.push(await fast.code());
        expect(together).toEqual(codes);
        expect(fast.text).toBe('');
        for (const { socket } of [slow, fast]) socket.destroy();
      }),
      { numRuns: 100, interruptAfterTimeLimit: 4000 },
    );
  });

  it('and any bytes at all leave the service alive', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(odd, known), { maxLength: 20 }),
        fc.constantFrom('', '\n', '\r', '\r\n'),
        async (pieces, end) => {
          const talk = new Talk(service.open());
          await talk.code();
          for (const piece of pieces) {
            if (!talk.socket.destroyed) talk.socket.write(Buffer.from(piece + end, 'latin1'));
            await turn();
          }
          talk.socket.destroy();
        },
      ),
      { numRuns: 200, interruptAfterTimeLimit: 4000 },
    );
    await converse(['EHLO c.test', ...MAIL_OK.slice(0, 1), ...RCPT_OK, 'DATA'], 'Subject: x\r\n\r\nx');
    expect(service.gateway.seen.at(-1)?.text).toBe('Subject: x\r\n\r\nx\r\n');
  });
});

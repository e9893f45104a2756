import { afterEach, describe, expect, test } from 'vitest';
import { openHop } from '../../src/delivery/hop.js';
import { replyLine } from '../../src/delivery/reply.js';
import type { HopResult, NextHop, OutgoingMail } from '../../src/delivery/types.js';
import type { Content } from '../../src/message/source.js';
import { startFakeSmtp, type FakeOptions, type FakeScript, type FakeSmtp } from '../support/fake-smtp.js';

const TEXT = 'From: a@example.org\r\nSubject: x\r\n\r\n.one\r\n..two\r\nthree\r\n';
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function content(...chunks: readonly (string | Buffer)[]): Content {
  const buffers = chunks.map((chunk) => Buffer.from(chunk));
  return { size: buffers.reduce((sum, chunk) => sum + chunk.length, 0), read: () => buffers };
}

function mail(changes: Partial<OutgoingMail> = {}): OutgoingMail {
  return {
    id: 'TEST',
    sender: 'a@example.org',
    recipients: [{ address: 'b@example.net' }],
    content: content(TEXT),
    smtpUtf8: false,
    eightBit: false,
    ...changes,
  };
}

const TIMEOUTS = { connect: 2000, hello: 400, command: 400, data: 400, end: 400 };

async function setUp(options: FakeOptions = {}, query = ''): Promise<{ server: FakeSmtp; hop: NextHop }> {
  const server = await startFakeSmtp(options);
  const hop = openHop(`${server.url}${query}`, { hostname: 'gw.test', timeouts: TIMEOUTS });
  closing.push(
    () => hop.close(),
    () => server.close(),
  );
  return { server, hop };
}

const states = (result: HopResult) => result.recipients.map(({ state }) => state);
const replies = (result: HopResult) => result.recipients.map(({ reply }) => replyLine(reply));

describe.each([
  ['pipelined', ['PIPELINING', '8BITMIME']],
  ['step by step', ['8BITMIME']],
])('%s', (_, extensions) => {
  test('the bytes go out as they are', async () => {
    const { server, hop } = await setUp({ extensions });
    const result = await hop.send(mail());
    expect(result).toMatchObject({ hopFailed: false, recipients: [{ address: 'b@example.net', state: 'delivered' }] });
    expect(server.mails[0]?.bytes.toString()).toBe(TEXT);
  });

  test('dots are stuffed wherever the pieces are cut, and a last line without an end gets one', async () => {
    const { server, hop } = await setUp({ extensions });
    const text = '.a\r\n.\r\n..\r\nb.\r\n.c';
    for (let cut = 0; cut <= text.length; cut += 1)
      await hop.send(mail({ content: content(text.slice(0, cut), text.slice(cut)) }));
    expect(server.mails.length).toBe(text.length + 1);
    expect(new Set(server.mails.map(({ bytes }) => bytes.toString()))).toEqual(new Set([`${text}\r\n`]));
    expect(server.connections).toBe(1);
  });

  test('each recipient has its own result', async () => {
    const { server, hop } = await setUp({
      extensions,
      script: {
        rcpt: (line) =>
          line.includes('no@') ? '550 5.1.1 unknown' : line.includes('later@') ? '450 4.2.0 wait' : undefined,
      },
    });
    const addresses = ['yes@x.test', 'no@x.test', 'later@x.test', 'also@x.test'];
    const result = await hop.send(mail({ recipients: addresses.map((address) => ({ address })) }));
    expect(states(result)).toEqual(['delivered', 'refused', 'deferred', 'delivered']);
    expect(replies(result)[1]).toBe('550 5.1.1 unknown');
    expect(server.mails[0]?.rcptTo).toEqual(['TO:<yes@x.test>', 'TO:<also@x.test>']);
  });

  test('after a mail without a recipient that was taken, the session goes on with RSET', async () => {
    const { server, hop } = await setUp({ extensions, script: { rcpt: '550 5.1.1 unknown' } });
    expect(states(await hop.send(mail()))).toEqual(['refused']);
    server.script = {};
    expect(states(await hop.send(mail()))).toEqual(['delivered']);
    expect(server.connections).toBe(1);
    expect(server.dialogue).toContain('1 RSET');
  });

  test('a server that takes DATA without a recipient gets no message', async () => {
    const { server, hop } = await setUp({
      extensions,
      script: { rcpt: '550 5.1.1 unknown', data: '354 go on', end: '554 5.5.1 none' },
    });
    expect(states(await hop.send(mail()))).toEqual(['refused']);
    server.script = {};
    expect(states(await hop.send(mail()))).toEqual(['delivered']);
    expect(server.mails.map(({ bytes }) => bytes.toString())).toEqual([TEXT]);
  });

  const HOP_FAILURES: Readonly<Record<string, FakeScript>> = {
    'greeting 5xx': { greeting: '554 5.3.2 not now' },
    'greeting 4xx': { greeting: '421 4.3.2 not now' },
    'no greeting': { greeting: 'hang' },
    'closed before the greeting': { greeting: 'close' },
    'garbage for a greeting': { greeting: 'HTTP/1.1 400 Bad Request' },
    'an endless line': { greeting: { half: `220 ${'x'.repeat(10_000)}` } },
    'a reply without end': { greeting: { half: '220-x\r\n'.repeat(1000) } },
    'EHLO 5xx': { ehlo: '550 5.7.1 no' },
    'EHLO half': { ehlo: { half: '250-fake.test\r\n250-PIPE' } },
    'MAIL 421': { mail: '421 4.3.2 closing' },
    'MAIL closed': { mail: 'close' },
    'MAIL hangs': { mail: 'hang' },
    'RCPT closed': { rcpt: 'close' },
    'RCPT 421': { rcpt: '421 4.3.2 closing' },
    'DATA 5xx': { data: '554 5.3.0 broken' },
    'DATA 4xx': { data: '451 4.3.0 broken' },
    'DATA 250': { data: '250 2.0.0 what' },
    'DATA hangs': { data: 'hang' },
    'end of data closed': { end: 'close' },
    'end of data half': { end: { half: '250 2.0.0 que' } },
    'end of data hangs': { end: 'hang' },
    'end of data garbage': { end: 'yes, thank you' },
    'end of data 421': { end: '421 4.3.2 closing' },
  };
  test.each(Object.entries(HOP_FAILURES))('%s: temporary, and a failure of the hop', async (name, script) => {
    const { server, hop } = await setUp({ extensions, script });
    const result = await hop.send(mail());
    expect(states(result)).toEqual(['deferred']);
    expect(result.hopFailed).toBe(true);
    expect(result.inDoubt ?? false).toBe(name.startsWith('end of data') && !name.endsWith('421'));
    expect(server.mails).toEqual([]);
    server.script = {};
    expect(states(await hop.send(mail()))).toEqual(['delivered']);
  });

  const REFUSALS: Readonly<Record<string, [FakeScript, string]>> = {
    'MAIL 5xx': [{ mail: '550 5.7.1 not from you' }, 'refused'],
    'MAIL 4xx': [{ mail: '450 4.7.1 greylisted' }, 'deferred'],
    'RCPT 5xx': [{ rcpt: '550 5.1.1 unknown' }, 'refused'],
    'RCPT 4xx': [{ rcpt: '450 4.2.1 full' }, 'deferred'],
    'end of data 5xx': [{ end: '554 5.7.1 spam' }, 'refused'],
    'end of data 4xx': [{ end: '451 4.3.0 later' }, 'deferred'],
  };
  test.each(Object.entries(REFUSALS))('%s is about the mail', async (_name, [script, state]) => {
    const { hop } = await setUp({ extensions, script });
    const result = await hop.send(mail());
    expect(states(result)).toEqual([state]);
    expect(result.hopFailed).toBe(false);
  });

  test.each(['\r\nwhat?', '\r\n', '\r\n250-2.0.0 and\r\n251 2.0.0 more'])(
    'a reply counts although what is no reply, %j, comes with it',
    async (junk) => {
      const { server, hop } = await setUp({ extensions, script: { end: `250 2.0.0 queued${junk}` } });
      const result = await hop.send(mail());
      expect(replies(result)).toEqual(['250 2.0.0 queued']);
      expect(server.mails.length).toBe(1);
      expect(states(await hop.send(mail()))).toEqual(['delivered']);
      expect(server.connections).toBe(2);
    },
  );

  test('a recipient refused for good stays refused when the connection is lost later', async () => {
    const { hop } = await setUp({
      extensions,
      script: { rcpt: (line) => (line.includes('no@') ? '550 5.1.1 unknown' : undefined), data: 'close' },
    });
    const result = await hop.send(mail({ recipients: [{ address: 'no@x.test' }, { address: 'yes@x.test' }] }));
    expect(states(result)).toEqual(['refused', 'deferred']);
  });
});

describe('connections', () => {
  test('one is used again; a dead one is replaced without a word', async () => {
    const { server, hop } = await setUp();
    await hop.send(mail());
    await hop.send(mail());
    expect(server.connections).toBe(1);
    server.script = { mail: (_line, { connection }) => (connection === 1 ? 'close' : undefined) };
    expect(states(await hop.send(mail()))).toEqual(['delivered']);
    expect(server.connections).toBe(2);
  });

  test('421 instead of an answer on a kept connection is its idle time: a new one is tried once', async () => {
    const { server, hop } = await setUp();
    await hop.send(mail());
    server.script = { mail: '421 4.4.2 timeout' };
    const result = await hop.send(mail());
    expect(states(result)).toEqual(['deferred']);
    expect(server.connections).toBe(2);
  });

  test('a connection lost after an answer is not tried again', async () => {
    const { server, hop } = await setUp();
    await hop.send(mail());
    server.script = { end: 'close' };
    expect(states(await hop.send(mail()))).toEqual(['deferred']);
    expect(server.connections).toBe(1);
  });

  test('no more than allowed at a time, and all mails get their turn', async () => {
    const server = await startFakeSmtp();
    const hop = openHop(server.url, { hostname: 'gw.test', pool: { connections: 3 } });
    closing.push(
      () => hop.close(),
      () => server.close(),
    );
    const results = await Promise.all(Array.from({ length: 50 }, () => hop.send(mail())));
    expect(results.every((result) => states(result)[0] === 'delivered')).toBe(true);
    expect(server.connections).toBeLessThanOrEqual(3);
  });

  test('none is kept over its idle time', async () => {
    const server = await startFakeSmtp();
    const hop = openHop(server.url, { hostname: 'gw.test', pool: { idle: 20 } });
    closing.push(
      () => hop.close(),
      () => server.close(),
    );
    await hop.send(mail());
    await expect.poll(() => server.dialogue.at(-1)).toBe('1 QUIT');
  });

  test('a server that is not there', async () => {
    const { server, hop } = await setUp();
    await server.close();
    const result = await hop.send(mail());
    expect(result.hopFailed).toBe(true);
    expect(replies(result)).toEqual(['451 4.4.1 the server refuses connections']);
    await expect(hop.probe()).rejects.toThrow();
  });
});

describe('what a hop does not offer', () => {
  test('8-bit mail and SMTPUTF8 are refused, not converted', async () => {
    const { server, hop } = await setUp({ extensions: ['PIPELINING'] });
    expect(replies(await hop.send(mail({ eightBit: true })))[0]).toMatch(/^554 5\.6\.3 /);
    expect(replies(await hop.send(mail({ smtpUtf8: true, eightBit: true })))[0]).toMatch(/^550 5\.6\.7 /);
    expect(replies(await hop.send(mail({ recipients: [{ address: 'jürgen@x.test' }] })))[0]).toMatch(/^550 5\.6\.7 /);
    expect(server.mails).toEqual([]);
  });

  test('a domain alone needs no SMTPUTF8: it goes in ASCII', async () => {
    const { server, hop } = await setUp({ extensions: ['PIPELINING'] });
    const given = mail({ recipients: [{ address: 'bob@bücher.test' }] });
    const result = await hop.send(given);
    expect(result.recipients).toMatchObject([{ address: 'bob@bücher.test', state: 'delivered' }]);
    expect(server.mails[0]?.rcptTo).toEqual(['TO:<bob@xn--bcher-kva.test>']);
  });

  test('mail that came with SMTPUTF8 and is ASCII needs none', async () => {
    const { server, hop } = await setUp({ extensions: ['PIPELINING'] });
    const result = await hop.send(mail({ smtpUtf8: true, sender: 'a@bücher.test' }));
    expect(result.recipients).toMatchObject([{ state: 'delivered' }]);
    expect(server.mails[0]?.mailFrom).toBe('FROM:<a@xn--bcher-kva.test>');
  });

  test('a message over the limit of SIZE is refused before it is sent', async () => {
    const { hop } = await setUp({ extensions: ['SIZE 10'] });
    expect(replies(await hop.send(mail()))[0]).toMatch(/^552 5\.3\.4 /);
  });

  test.each([
    ['552 too many', 'deferred'],
    ['552 5.5.3 too many', 'deferred'],
    ['552 5.2.2 mailbox full', 'refused'],
    ['552 5.2.3 too large for this mailbox', 'refused'],
    ['552 5.3.4 too large', 'refused'],
  ])('%s in reply to RCPT: %s, and the others get it', async (reply, state) => {
    const { server, hop } = await setUp({ script: { rcpt: (to) => (to.includes('c@x') ? reply : undefined) } });
    const result = await hop.send(mail({ recipients: [{ address: 'b@x.test' }, { address: 'c@x.test' }] }));
    expect(states(result)).toEqual(['delivered', state]);
    expect(result.hopFailed).toBe(false);
    expect(server.mails).toHaveLength(1);
    server.script = { mail: '552 too much' };
    expect(states(await hop.send(mail()))).toEqual(['refused']);
  });

  test('parameters go out where they are offered', async () => {
    const { server, hop } = await setUp();
    const given = mail({
      recipients: [
        { address: 'b@x.test', notify: ['failure', 'delay'], orcpt: 'rfc822;b@x.test' },
        { address: 'c@x.test', notify: ['never'] },
      ],
      eightBit: true,
      smtpUtf8: true,
      ret: 'headers',
      envid: 'abc',
    });
    await hop.send(given);
    expect(server.dialogue).toContain(
      `1 MAIL FROM:<a@example.org> SIZE=${TEXT.length} BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=abc`,
    );
    expect(server.dialogue).toContain('1 RCPT TO:<b@x.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;b@x.test');
    expect(server.dialogue).toContain('1 RCPT TO:<c@x.test> NOTIFY=NEVER');
    const bare = await setUp({ extensions: ['8BITMIME', 'SMTPUTF8'] });
    await bare.hop.send(given);
    expect(bare.server.dialogue).toContain('1 MAIL FROM:<a@example.org> BODY=8BITMIME SMTPUTF8');
    expect(bare.server.dialogue).toContain('1 RCPT TO:<b@x.test>');
  });
});

describe('hostile input', () => {
  test('an address cannot bring a command along', async () => {
    const { server, hop } = await setUp();
    const result = await hop.send(mail({ recipients: [{ address: 'b@x.test>\r\nRSET' }, { address: 'c@x.test' }] }));
    expect(states(result)).toEqual(['refused', 'delivered']);
    expect(states(await hop.send(mail({ sender: 'a@x.test\nRSET' })))).toEqual(['refused']);
    expect(server.dialogue.join('\n')).not.toContain('RSET');
  });

  test('a reply is cleaned and bounded', async () => {
    const { hop } = await setUp({
      script: { rcpt: `550-5.1.1 a\u0007b\u001b[31m\u202ec\r\n550 5.1.1 ${'x'.repeat(2000)}` },
    });
    const result = await hop.send(mail());
    const reply = result.recipients[0]?.reply;
    expect(reply).toMatchObject({ code: 550, enhanced: '5.1.1' });
    expect(reply?.text).toMatch(/^a b \[31m c x+…$/);
    expect(reply?.text.length).toBeLessThanOrEqual(400);
  });

  test('a server that answers in the middle of the data gets no more of it', async () => {
    const big = Buffer.alloc(300_000, 'x');
    async function* slow() {
      for (let index = 0; index < 100; index += 1) {
        yield big;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    const { server, hop } = await setUp({ script: { data: '354 go on\r\n552 5.3.4 too much' } });
    const result = await hop.send(mail({ content: { size: 30_000_000, read: slow } }));
    expect(replies(result)).toEqual(['552 5.3.4 too much']);
    expect(server.mails).toEqual([]);
  });

  test('a message that cannot be read to its end is not sent, and that is not the fault of the hop', async () => {
    async function* broken() {
      yield await Promise.resolve(Buffer.from('Subject: half\r\n'));
      throw new Error('disk');
    }
    const { server, hop } = await setUp();
    const result = await hop.send(mail({ content: { size: 100, read: broken } }));
    expect(states(result)).toEqual(['deferred']);
    expect(result.hopFailed).toBe(false);
    expect(server.mails).toEqual([]);
    expect(states(await hop.send(mail()))).toEqual(['delivered']);
  });
});

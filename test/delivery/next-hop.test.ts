import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { durableFiles, type DurableFiles } from '../../src/store/files.js';
import { startFakeSmtp, type FakeOptions, type FakeScript } from '../support/fake-smtp.js';
import { freePort } from '../support/free-port.js';
import { request, setting, TEXT, type Setting } from './set-up.js';

const TLS_FOLDER = path.resolve(import.meta.dirname, '../fixtures/tls');
const CERTIFICATE = {
  cert: readFileSync(path.join(TLS_FOLDER, 'cert.pem'), 'utf8'),
  key: readFileSync(path.join(TLS_FOLDER, 'key.pem'), 'utf8'),
};

/** What becomes of a mail to two recipients, a@x.test and b@x.test, at a hop that behaves so. */
interface Case {
  readonly name: string;
  readonly script: FakeScript;
  readonly extensions?: readonly string[];
  readonly tls?: boolean;
  /** Put behind the hop's address. */
  readonly query?: string;
  /** State of each recipient when the client is answered. */
  readonly states: readonly [State, State];
  /** The reply of the first of them. */
  readonly reply?: RegExp;
}

type State = 'delivered' | 'refused' | 'spooled';

const SPOOLED = ['spooled', 'spooled'] as const;
const REFUSED = ['refused', 'refused'] as const;
const STAGES = ['greeting', 'ehlo', 'mail', 'rcpt', 'data', 'end'] as const;
/** A 5xx there is about this mail; elsewhere it is about the hop. */
const ABOUT_THE_MAIL: ReadonlySet<string> = new Set(['mail', 'rcpt', 'end']);

const LONG_LINE = `250 ${'x'.repeat(200_000)}`;
const NO_END = `${'250-more\r\n'.repeat(20_000)}250-still more`;

const CASES: readonly Case[] = [
  ...STAGES.flatMap((stage): Case[] => [
    { name: `hangs at ${stage}`, script: { [stage]: 'hang' }, states: SPOOLED },
    { name: `closes at ${stage}`, script: { [stage]: 'close' }, states: SPOOLED },
    { name: `closes in the middle of its reply at ${stage}`, script: { [stage]: { half: '250-o' } }, states: SPOOLED },
    { name: `answers garbage at ${stage}`, script: { [stage]: '\x16\x03\x01 what is SMTP?' }, states: SPOOLED },
    { name: `answers with a line without end at ${stage}`, script: { [stage]: LONG_LINE }, states: SPOOLED },
    { name: `answers with lines without end at ${stage}`, script: { [stage]: NO_END }, states: SPOOLED },
    { name: `says 421 at ${stage}`, script: { [stage]: '421 4.3.2 going down' }, states: SPOOLED },
    {
      name: `says 451 at ${stage}`,
      script: { [stage]: '451 4.3.0 not now' },
      states: SPOOLED,
    },
    {
      name: `says 550 at ${stage}`,
      script: { [stage]: '550 5.7.1 never' },
      states: ABOUT_THE_MAIL.has(stage) ? REFUSED : SPOOLED,
      ...(ABOUT_THE_MAIL.has(stage) ? { reply: /^550 5\.7\.1 never$/ } : {}),
    },
  ]),
  {
    name: 'takes one of the recipients',
    script: { rcpt: (line) => (line.includes('a@') ? '550 5.1.1 no such user' : undefined) },
    states: ['refused', 'delivered'],
    reply: /^550 5\.1\.1 no such user$/,
  },
  {
    name: 'takes one of the recipients later',
    script: { rcpt: (line) => (line.includes('b@') ? '450 4.2.1 later' : undefined) },
    states: ['delivered', 'spooled'],
  },
  {
    name: 'refuses one recipient and puts the other off',
    script: { rcpt: (line) => (line.includes('a@') ? '550 5.1.1 no such user' : '450 4.2.1 later') },
    states: ['refused', 'spooled'],
  },
  {
    name: 'takes one of the recipients and then refuses the mail',
    script: {
      rcpt: (line) => (line.includes('a@') ? '450 4.2.1 later' : undefined),
      end: '554 5.6.0 not this one',
    },
    states: ['spooled', 'refused'],
  },
  {
    name: 'says 421 at the second recipient',
    script: { rcpt: (line) => (line.includes('b@') ? '421 4.3.2 bye' : undefined) },
    states: SPOOLED,
  },
  { name: 'refuses DATA with 354 and closes', script: { data: { half: '354 go on\r\n' } }, states: SPOOLED },
  { name: 'refuses STARTTLS', tls: true, script: { starttls: '454 4.7.0 no' }, states: SPOOLED },
  { name: 'refuses STARTTLS for good', tls: true, script: { starttls: '554 5.7.0 no' }, states: SPOOLED },
  { name: 'hangs at STARTTLS', tls: true, script: { starttls: 'hang' }, states: SPOOLED },
  { name: 'hangs in the handshake', tls: true, script: { starttls: { half: '' } }, states: SPOOLED },
  {
    name: 'sends garbage after its 220',
    extensions: ['STARTTLS'],
    script: { starttls: { half: '220 go\r\nthis is no TLS at all\r\n' } },
    states: SPOOLED,
  },
  { name: 'has a certificate that does not verify', tls: true, query: '?tls=required', script: {}, states: SPOOLED },
  { name: 'has no STARTTLS where it is required', query: '?tls=required', script: {}, states: SPOOLED },
  {
    name: 'puts 250 and more in one reply',
    script: { mail: '250 2.1.0 ok\r\n250 2.0.0 and this is nobody’s' },
    states: SPOOLED,
  },
];

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Limits of time that make a hop that says nothing one of a moment. */
const TIMES = { connect: 150, hello: 150, command: 150, data: 150, end: 150 };

async function open(url: string): Promise<Setting> {
  const made = await setting([url], { options: { hop: { timeouts: TIMES }, probeInterval: 50 } });
  closing.push(() => made.close());
  return made;
}

describe('a next hop that', () => {
  for (const { name, script, extensions, tls, query, states, reply } of CASES)
    test.concurrent(name, async ({ expect }) => {
      const options: FakeOptions = {
        script,
        ...(extensions === undefined ? {} : { extensions }),
        ...(tls === true ? { tls: CERTIFICATE } : {}),
      };
      const server = await startFakeSmtp(options);
      const { delivery, list, records, close } = await setting([`${server.url}${query ?? ''}`], {
        options: { hop: { timeouts: TIMES }, probeInterval: 50 },
      });
      try {
        const mail = request({}, 'a@x.test', 'b@x.test');
        const outcomes = await delivery.deliver(mail);
        expect(outcomes.map(({ address, state }) => [address, state])).toEqual([
          ['a@x.test', states[0]],
          ['b@x.test', states[1]],
        ]);
        if (reply !== undefined) {
          const { code, enhanced, text } = outcomes[0]?.reply ?? { text: '' };
          expect(`${code} ${enhanced} ${text}`).toMatch(reply);
        }
        // No reply of the hop reaches a client or a log as it came.
        for (const { reply: said } of outcomes) {
          expect(said.text).not.toMatch(/[\x00-\x1f\x7f]/);
          expect(said.text.length).toBeLessThan(2000);
        }
        const spooled = ['a@x.test', 'b@x.test'].filter((_, i) => states[i] === 'spooled');
        expect((await list()).map(({ id }) => id)).toEqual(spooled.length === 0 ? [] : [mail.item]);
        if (query !== undefined || spooled.length === 0) return;
        // When the hop has come to its senses those who wait get the mail, once, and nobody gets a bounce.
        const early = server.mails.length;
        server.script = extensions === undefined ? {} : { ehlo: '250 fake.test' };
        server.cut();
        await expect.poll(list).toEqual([]);
        const later = server.mails.slice(early);
        expect(later.flatMap(({ rcptTo }) => rcptTo)).toEqual(spooled.map((address) => `TO:<${address}>`));
        expect(later.every(({ mailFrom }) => mailFrom.startsWith('FROM:<a@example.org>'))).toBe(true);
        expect(later.every(({ bytes }) => bytes.toString() === TEXT)).toBe(true);
        await expect
          .poll(() => records.map(({ recipient, state }) => [recipient, state]))
          .toEqual(spooled.map((address) => [address, 'delivered']));
      } finally {
        await close();
        await server.close();
      }
    });

  test('is not there at all', async () => {
    const port = await freePort();
    const { delivery, list } = await open(`smtp://127.0.0.1:${port}`);
    expect(await delivery.deliver(request())).toMatchObject([{ state: 'spooled' }]);
    const server = await startFakeSmtp({ port });
    closing.push(() => server.close());
    await expect.poll(list).toEqual([]);
    expect(server.mails.length).toBe(1);
  });

  test('never stops talking costs no memory, and is left', async () => {
    let written = 0;
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      const piece = Buffer.alloc(64 * 1024, '250-x\r\n');
      const more = (): void => {
        while (!socket.destroyed && socket.write(piece)) written += piece.length;
      };
      socket.on('drain', more).on('error', () => socket.destroy());
      more();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    closing.push(() => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    });
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { delivery } = await open(`smtp://127.0.0.1:${port}`);
    expect(await delivery.deliver(request())).toMatchObject([{ state: 'spooled' }]);
    const after = written;
    expect(after).toBeLessThan(64 * 2 ** 20);
  });

  test('answers later than the client waits: the client has its 250, the mail arrives once', async () => {
    let silent = 0;
    const end = (): 'hang' => {
      silent += 1;
      return 'hang';
    };
    const server = await startFakeSmtp({ script: { end } });
    closing.push(() => server.close());
    const { delivery, list, records, close } = await setting([server.url], { delivery: { inlineTimeout: 100 } });
    closing.push(close);
    const mail = request();
    expect(await delivery.deliver(mail)).toMatchObject([{ state: 'spooled' }]);
    expect((await list()).map(({ id }) => id)).toEqual([mail.item]);
    // On a busy machine the mail may still be on its way there.
    await expect.poll(() => silent).toBe(1);
    server.say('250 2.0.0 queued at last');
    await expect.poll(list).toEqual([]);
    expect(server.connections).toBe(1);
    await expect.poll(() => records).toMatchObject([{ recipient: 'b@example.net', state: 'delivered' }]);
  });

  test('refuses later what was spooled: the sender gets one bounce', async () => {
    const server = await startFakeSmtp({ script: { end: '451 4.3.0 later' } });
    closing.push(() => server.close());
    const { delivery, list } = await open(server.url);
    await delivery.deliver(request());
    server.script = { rcpt: (line) => (line.includes('b@example.net') ? '550 5.1.1 gone' : undefined) };
    await expect.poll(list).toEqual([]);
    expect(server.mails.map(({ mailFrom, rcptTo }) => [mailFrom.slice(0, 7), rcptTo])).toEqual([
      ['FROM:<>', ['TO:<a@example.org> NOTIFY=NEVER']],
    ]);
  });
});

test('a hop that fails at one mail has neither that mail nor what it has put off tried out of turn', async () => {
  const server = await startFakeSmtp({
    script: {
      rcpt: (argument) => {
        if (argument.includes('poison')) return '421 4.3.2 not again';
        return argument.includes('grey') ? '450 4.2.1 later' : undefined;
      },
    },
  });
  closing.push(() => server.close());
  const made = await setting([server.url], {
    delivery: { retry: { delays: [3_600_000], lifetime: 86_400_000, warnAfter: 'off' } },
    options: { probeInterval: 20 },
  });
  closing.push(() => made.close());
  const tries = (word: string): number => server.dialogue.filter((line) => line.includes(`RCPT TO:<${word}`)).length;
  await made.delivery.deliver(request({}, 'grey@example.net'));
  await made.delivery.deliver(request({}, 'poison@example.net'));
  // Once more, as it could have been the hop, and not the mail.
  await expect.poll(() => tries('poison')).toBe(2);
  for (let count = 1; count <= 10; count += 1) {
    await made.delivery.deliver(request({}, `b${count}@example.net`));
    const connections = server.connections;
    await made.delivery.checkHops();
    await expect.poll(() => server.connections).toBeGreaterThanOrEqual(connections);
  }
  expect(server.mails.length).toBe(10);
  expect([tries('grey'), tries('poison')]).toEqual([1, 2]);
});

test('a hop that comes back while a mail is being spooled gets it; the mail is not taken for a damaged one', async () => {
  const server = await startFakeSmtp({ script: { mail: '421 4.3.2 going down' } });
  closing.push(() => server.close());
  const real = durableFiles();
  const gate = { open: (): void => undefined };
  const writing = new Promise<void>((resolve) => (gate.open = resolve));
  const slow: DurableFiles = {
    ...real,
    create: async (...file) => {
      if (file[0].endsWith('.eml')) await writing;
      await real.create(...file);
    },
  };
  const { delivery, list, close, folder } = await setting([server.url], {
    options: { files: slow, probeInterval: 20 },
  });
  closing.push(close, () => {
    gate.open();
    return Promise.resolve();
  });
  const outcomes = delivery.deliver(request());
  await expect.poll(() => server.dialogue.filter((line) => line.includes('QUIT')).length).toBeGreaterThan(0);
  server.script = {};
  gate.open();
  expect(await outcomes).toMatchObject([{ state: 'spooled' }]);
  await expect.poll(list).toEqual([]);
  expect(server.mails.length).toBe(1);
  expect(await readdir(path.join(folder, 'data', 'spool', 'corrupt'))).toEqual([]);
});

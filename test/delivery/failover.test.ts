import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { startFakeSmtp, type FakeAction, type FakeMail, type FakeScript, type FakeSmtp } from '../support/fake-smtp.js';
import { freePort } from '../support/free-port.js';
import { request, setting, type Setting } from './set-up.js';

const TLS_FOLDER = path.resolve(import.meta.dirname, '../fixtures/tls');
const pem = (name: string): string => readFileSync(path.join(TLS_FOLDER, `${name}.pem`), 'utf8');
/** By name of the certificate: all have the same key, and are their own authority. */
const tlsOf = (name: string) => ({ cert: pem(name), key: pem('key') });

/** Takes what is to be closed when the test is over. */
type Later = (close: () => Promise<void>) => void;

/** Limits of time that make a hop that says nothing one of a moment. */
const TIMES = { connect: 300, hello: 300, command: 300, data: 300, end: 300 };

interface Hop {
  readonly script?: FakeScript;
  /** Name of its certificate; without one it offers no TLS. */
  readonly certificate?: string;
  readonly user?: string;
  readonly query?: string;
  readonly extensions?: readonly string[];
}

async function hop(later: Later, given: Hop): Promise<[FakeSmtp, string]> {
  const { script = {}, certificate, user = '', query = '', extensions } = given;
  const server = await startFakeSmtp({
    script,
    ...(certificate === undefined ? {} : { tls: tlsOf(certificate) }),
    ...(extensions === undefined ? {} : { extensions }),
  });
  later(() => server.close());
  return [server, `smtp://${user}127.0.0.1:${server.port}${query}`];
}

async function open(later: Later, urls: readonly string[]): Promise<Setting> {
  const options = { hop: { timeouts: TIMES }, probeInterval: 60_000 };
  const retry = { delays: [60_000], lifetime: 600_000, warnAfter: 'off' as const };
  const made = await setting(urls, { options, delivery: { inlineTimeout: 10_000, retry } });
  later(() => made.close());
  return made;
}

const got = (mails: readonly FakeMail[]): string[] =>
  mails.flatMap(({ rcptTo }) => rcptTo.map((text) => /<(.)/.exec(text)?.[1] ?? ''));

const for_ =
  (letter: string, answer: string) =>
  (line: string): string | undefined =>
    line.includes(`${letter}@`) ? answer : undefined;

/** The failures of a first hop that are its own: the second gets the mail in the same attempt. */
const AUTH: Hop = { certificate: 'cert', user: 'me:secret@', extensions: ['PIPELINING', 'AUTH PLAIN'] };
const LOGIN: Hop = { ...AUTH, extensions: ['PIPELINING', 'AUTH LOGIN'] };
const CA = (name: string): string => `?tls=required&ca=${path.join(TLS_FOLDER, `${name}.pem`)}`;
const MISBEHAVIOURS: readonly FakeAction[] = [
  '421 4.3.2 going down',
  'close',
  'hang',
  { half: '250-o' },
  '\x00\xff garbage',
];
const STAGES = ['greeting', 'ehlo', 'mail', 'rcpt', 'data'] as const;
const OF_THE_HOP: readonly (readonly [string, Hop])[] = [
  ...STAGES.flatMap((stage) =>
    MISBEHAVIOURS.map((what) => [`${JSON.stringify(what)} at ${stage}`, { script: { [stage]: what } }] as const),
  ),
  ...MISBEHAVIOURS.map((what) => [`${JSON.stringify(what)} at AUTH`, { ...AUTH, script: { auth: what } }] as const),
  ...MISBEHAVIOURS.map(
    (what) => [`${JSON.stringify(what)} at AUTH LOGIN`, { ...LOGIN, script: { auth: what } }] as const,
  ),
  ...MISBEHAVIOURS.map(
    (what) => [`${JSON.stringify(what)} at STARTTLS`, { certificate: 'cert', script: { starttls: what } }] as const,
  ),
  ['421 at the end of data', { script: { end: '421 4.3.2 going down' } }],
  ['554 at the greeting', { script: { greeting: '554 5.3.2 never' } }],
  ['550 at EHLO', { script: { ehlo: '550 5.7.1 never' } }],
  ['554 at DATA', { script: { data: '554 5.3.0 never' } }],
  ['a login that fails for now', { ...AUTH, script: { auth: '454 4.7.0 later' } }],
  ['a login that fails for good', { ...AUTH, script: { auth: '535 5.7.8 wrong' } }],
  ['a login that is to be TLS first, and no TLS', { user: 'me:secret@', extensions: ['AUTH PLAIN'] }],
  ['no way to log in', { ...AUTH, extensions: ['AUTH CRAM-MD5'] }],
  ['no TLS where it is required', { query: '?tls=required' }],
  ['a certificate that nobody vouches for', { certificate: 'cert', query: '?tls=required' }],
  ['the certificate of another name', { certificate: 'other-name', query: CA('other-name') }],
  ['a certificate that has expired', { certificate: 'expired', query: CA('expired') }],
  ['the certificate of another authority', { certificate: 'cert', query: CA('other-name') }],
];

describe('the second hop gets the mail when the first has', () => {
  for (const [name, bad] of OF_THE_HOP)
    test.concurrent(name, async ({ expect, onTestFinished: later }) => {
      const [first, firstUrl] = await hop(later, bad);
      const [second, secondUrl] = await hop(later, {});
      const { delivery, list } = await open(later, [firstUrl, secondUrl]);
      const outcomes = await delivery.deliver(request({}, 'a@x.test', 'b@x.test'));
      expect(outcomes.map(({ state, hop: by }) => [state, by])).toEqual([
        ['delivered', `smtp://127.0.0.1:${second.port}`],
        ['delivered', `smtp://127.0.0.1:${second.port}`],
      ]);
      expect(got(first.mails)).toEqual([]);
      expect(got(second.mails)).toEqual(['a', 'b']);
      expect(await list()).toEqual([]);
      // A password goes nowhere in clear, and to no other hop.
      const said = [...first.dialogue, ...second.dialogue].join('\n');
      if (bad.user !== undefined && bad.certificate === undefined) expect(said).not.toContain('AUTH');
      expect(second.dialogue.join('\n')).not.toContain('AUTH');
    });

  test('nothing that listens', async ({ onTestFinished: later }) => {
    const [second, secondUrl] = await hop(later, {});
    const { delivery } = await open(later, [`smtp://127.0.0.1:${await freePort()}`, secondUrl]);
    expect(await delivery.deliver(request())).toMatchObject([{ state: 'delivered' }]);
    expect(second.mails.length).toBe(1);
  });
});

/** What two hops make of mail to a@, b@ and c@; `first` and `second`: whom they have it for in the end. */
interface Shared {
  readonly name: string;
  readonly one: FakeScript;
  readonly two?: FakeScript;
  readonly states: string;
  readonly first?: string;
  readonly second?: string;
}

const SHARED: readonly Shared[] = [
  {
    name: 'a recipient that the first refused is not offered to the second',
    one: { rcpt: for_('a', '550 5.1.1 unknown'), data: '421 4.3.2 bye' },
    states: 'refused delivered delivered',
    second: 'bc',
  },
  {
    name: 'a recipient that the first put off before it failed is offered to the second',
    one: { rcpt: for_('b', '450 4.2.1 later'), data: 'close' },
    states: 'delivered delivered delivered',
    second: 'abc',
  },
  {
    name: 'a recipient that the first alone put off waits, while it is well',
    one: { rcpt: for_('b', '450 4.2.1 later') },
    states: 'delivered spooled delivered',
    first: 'ac',
  },
  {
    name: 'the second refuses what the first had not come to',
    one: { rcpt: for_('b', '421 4.3.2 bye') },
    two: { rcpt: for_('c', '550 5.1.1 unknown') },
    states: 'delivered delivered refused',
    second: 'ab',
  },
  {
    name: 'all refused by the first, and its end: nobody asks the second',
    one: { rcpt: '550 5.1.1 unknown' },
    states: 'refused refused refused',
  },
  {
    name: 'each puts others off',
    one: { rcpt: for_('a', '550 5.1.1 unknown'), data: '421 4.3.2 bye' },
    two: { rcpt: for_('b', '450 4.2.1 later') },
    states: 'refused spooled delivered',
    second: 'c',
  },
  {
    name: 'the first has refused one, the second refuses the mail',
    one: { rcpt: for_('c', '550 5.1.1 unknown'), data: '451 4.3.0 no' },
    two: { end: '554 5.6.0 not this' },
    states: 'refused refused refused',
  },
  {
    name: 'both fail: who was refused stays refused, the others wait',
    one: { rcpt: for_('b', '550 5.1.1 unknown'), data: 'close' },
    two: { mail: '421 4.3.2 bye' },
    states: 'spooled refused spooled',
  },
  ...(['close', 'hang', { half: '250 2.0' }, 'what?'] as const).map((end): Shared => ({
    name: `${JSON.stringify(end)} after the data: the first may have the mail, the second is not asked`,
    one: { end },
    states: 'spooled spooled spooled',
  })),
  {
    name: 'a refusal after the data is about the mail: the second is not asked',
    one: { end: '554 5.7.1 spam' },
    states: 'refused refused refused',
  },
  {
    name: 'a delay after the data is about the mail: the second is not asked',
    one: { end: '451 4.7.1 greylisted' },
    states: 'spooled spooled spooled',
  },
];

describe.each([
  ['pipelined', ['PIPELINING', 'DSN']],
  ['step by step', ['DSN']],
])('two hops and three recipients, %s', (_, extensions) => {
  for (const { name, one, two = {}, states, first = '', second = '' } of SHARED)
    test.concurrent(name, async ({ expect, onTestFinished: later }) => {
      const [firstHop, firstUrl] = await hop(later, { script: one, extensions });
      const [secondHop, secondUrl] = await hop(later, { script: two, extensions });
      const { delivery, list } = await open(later, [firstUrl, secondUrl]);
      const outcomes = await delivery.deliver(request({}, 'a@x.test', 'b@x.test', 'c@x.test'));
      expect(outcomes.map(({ state }) => state).join(' ')).toBe(states);
      expect(got(firstHop.mails).join('')).toBe(first);
      expect(got(secondHop.mails).join('')).toBe(second);
      const [item] = await list();
      const waiting = item?.recipients.filter(({ state }) => state === 'waiting').map(({ address }) => address) ?? [];
      expect(waiting).toEqual(outcomes.filter(({ state }) => state === 'spooled').map(({ address }) => address));
    });
});

test('each recipient has the hop whose answer he has', async ({ onTestFinished: later }) => {
  const [first, firstUrl] = await hop(later, { script: { rcpt: for_('a', '550 5.1.1 unknown'), data: 'close' } });
  const [second, secondUrl] = await hop(later, { script: { rcpt: for_('b', '450 4.2.1 later') } });
  const { delivery } = await open(later, [firstUrl, secondUrl]);
  const outcomes = await delivery.deliver(request({}, 'a@x.test', 'b@x.test', 'c@x.test'));
  const names = [first, second, second].map(({ port }) => `smtp://127.0.0.1:${port}`);
  expect(outcomes.map(({ hop: by }) => by)).toEqual(names);
});

describe.each([
  ['pipelined', ['PIPELINING']],
  ['step by step', []],
])('a kept connection, %s, that meets the next mail with', (_, extensions) => {
  const words = ['421 4.4.2 idle too long', '500 5.5.1 what?', '451 4.3.0 no', 'close', { half: '250 2' }] as const;
  for (const rset of words)
    test(`${JSON.stringify(rset)} at RSET`, async ({ onTestFinished: later }) => {
      const [server, url] = await hop(later, { extensions, script: { rcpt: '550 5.1.1 unknown', rset } });
      const { delivery, list } = await open(later, [url]);
      expect(await delivery.deliver(request())).toMatchObject([{ state: 'refused' }]);
      server.script = { rset };
      expect(await delivery.deliver(request())).toMatchObject([{ state: 'delivered' }]);
      expect(server.mails.length).toBe(1);
      expect(server.connections).toBe(2);
      expect(await list()).toEqual([]);
    });

  for (const what of ['421 4.4.2 idle too long', 'close'])
    test(`${what} at MAIL`, async ({ onTestFinished: later }) => {
      const [server, url] = await hop(later, {
        extensions,
        script: { mail: (_line, { mails }) => (mails > 0 ? what : undefined) },
      });
      const { delivery } = await open(later, [url]);
      for (let count = 0; count < 3; count += 1)
        expect(await delivery.deliver(request())).toMatchObject([{ state: 'delivered' }]);
      expect(server.mails.length).toBe(3);
      expect(server.connections).toBe(3);
    });
});

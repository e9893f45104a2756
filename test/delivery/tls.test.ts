import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openHop } from '../../src/delivery/hop.js';
import { replyLine } from '../../src/delivery/reply.js';
import type { NextHop } from '../../src/delivery/types.js';
import { startFakeSmtp, type FakeOptions, type FakeSmtp } from '../support/fake-smtp.js';
import { content } from './set-up.js';

let folder = '';
let tls = { cert: '', key: '' };
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-tls-'));
  const [cert, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
      ...subject,
    ],
    { stdio: 'ignore' },
  );
  tls = { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function setUp(options: FakeOptions, query = '', user = ''): Promise<{ server: FakeSmtp; hop: NextHop }> {
  const server = await startFakeSmtp(options);
  const scheme = options.tls?.implicit === true ? 'smtps' : 'smtp';
  const url = `${scheme}://${user}127.0.0.1:${server.port}${query}`;
  const timeouts = { connect: 2000, hello: 2000, command: 2000, data: 2000, end: 2000 };
  const hop = openHop(url, { hostname: 'gw.test', folder, timeouts });
  closing.push(
    () => hop.close(),
    () => server.close(),
  );
  return { server, hop };
}

async function send(hop: NextHop): Promise<string> {
  const result = await hop.send({
    id: 'T',
    sender: 'a@x.test',
    recipients: [{ address: 'b@x.test' }],
    content: content(),
    smtpUtf8: false,
    eightBit: false,
  });
  const [one] = result.recipients;
  return `${one?.state ?? ''} ${one === undefined ? '' : replyLine(one.reply)}`;
}

test('opportunistic: encrypts without asking who it is', async () => {
  const { server, hop } = await setUp({ tls });
  expect(await send(hop)).toMatch(/^delivered/);
  expect(server.dialogue.map((line) => line.split(' ')[1])).toEqual([
    'EHLO',
    'STARTTLS',
    'EHLO',
    'MAIL',
    'RCPT',
    'DATA',
  ]);
});

test('opportunistic: goes without where it is not offered', async () => {
  const { hop } = await setUp({});
  expect(await send(hop)).toMatch(/^delivered/);
});

test('off: does not encrypt', async () => {
  const { server, hop } = await setUp({ tls }, '?tls=off');
  expect(await send(hop)).toMatch(/^delivered/);
  expect(server.dialogue.join()).not.toContain('STARTTLS');
});

test('required: not without TLS, not with a certificate that nobody vouches for', async () => {
  const plain = await setUp({}, '?tls=required');
  expect(await send(plain.hop)).toBe('deferred 454 4.7.0 the server offers no TLS and it is required');
  const self = await setUp({ tls }, '?tls=required');
  expect(await send(self.hop)).toBe('deferred 454 4.7.0 the TLS handshake failed: self-signed certificate');
  expect(self.server.mails).toEqual([]);
});

test('required with ?ca= takes what that file vouches for', async () => {
  const { hop } = await setUp({ tls }, '?tls=required&ca=cert.pem');
  expect(await send(hop)).toMatch(/^delivered/);
});

test('smtps speaks TLS from the first byte', async () => {
  const { hop } = await setUp({ tls: { ...tls, implicit: true } }, '?ca=cert.pem');
  expect(await send(hop)).toMatch(/^delivered/);
  const unverified = await setUp({ tls: { ...tls, implicit: true } }, '?tls=required');
  expect(await send(unverified.hop)).toMatch(/^deferred/);
});

test.each([
  ['refused', { starttls: '454 4.7.0 no TLS today' }],
  ['refused for good', { starttls: '554 5.7.0 no TLS today' }],
  ['answered with garbage', { starttls: '220 go ahead\r\nhello' }],
  ['followed by text in clear', { starttls: '220 go ahead\r\n250 injected' }],
])('STARTTLS %s is a failure of the hop: nothing goes out in clear', async (_, script) => {
  const { server, hop } = await setUp({ tls, script });
  expect(await send(hop)).toMatch(/^deferred/);
  expect(server.mails).toEqual([]);
});

test('AUTH PLAIN and LOGIN under TLS', async () => {
  const plain = await setUp({ tls, extensions: ['AUTH LOGIN PLAIN'] }, '', 'me:p%40ss@');
  expect(await send(plain.hop)).toMatch(/^delivered/);
  expect(plain.server.dialogue).toContain(`1 AUTH PLAIN ${Buffer.from('\0me\0p@ss').toString('base64')}`);
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const answers = new Map([
    ['LOGIN', '334 VXNlcm5hbWU6'],
    [base64('me'), '334 UGFzc3dvcmQ6'],
    [base64('pass'), '235 2.7.0 welcome'],
  ]);
  const login = await setUp(
    { tls, extensions: ['AUTH=LOGIN'], script: { auth: (text) => answers.get(text) } },
    '',
    'me:pass@',
  );
  expect(await send(login.hop)).toMatch(/^delivered/);
  expect(login.server.dialogue).toContain(`1 ${base64('pass')}`);
});

test('a long password goes behind AUTH PLAIN, as a command line is bounded', async () => {
  const password = 'p'.repeat(400);
  const response = Buffer.from(`\0me\0${password}`).toString('base64');
  const script = {
    auth: (text: string) => (text === 'PLAIN' ? '334 ' : text === response ? '235 2.7.0 hi' : '500 5.5.6 no'),
  };
  const { server, hop } = await setUp({ tls, extensions: ['AUTH PLAIN'], script }, '', `me:${password}@`);
  expect(await send(hop)).toMatch(/^delivered/);
  expect(server.dialogue).toContain(`1 ${response}`);
});

test('a password is not sent in clear, unless tls=off says so, and a refused login is temporary', async () => {
  const clear = await setUp({ extensions: ['AUTH PLAIN'] }, '', 'me:pass@');
  expect(await send(clear.hop)).toMatch(/^deferred 454 4\.7\.0 the password is not sent/);
  expect(clear.server.dialogue.join()).not.toContain('AUTH');
  const off = await setUp({ extensions: ['AUTH PLAIN'], script: { auth: '535 5.7.8 wrong' } }, '?tls=off', 'me:pass@');
  expect(await send(off.hop)).toBe('deferred 535 5.7.8 wrong');
  expect(off.hop.name).not.toContain('pass');
});

test.each(['PLAIN', 'LOGIN'])(
  'a refused AUTH %s does not tell the password, also where the server repeats it',
  async (how) => {
    const auth = (text: string): string =>
      text === 'LOGIN' || text === Buffer.from('me').toString('base64')
        ? '334 go on'
        : `500 5.5.1 Command unrecognized: "AUTH ${text}" (pa+ss)`;
    const { hop } = await setUp({ extensions: [`AUTH ${how}`], script: { auth } }, '?tls=off', 'me:pa%2Bss@');
    const said = await send(hop);
    expect(said).toBe(`deferred 500 5.5.1 Command unrecognized: "AUTH ${how === 'PLAIN' ? 'PLAIN ' : ''}***" (***)`);
  },
);

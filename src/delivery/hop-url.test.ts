import { expect, test } from 'vitest';
import { HopUrlError, parseHopUrl } from './hop-url.js';

test('a Maildir counts from the folder given', () => {
  expect(parseHopUrl('maildir:./data/inbox', '/srv')).toEqual({
    kind: 'maildir',
    folder: '/srv/data/inbox',
    name: 'maildir:./data/inbox',
  });
  expect(parseHopUrl('maildir:/var/mail', '/srv')).toMatchObject({ folder: '/var/mail' });
});

test.each([
  [
    'smtp://mx.test',
    { host: 'mx.test', port: 25, implicitTls: false, tls: 'opportunistic', name: 'smtp://mx.test:25' },
  ],
  ['smtps://mx.test?tls=required', { port: 465, implicitTls: true, tls: 'required', name: 'smtps://mx.test:465' }],
  ['smtp://[::1]:2525?tls=off', { host: '::1', port: 2525, tls: 'off', name: 'smtp://[::1]:2525' }],
  ['smtp://me:p%40%3Ass@mx.test', { credentials: { user: 'me', password: 'p@:ss' }, name: 'smtp://mx.test:25' }],
  ['smtp://mx.bücher.test', { host: 'mx.xn--bcher-kva.test', name: 'smtp://mx.xn--bcher-kva.test:25' }],
  ['smtp://me:1%23%3F@mx.test', { credentials: { user: 'me', password: '1#?' } }],
  ['smtp://mx.test?ca=ca.pem', { tls: 'required', ca: '/srv/ca.pem' }],
])('%s', (url, expected) => {
  expect(parseHopUrl(url, '/srv')).toMatchObject({ kind: 'smtp', ...expected });
});

test.each([
  'http://mx.test',
  'smtp://',
  'smtp://mx.test:0',
  'smtp://mx.test:99999',
  'smtp://mx.test/path',
  'smtp://mx.test?tls=maybe',
  'smtp://mx.test?verify=no',
  'smtp://mx.test?tls=off&ca=x',
  'smtps://mx.test?tls=off',
  'smtp://me:50%@mx.test',
  'smtp://me:25#50%@mx.test',
  'smtp://me:25?50%@mx.test',
  'smtp://mx%20.test',
  'maildir:',
  'nonsense',
])('%s is an error that says no secret', (url) => {
  const parse = () => parseHopUrl(url);
  expect(parse).toThrow(HopUrlError);
  expect(parse).not.toThrow(/50%/);
});

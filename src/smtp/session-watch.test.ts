import { expect, test } from 'vitest';
import { newTraceId } from '../message/trace-id.js';
import type { Notice, NoticeReporter } from '../notifications/notices.js';
import type { NoticeClass } from '../notifications/types.js';
import { silentLog } from '../telemetry/log.js';
import { SessionWatch } from './session-watch.js';
import { Transcript } from './transcript.js';

function watching(...classes: readonly NoticeClass[]): { watch: SessionWatch | undefined; told: Notice[] } {
  const told: Notice[] = [];
  const notices: NoticeReporter = {
    wants: (about) => classes.includes(about),
    tell: (notice) => {
      if (classes.includes(notice.class)) told.push(notice);
      return Promise.resolve();
    },
  };
  return { watch: SessionWatch.over(notices, silentLog()), told };
}

test.each<[number, string, NoticeClass | undefined]>([
  [550, '5.7.1 Relaying denied', 'policy'],
  [450, '4.7.1 Too many messages from you, try again later', 'policy'],
  [421, '4.7.0 Too many connections', 'policy'],
  [535, '5.7.8 Authentication failed', 'policy'],
  [421, '4.7.0 You talk too soon', 'protocol'],
  [500, '5.5.1 Unknown command', 'protocol'],
  [503, '5.5.1 MAIL comes first', 'protocol'],
  [555, '5.5.4 Parameter X is not supported', 'protocol'],
  [452, '4.3.1 Insufficient system storage, try again later', 'resource'],
  [451, '4.3.0 Temporary failure, try again later', 'software'],
  [451, '4.7.1 Try again later', undefined],
  [452, '4.5.3 Too many recipients', undefined],
  [550, '5.1.1 no such user', undefined],
  [421, '4.4.2 Timeout', undefined],
  [250, '2.0.0 Ok', undefined],
])('%i %s', (code, text, expected) => {
  const { watch, told } = watching('policy', 'protocol', 'resource', 'software');
  watch?.heard(Buffer.from('RCPT TO:<a@x.test>'), false);
  watch?.answered(code, '', text);
  watch?.end('192.0.2.1');
  expect(told.map((notice) => notice.class)).toEqual(expected === undefined ? [] : [expected]);
});

test('one notice for each class of a session, at its end, with what was said first', () => {
  const { watch, told } = watching('policy', 'protocol');
  for (const line of ['FOO', 'BAR']) {
    watch?.heard(Buffer.from(line), false);
    watch?.answered(500, '5.5.1', 'Unknown command');
  }
  watch?.heard(Buffer.from('RCPT TO:<a@x.test>'), false);
  watch?.answered(550, '', '5.7.1 Relaying denied');
  expect(told).toEqual([]);
  watch?.end('192.0.2.1');
  watch?.end('192.0.2.1');
  expect(told.map((notice) => notice.errorDescription)).toEqual([
    'FOO was answered: 500 5.5.1 Unknown command',
    'RCPT was answered: 550 5.7.1 Relaying denied',
  ]);
  expect(told[0]?.transcript).toContain('C: BAR');
  expect(told[0]?.message?.senderIp).toBe('192.0.2.1');
});

test('a failure about a message bears its ID', () => {
  const { watch, told } = watching('software');
  const id = newTraceId();
  watch?.heard(Buffer.from('DATA'), false);
  watch?.data(1234, id);
  watch?.answered(451, '', '4.3.0 Temporary failure');
  watch?.end('192.0.2.1');
  expect(told).toMatchObject([{ class: 'software', message: { messageId: id } }]);
  expect(told[0]?.transcript).toBeUndefined();
});

test('nothing is watched where nobody is told', () => {
  expect(watching().watch).toBeUndefined();
  expect(watching('bounce', 'delay', 'double-bounce').watch).toBeUndefined();
  expect(SessionWatch.over(undefined, silentLog())).toBeUndefined();
});

test('a transcript has no passwords', () => {
  const transcript = new Transcript();
  const say = (line: string, secret = false): void => transcript.heard(Buffer.from(line), secret);
  say('AUTH PLAIN AGEAc2VjcmV0');
  say('auth plain  AGEAc2VjcmV0 more');
  say('AUTH LOGIN');
  say('c2VjcmV0', true);
  say('c2VjcmV0');
  say('MAIL FROM:<a@x.test>');
  expect(transcript.lines).toEqual([
    'C: AUTH PLAIN (hidden)',
    'C: auth plain (hidden)',
    'C: AUTH LOGIN',
    'C: (hidden)',
    'C: (hidden)',
    'C: MAIL FROM:<a@x.test>',
  ]);
});

test('a transcript is bounded in lines and in their length, and is text', () => {
  const transcript = new Transcript();
  for (let index = 0; index < 500; index += 1) transcript.heard(Buffer.from(`NOOP ${index} ${'x'.repeat(900)}`), false);
  transcript.answered(250, ['a\r\n\u001b[31m\u202eb']);
  transcript.data(77);
  expect(transcript.lines.length).toBe(51);
  expect(transcript.lines[0]).toBe('(452 lines before)');
  expect(transcript.lines.every((line) => line.length <= 203)).toBe(true);
  expect(transcript.lines.slice(-2)).toEqual(['S: 250 a [31m b', 'C: (77 bytes of data)']);
});

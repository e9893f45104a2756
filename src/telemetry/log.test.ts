import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { hasActing } from '../config/acting-characters.js';
import { changeLog, createLog } from './log.js';

const HOSTILE = 'a\x1b[2Jb\x9b31m\u202ec\r\x07\x7f\u2066d';

function logged(pretty: boolean): string {
  const lines: string[] = [];
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const log = createLog({ level: 'info', pretty }, output);
  log.info({ helo: HOSTILE, nested: { list: [HOSTILE] }, [HOSTILE]: 1 }, HOSTILE);
  log.error({ err: new Error(HOSTILE) }, 'failed');
  return lines.join('');
}

test('what strangers say in the log does not act on the terminal that shows it', () => {
  const text = logged(true);
  expect(hasActing(text)).toBe(false);
  expect(text).toContain('a·[2Jb·31m·c··d'.slice(0, 12));
  expect(text.trim().split('\n').length).toBeGreaterThan(4);
});

test('and stands in JSON as it is, escaped', () => {
  const text = logged(false);
  expect(hasActing(text)).toBe(false);
  const [first = ''] = text.split('\n');
  expect(JSON.parse(first)).toMatchObject({ helo: HOSTILE, nested: { list: [HOSTILE] }, [HOSTILE]: 1, msg: HOSTILE });
});

test('without addresses none stands in it, whoever says it', () => {
  const lines: string[] = [];
  const output = new Writable({
    write: (chunk: Buffer, _, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const log = createLog({ level: 'info', addresses: false, pretty: false }, output);
  const reply = '550 5.1.1 <anna@example.org> unknown; "b c"@example.org, d@[192.0.2.1], ö@ü.example:';
  const kept = { queue: 'redis://***@127.0.0.1/0', list: 'no list "@ours" or *@partner.example' };
  log.child({ user: 'anna@example.org' }).info({ ...kept, reply }, 'message');
  changeLog(log, { level: 'info', addresses: true });
  log.info({ reply }, 'message');
  const [hidden, shown] = lines.map((line): unknown => JSON.parse(line));
  expect(hidden).toMatchObject({ ...kept, user: '***', reply: '550 5.1.1 <***> unknown; ***, ***, ***:' });
  expect(shown).toMatchObject({ reply });
});

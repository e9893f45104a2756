import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { hasActing } from '../config/acting-characters.js';
import { createLog } from './log.js';

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

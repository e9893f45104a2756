import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { StrangerLog } from './stranger-log.js';

function setUp() {
  const lines: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const clock = { now: 0 };
  return { lines, clock, log: new StrangerLog(pino({ base: null }, stream), () => clock.now) };
}

test('one client has 600 lines of a kind in a minute; others and other kinds go on; what is left out is counted', () => {
  const { lines, clock, log } = setUp();
  for (let count = 0; count < 1000; count += 1) log.info({ client: '192.0.2.1' }, 'session refused');
  expect(lines.length).toBe(600);
  log.info({ client: '192.0.2.2' }, 'session refused');
  log.info({ client: '192.0.2.1' }, 'login refused');
  expect(lines.length).toBe(602);
  clock.now = 60_000;
  log.info({ client: '192.0.2.1' }, 'session refused');
  expect(lines.slice(602).map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { kind: 'session refused', leftOut: 400, level: 40 },
    { msg: 'session refused', client: '192.0.2.1' },
  ]);
});

test('all addresses of an IPv6 /64 are one client; errors count like the rest', () => {
  const { lines, log } = setUp();
  for (let count = 0; count < 1000; count += 1) log.error({ client: `2001:db8::${count}` }, 'not handled');
  expect(lines.length).toBe(600);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 50, msg: 'not handled' });
});

test('ten thousand clients have 3,000 lines of a kind in a minute', () => {
  const { lines, log } = setUp();
  for (let count = 0; count < 10_000; count += 1)
    log.info({ client: `2001:db8:0:${count.toString(16)}::1` }, 'session refused');
  expect(lines.length).toBe(3000);
  log.flush();
  expect(JSON.parse(lines[3000] ?? '')).toMatchObject({ kind: 'session refused', leftOut: 7000 });
  log.flush();
  expect(lines.length).toBe(3001);
});

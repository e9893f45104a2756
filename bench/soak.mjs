// Memory while the same load goes on: 50 connections a second, each with one message, for ten minutes.
// usage: npm run bench:soak [-- --minutes 10 --rate 50]. Needs Linux and Postfix's smtp-sink.
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { MESSAGES } from './messages.mjs';
import { need, optionsOf, processesOf, startGateway, startSink, stop, table } from './support.mjs';

/** ms without a word after which a client gives up: a full queue of the kernel drops connections without one. */
const PATIENCE = 60_000;
/** Share by which a minute may differ from the second one. */
const FLAT = 0.05;
const READING = 5_000;

const options = optionsOf('bench:soak', { minutes: '10', rate: '50', kind: '2 KB text' });
need({ 'smtp-sink': 'postfix' });
const minutes = Number(options.minutes);
const interval = 1000 / Number(options.rate);
const text = MESSAGES[options.kind]().replace(/\r?\n/g, '\r\n').replace(/^\./gm, '..');

/** Memory that the processes have for themselves, their part of what they share included. MB */
function memoryOf(pids) {
  let kilobytes = 0;
  for (const pid of pids) {
    try {
      kilobytes += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
    } catch {
      // It has ended meanwhile.
    }
  }
  return kilobytes / 1024;
}

/** One connection with one message. @returns whether it was taken */
async function sendOne(port) {
  const socket = net.connect(port, '127.0.0.1');
  socket.setEncoding('latin1');
  const says = ['EHLO out.partner.example', 'MAIL FROM:<alice@partner.example>', 'RCPT TO:<bob@example.org>', 'DATA'];
  try {
    return await new Promise((resolve, reject) => {
      let seen = '';
      let taken = false;
      const next = [...says, `${text}\r\n.`, 'QUIT'];
      socket.setTimeout(PATIENCE, () => reject(new Error('nothing is said any more')));
      socket.on('error', reject);
      socket.on('close', () => resolve(taken));
      socket.on('data', (chunk) => {
        seen += chunk;
        for (let end = seen.indexOf('\n'); end >= 0; end = seen.indexOf('\n')) {
          const line = seen.slice(0, end);
          seen = seen.slice(end + 1);
          if (line[3] === '-') continue;
          if (next.length === 1) taken = line.startsWith('250');
          const say = next.shift();
          if (say !== undefined) socket.write(`${say}\r\n`);
        }
      });
    });
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const sink = await startSink();
const gateway = await startGateway({ hop: sink.port, config: 'trusted: [127.0.0.1]\n' });
const counts = { sent: 0, taken: 0, open: 0, most: 0 };
const readings = Array.from({ length: minutes }, () => []);
const begun = performance.now();
const over = () => performance.now() - begun >= minutes * 60_000;
const reading = (async () => {
  while (!over()) {
    await delay(READING);
    const pids = [...processesOf(gateway.child.pid, gateway.site).keys()];
    const minute = Math.min(minutes - 1, Math.floor((performance.now() - begun) / 60_000));
    const main = memoryOf([gateway.child.pid]);
    readings[minute].push({ main, all: memoryOf(pids) });
    if (process.stderr.isTTY)
      process.stderr.write(`\r${String(counts.taken)} taken, ${main.toFixed(0)} MB in minute ${String(minute + 1)} `);
  }
})();
const running = new Set();
for (let n = 1; !over(); n++) {
  counts.sent += 1;
  counts.open += 1;
  counts.most = Math.max(counts.most, counts.open);
  const one = sendOne(gateway.port).then((taken) => {
    counts.taken += taken ? 1 : 0;
    counts.open -= 1;
    running.delete(one);
  });
  running.add(one);
  const wait = begun + n * interval - performance.now();
  if (wait > 0) await delay(wait);
}
await Promise.all(running);
await reading;
const mean = (list, key) => list.reduce((total, entry) => total + entry[key], 0) / list.length;
const base = mean(readings[1] ?? readings[0], 'main');
const rows = [['minute', 'gateway MB', 'beside minute 2', 'with the database MB']];
let good = counts.taken === counts.sent;
for (const [i, list] of readings.entries()) {
  const main = mean(list, 'main');
  if (i > 1 && Math.abs(main / base - 1) > FLAT) good = false;
  rows.push([String(i + 1), main.toFixed(0), `${(main / base).toFixed(2)}x`, mean(list, 'all').toFixed(0)]);
}
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
process.stdout.write(`${table(rows)}\n`);
process.stdout.write(
  `${counts.taken} of ${counts.sent} messages taken, at most ${counts.most} connections at a time; ${good ? 'flat' : 'NOT flat'} within ${FLAT * 100} %\n`,
);
await stop(gateway.child);
await stop(sink.child);
process.exit(good ? 0 : 1);

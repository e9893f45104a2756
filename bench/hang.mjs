// What messages that are built to hang do to the others: the time of each, and the p99 of ordinary mail meanwhile,
// as a ratio of the quiet state in the same run.
// usage: node bench/hang.mjs [--seconds 6 --sessions 8 --deadline 5 --json]
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { HOSTILE } from './hostile.mjs';
import { MESSAGES } from './messages.mjs';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '6' },
    sessions: { type: 'string', default: '8' },
    deadline: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean' },
  },
});
if (options.help) {
  process.stdout.write('node bench/hang.mjs [--seconds 6] [--sessions 8] [--deadline 5] [--json]\n');
  process.exit(0);
}
const seconds = Number(options.seconds);
const deadline = Number(options.deadline) * 1000;

/** A third party's module that never comes back from one message. */
const HANGING = `export default ({ z }) => ({
  settings: z.strictObject({}),
  statuses: [],
  create: () => ({
    async inspect({ message }) {
      if (message.subject === 'hang') for (;;);
      return [];
    },
  }),
});
`;

const folder = mkdtempSync(path.join(os.tmpdir(), 'gatepost-hang-'));
let child;
process.on('exit', () => {
  child?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
process.on('SIGINT', () => process.exit(130));

const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

async function startGateway() {
  const port = await freePort();
  const config = path.join(folder, 'gatepost.yaml');
  writeFileSync(path.join(folder, 'hanging.mjs'), HANGING);
  writeFileSync(
    config,
    `smtp: { listen: ["127.0.0.1:${port}"] }
delivery: { nextHop: "maildir:./inbox" }
scan: { deadline: ${options.deadline}s }
detectors: { content: {}, signatures: {}, links: {}, antispam: {}, hanging: { module: ./hanging.mjs } }
log: { level: error }
`,
  );
  const program = path.join(import.meta.dirname, '..', 'bin', 'gatepost.js');
  child = spawn(process.execPath, [program, 'start', '--json', '--config', config], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (let i = 0; i < 600; i++) {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}`);
    const up = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (up) return port;
    await delay(100);
  }
  throw new Error('the gateway does not start');
}

/** A kept session. */
async function connect(port) {
  const socket = net.connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  const lines = createInterface({ input: socket, crlfDelay: Infinity })[Symbol.asyncIterator]();
  const reply = async () => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error('the gateway closed the connection');
      if (/^\d{3}(?!-)/.test(value)) return value;
    }
  };
  const say = async (text) => {
    socket.write(text);
    return await reply();
  };
  await reply();
  await say('EHLO partner.example\r\n');
  return {
    /** ms from the end of data to the reply, and the reply. */
    async send(bytes) {
      await say('MAIL FROM:<a@partner.example>\r\n');
      await say('RCPT TO:<bob@example.org>\r\n');
      await say('DATA\r\n');
      const started = performance.now();
      const answer = await say(Buffer.concat([bytes, Buffer.from('\r\n.\r\n')]));
      return { ms: performance.now() - started, answer };
    },
    close: () => socket.destroy(),
  };
}

/** Ordinary mail from several sessions, until it is told to stop. */
async function ordinary(port, isOver) {
  const message = Buffer.from(MESSAGES[Object.keys(MESSAGES).find((name) => name.startsWith('2 '))]());
  const times = [];
  const refused = [];
  await Promise.all(
    Array.from({ length: Number(options.sessions) }, async () => {
      const session = await connect(port);
      while (!isOver()) {
        const { ms, answer } = await session.send(message);
        times.push(ms);
        if (!answer.startsWith('250')) refused.push(answer);
        await delay(20);
      }
      session.close();
    }),
  );
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return { count: times.length, p50: at(0.5), p99: at(0.99), max: times.at(-1), refused };
}

const port = await startGateway();
const timed = (ms) => {
  const end = performance.now() + ms;
  return () => performance.now() > end;
};
process.stderr.write('warming up ...\n');
await ordinary(port, timed(3000));
process.stderr.write('quiet ...\n');
const quiet = await ordinary(port, timed(seconds * 1000));

const rows = [];
for (const [name, make] of Object.entries(HOSTILE)) {
  process.stderr.write(`${name} ...\n`);
  const bytes = make();
  let over = false;
  const most = timed(Math.max(seconds * 1000, deadline * 3));
  const least = timed(seconds * 1000);
  const others = ordinary(port, () => (over && least()) || most());
  const session = await connect(port);
  const { ms, answer } = await session.send(bytes);
  over = true;
  session.close();
  const meanwhile = await others;
  rows.push({ name, size: bytes.length, ms, answer, ...meanwhile, ratio: meanwhile.p99 / quiet.p99 });
}
const ended = new Promise((resolve) => child.once('exit', resolve));
child.kill('SIGTERM');
await Promise.race([ended, delay(5000)]);

if (options.json) process.stdout.write(`${JSON.stringify({ deadline, quiet, rows }, null, 2)}\n`);
else {
  const cell = (value) => (typeof value === 'number' ? value.toFixed(1) : value);
  const table = [
    ['message', 'ends after ms', 'reply', 'others', 'p50 ms', 'p99 ms', 'p99 ratio'],
    ['(quiet)', '', '', quiet.count, quiet.p50, quiet.p99, 1],
    ...rows.map((r) => [r.name, r.ms, r.answer.slice(0, 9), r.count, r.p50, r.p99, r.ratio]),
  ].map((row) => row.map((value, i) => (i === 3 ? String(value) : cell(value))));
  const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
  for (const row of table)
    process.stdout.write(
      `${row.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join('  ')}\n`,
    );
}
const late = rows.filter((row) => row.ms > deadline + 2000);
const lost = rows.filter((row) => row.refused.length > 0);
for (const row of late) process.stdout.write(`${row.name}: not done by the deadline\n`);
for (const row of lost) process.stdout.write(`${row.name}: ordinary mail was answered ${row.refused[0]}\n`);
process.exit(late.length + lost.length === 0 ? 0 : 1);

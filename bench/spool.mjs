// A full spool beside an empty one, in one run: start to ready, and messages a second. Needs Postfix's smtp-source, smtp-sink.
// usage: npm run bench:spool [-- --items 100000 --messages 2000]
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { newItem } from '../dist/delivery/spool-list.js';
import { formatItem } from '../dist/delivery/spool-item.js';
import { newTraceId } from '../dist/message/trace-id.js';

const { values: options } = parseArgs({
  options: {
    items: { type: 'string', default: '100000' },
    messages: { type: 'string', default: '2000' },
    sessions: { type: 'string', default: '20' },
    wait: { type: 'string', default: '20' },
    help: { type: 'boolean' },
  },
});
if (options.help) {
  process.stdout.write(
    'npm run bench:spool -- [--items 100000] [--messages 2000] [--sessions 20] [--wait 20]\n' +
      'Start to ready, messages a second and memory: with an empty spool, with items whose hop is away, and while the spool is worked off;\n' +
      'then spooled messages a second without new mail, for --wait seconds at most.\n',
  );
  process.exit(0);
}
process.env.PATH += ':/usr/sbin';
for (const tool of ['smtp-source', 'smtp-sink']) {
  if (spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0) {
    process.stderr.write(`${tool} is not here. It comes with Postfix (Debian: apt-get install postfix).\n`);
    process.exit(2);
  }
}

const ITEMS = Number(options.items);
const MESSAGES = Number(options.messages);
const folder = mkdtempSync(path.join(os.tmpdir(), 'gatepost-bench-'));
const children = [];
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

async function startSink() {
  const port = await freePort();
  const user = process.getuid() === 0 ? ['-u', 'postfix'] : [];
  children.push(spawn('smtp-sink', ['-4', '-m', '500', ...user, `127.0.0.1:${port}`, '1024'], { stdio: 'ignore' }));
  for (let i = 0; i < 200; i++) {
    const up = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true));
      socket.on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (up) return port;
    await delay(50);
  }
  throw new Error('smtp-sink does not listen');
}

/** Files as the gateway writes them, without fsync. @param route where the items go; the default hop when absent */
function fill(spool, count, route) {
  mkdirSync(spool, { recursive: true });
  const bytes = Buffer.from(`From: a@example.org\r\nSubject: spooled\r\n\r\n${'x'.repeat(70)}\r\n`.repeat(10));
  const now = new Date();
  for (let i = 0; i < count; i++) {
    const traceId = newTraceId(now.getTime() - 3_600_000 + i);
    const item = newItem(
      {
        item: traceId,
        traceId,
        envelope: {
          sender: `sender${i % 1000}@example.org`,
          recipients: [{ address: `user${i}@domain${i % 50}.example` }],
          client: '127.0.0.1',
          helo: 'bench.example',
          tls: false,
          trusted: true,
          smtpUtf8: false,
          eightBit: false,
        },
        content: { size: bytes.length },
        eightBit: false,
        bounce: 'never',
        ...(route === undefined ? {} : { route }),
      },
      now,
      'smtp://127.0.0.1',
    );
    const later = { ...item, attempts: 1, nextAttempt: new Date(now.getTime() + 3_600_000).toISOString() };
    writeFileSync(path.join(spool, `${traceId}.eml`), bytes);
    writeFileSync(path.join(spool, `${traceId}.json`), formatItem(later));
  }
}

async function startGateway(site, hop) {
  const config = path.join(site, 'gatepost.yaml');
  writeFileSync(
    config,
    `smtp: { listen: ["127.0.0.1:0"] }\nhttp: { listen: off }\ndelivery: { nextHop: "smtp://127.0.0.1:${hop}?tls=off" }\nlog: { level: info }\n`,
  );
  const program = path.join(import.meta.dirname, '..', 'bin', 'gatepost.js');
  const start = performance.now();
  const child = spawn(process.execPath, [program, 'start', '--json', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const port = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.includes('"msg":"ready"')) return;
      resolve(JSON.parse(line).listen[0].port);
    });
    void ended.then(() => reject(new Error('the gateway ended')));
  });
  return {
    port,
    pid: child.pid,
    ready: performance.now() - start,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

const memoryOf = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

async function send(port, count) {
  const start = performance.now();
  const args = ['-4', '-d', '-s', options.sessions, '-m', String(count), '-l', '2000'];
  const child = spawn(
    'smtp-source',
    [...args, '-f', 'alice@partner.example', '-t', 'bob@example.org', `127.0.0.1:${port}`],
    { stdio: 'inherit' },
  );
  await new Promise((resolve) => child.once('exit', resolve));
  return count / ((performance.now() - start) / 1000);
}

const itemsIn = (spool) => readdirSync(spool).filter((name) => name.endsWith('.json')).length;

/** Spooled messages a second when nothing else comes in. */
async function drainAlone(spool) {
  // What was throttled beside new mail has its pause behind it.
  await delay(500);
  const [before, since] = [itemsIn(spool), performance.now()];
  for (let left = before; left > 0 && performance.now() - since < Number(options.wait) * 1000;) {
    await delay(100);
    left = itemsIn(spool);
  }
  return (before - itemsIn(spool)) / ((performance.now() - since) / 1000);
}

async function measure(name, count, route, sink) {
  const site = path.join(folder, name);
  mkdirSync(site);
  const spool = path.join(site, 'data', 'spool');
  // The first start of a site makes its database: that is not what is measured.
  await (await startGateway(site, sink)).stop();
  fill(spool, count, route);
  // A spool that lies there is on the disk: what is still on its way there would be measured along.
  spawnSync('sync');
  const gateway = await startGateway(site, sink);
  const before = itemsIn(spool);
  const since = performance.now();
  await send(gateway.port, Math.ceil(MESSAGES / 10));
  const rate = await send(gateway.port, MESSAGES);
  const seconds = (performance.now() - since) / 1000;
  const worked = (before - itemsIn(spool)) / seconds;
  const alone = count === 0 || route !== undefined ? undefined : await drainAlone(spool);
  const memory = memoryOf(gateway.pid);
  await gateway.stop();
  rmSync(site, { recursive: true, force: true });
  return { name, ready: gateway.ready, rate, worked, alone, memory };
}

const sink = await startSink();
const dead = `smtp://127.0.0.1:${await freePort()}?tls=off`;
const rows = [
  await measure('empty', 0, undefined, sink),
  await measure('waiting', ITEMS, dead, sink),
  await measure('draining', ITEMS, undefined, sink),
];
const [empty] = rows;
process.stdout.write(
  `${ITEMS} items\nspool      ready s  messages/s  of empty  spooled/s  all/empty  alone/s  memory MB\n`,
);
for (const { name, ready, rate, worked, alone, memory } of rows)
  process.stdout.write(
    `${name.padEnd(9)}  ${(ready / 1000).toFixed(1).padStart(7)}  ${rate.toFixed(0).padStart(10)}  ${(rate / empty.rate).toFixed(2).padStart(8)}  ${worked.toFixed(0).padStart(9)}  ${((rate + Math.max(0, worked)) / empty.rate).toFixed(2).padStart(9)}  ${(alone?.toFixed(0) ?? '-').padStart(7)}  ${memory.toFixed(0).padStart(9)}\n`,
  );
// smtp-sink would go on.
process.exit(0);

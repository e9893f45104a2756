// smtp-source -> gatepost -> smtp-sink beside smtp-source -> smtp-sink, in one run. Needs Postfix's two tools.
// usage: npm run bench [-- --seconds 6 --sessions 20 --kinds 2,20,300]
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MESSAGES } from './messages.mjs';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '6' },
    sessions: { type: 'string', default: '20' },
    kinds: { type: 'string', default: '2,20,300' },
    help: { type: 'boolean' },
  },
});
if (options.help) {
  process.stdout.write(
    'npm run bench -- [--seconds 6] [--sessions 20] [--kinds 2,20,300]\nMessages a second through the whole path, as a ratio of smtp-source straight to smtp-sink.\n',
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

const folder = mkdtempSync(path.join(os.tmpdir(), 'gatepost-bench-'));
const children = [];
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
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

async function startSink(port) {
  const user = process.getuid() === 0 ? ['-u', 'postfix'] : [];
  children.push(spawn('smtp-sink', ['-4', '-m', '500', ...user, `127.0.0.1:${port}`, '1024'], { stdio: 'ignore' }));
  await listening(port);
}

async function listening(port) {
  for (let i = 0; i < 200; i++) {
    const up = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true));
      socket.on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (up) return;
    await delay(50);
  }
  throw new Error(`nothing listens on port ${port}`);
}

async function startGateway(hop) {
  const port = await freePort();
  const site = path.join(folder, 'gateway');
  const config = path.join(site, 'gatepost.yaml');
  mkdirSync(site);
  writeFileSync(
    config,
    `smtp: { listen: ["127.0.0.1:${port}"] }\ndelivery: { nextHop: "smtp://127.0.0.1:${hop}?tls=off" }\nlog: { level: warn }\n`,
  );
  const program = path.join(import.meta.dirname, '..', 'bin', 'gatepost.js');
  const child = spawn(process.execPath, [program, 'start', '--json', '--config', config], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  children.push(child);
  await listening(port);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    port,
    pid: child.pid,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** CPU seconds that a process and its threads have used (Linux). */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function memoryOf(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

async function send(port, file, count) {
  const start = performance.now();
  const child = spawn(
    'smtp-source',
    [
      '-4',
      '-d',
      '-s',
      options.sessions,
      '-m',
      String(count),
      '-f',
      'alice@partner.example',
      '-t',
      'bob@example.org',
      '-F',
      file,
      `127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`smtp-source ended with ${code}`);
  return (performance.now() - start) / 1000;
}

/** Messages a second over about the wanted time: the count is found by two shorter runs first. */
async function rate(port, file, pid) {
  let count = 100;
  for (let i = 0; i < 3; i++)
    count = Math.max(
      100,
      Math.round((count / (await send(port, file, count))) * (i === 2 ? Number(options.seconds) : 1)),
    );
  const before = pid === undefined ? 0 : cpuOf(pid);
  const seconds = await send(port, file, count);
  return {
    rate: count / seconds,
    cpu: pid === undefined ? undefined : ((cpuOf(pid) - before) * 1000) / count,
    memory: pid === undefined ? undefined : memoryOf(pid),
  };
}

const rows = [['message', 'direct /s', 'gatepost /s', 'ratio', 'CPU ms', 'RSS MB']];
const sink = await freePort();
await startSink(sink);
const gateway = await startGateway(sink);
for (const [name, make] of Object.entries(MESSAGES)) {
  if (!options.kinds.split(',').some((kind) => name.startsWith(`${kind} `))) continue;
  process.stderr.write(`measuring ${name} ...\n`);
  const file = path.join(folder, 'message.eml');
  writeFileSync(file, make());
  const direct = await rate(sink, file);
  const ours = await rate(gateway.port, file, gateway.pid);
  rows.push([
    name,
    direct.rate.toFixed(0),
    ours.rate.toFixed(0),
    (ours.rate / direct.rate).toFixed(2),
    ours.cpu.toFixed(2),
    ours.memory.toFixed(0),
  ]);
}
await gateway.stop();
const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
for (const row of rows)
  process.stdout.write(
    `${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}\n`,
  );
process.exit(0);

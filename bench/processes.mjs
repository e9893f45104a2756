// CPU per message and messages a second of a gateway with one and with several processes (smtp.processes), in one run.
// usage: node bench/processes.mjs [--processes 1,2] [--messages 1500] [--sessions 20] [--kind 20]
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    processes: { type: 'string', default: '1,2' },
    messages: { type: 'string', default: '1500' },
    sessions: { type: 'string', default: '20' },
    kind: { type: 'string', default: '20' },
  },
});
process.env.PATH += ':/usr/sbin';
for (const tool of ['smtp-source', 'smtp-sink'])
  if (spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0) {
    process.stderr.write(`${tool} is not here. It comes with Postfix (Debian: apt-get install postfix).\n`);
    process.exit(2);
  }

const folder = mkdtempSync(path.join(os.tmpdir(), 'gatepost-bench-'));
const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
process.on('SIGINT', () => process.exit(130));

const SINK = 20000 + Math.floor(Math.random() * 10000);
const user = process.getuid() === 0 ? ['-u', 'postfix'] : [];
const sink = spawn('smtp-sink', ['-4', '-m', '500', ...user, `127.0.0.1:${SINK}`, '1024'], { stdio: 'ignore' });
children.add(sink);
const TICK = Number(spawnSync('getconf', ['CLK_TCK']).stdout.toString()) || 100;

const rows = [];
for (const count of options.processes.split(',').map(Number)) rows.push(await measure(count));
const [one] = rows;
process.stdout.write(
  '| processes | messages/s | beside 1 | CPU ms/message | beside 1 | peak memory MB |\n|---|---|---|---|---|---|\n',
);
for (const row of rows)
  process.stdout.write(
    `| ${row.count} | ${row.rate.toFixed(0)} | ${(row.rate / one.rate).toFixed(2)}x | ${row.cpu.toFixed(2)} | ${(row.cpu / one.cpu).toFixed(2)}x | ${row.memory.toFixed(0)} |\n`,
  );
process.exit(0);

async function measure(count) {
  const site = path.join(folder, String(count));
  mkdirSync(site);
  writeFileSync(
    path.join(site, 'gatepost.yaml'),
    `smtp: { listen: ["127.0.0.1:0"], processes: ${count}, maxConnectionsPerClient: 1000 }
domains: [example.org]
trusted: [127.0.0.1]
delivery: { nextHop: "smtp://127.0.0.1:${SINK}?tls=off", connections: 40 }
`,
  );
  const program = path.join(import.meta.dirname, '..', 'bin', 'gatepost.js');
  const gateway = spawn(process.execPath, [program, 'start', '--json'], {
    cwd: site,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(gateway);
  const port = await new Promise((resolve, reject) => {
    gateway.once('exit', () => reject(new Error('the gateway does not start')));
    createInterface({ input: gateway.stdout }).on('line', (line) => {
      const { msg, listen } = JSON.parse(line);
      if (msg === 'ready') resolve(listen[0].port);
    });
  });
  const total = Number(options.messages);
  await load(port, Math.ceil(total / 5));
  await delay(500);
  const before = cpuOf(gateway.pid);
  const since = performance.now();
  await load(port, total);
  const seconds = (performance.now() - since) / 1000;
  await delay(500);
  const cpu = ((cpuOf(gateway.pid) - before) * 1000) / total;
  const memory = ours(gateway.pid).reduce((sum, pid) => sum + peakOf(pid), 0);
  gateway.kill('SIGTERM');
  await new Promise((resolve) => gateway.once('exit', resolve));
  children.delete(gateway);
  return { count, rate: total / seconds, cpu, memory };
}

async function load(port, messages) {
  const size = String(Number(options.kind) * 1024);
  const args = ['-4', '-d', '-s', options.sessions, '-m', String(messages), '-l', size, '-f', 'a@partner.example'];
  const source = spawn('smtp-source', [...args, '-t', 'b@example.org', `127.0.0.1:${port}`], { stdio: 'inherit' });
  children.add(source);
  const status = await new Promise((resolve) => source.once('exit', resolve));
  children.delete(source);
  if (status !== 0) throw new Error(`smtp-source ended with ${status}`);
}

/** The process and those that it started, all of the gateway: Node's, not the database's. */
function ours(pid) {
  const own = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    const stat = statOf(name);
    return (
      stat !== undefined && stat[1] === String(pid) && readFileSync(`/proc/${name}/comm`, 'utf8').startsWith('node')
    );
  });
  return [pid, ...own];
}

/** Seconds of CPU, in user and system mode. */
function cpuOf(pid) {
  return ours(pid).reduce((sum, each) => {
    const stat = statOf(each) ?? [];
    return sum + (Number(stat[11]) + Number(stat[12])) / TICK;
  }, 0);
}

function peakOf(pid) {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

/** Fields of /proc/PID/stat behind the name: state, parent... */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

// What benches share: servers on free ports, a load, and what a tree of processes has used (Linux).
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MESSAGES } from './messages.mjs';

const TICK = Number(spawnSync('getconf', ['CLK_TCK']).stdout?.toString()) || 100;
const PROGRAM = path.join(import.meta.dirname, '..', 'bin', 'gatepost.js');
const children = new Set();

/** Removed when the process ends, with all that was started. */
export const folder = mkdtempSync(path.join(os.tmpdir(), 'gatepost-bench-'));
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

/**
 * The options of a bench about one kind of message; ends the process with the usage when that is asked for or wrong.
 * @param command as npm runs it
 * @param defaults as texts; `kind` is the name of one of the MESSAGES
 */
export function optionsOf(command, defaults) {
  const options = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [name, { type: 'string', default: value }]),
  );
  const { values } = parseArgs({ options: { ...options, help: { type: 'boolean' } } });
  if (values.help !== true && MESSAGES[values.kind] !== undefined) return values;
  const usage = Object.entries(defaults).map(
    ([name, value]) => `--${name} ${value.includes(' ') ? `"${value}"` : value}`,
  );
  const kinds = Object.keys(MESSAGES).join(', ');
  (values.help ? process.stdout : process.stderr).write(
    `npm run ${command} [-- ${usage.join(' ')}]\nkinds: ${kinds}\n`,
  );
  process.exit(values.help ? 0 : 2);
}

/** Ends the process with the Debian package to install when a tool is missing. */
export function need(tools) {
  process.env.PATH += ':/usr/sbin';
  for (const [tool, origin] of Object.entries(tools)) {
    if (spawnSync('sh', ['-c', 'command -v "$0"', tool]).status === 0) continue;
    process.stderr.write(`${tool} is not here. It comes with ${origin} (Debian: apt-get install ${origin}).\n`);
    process.exit(2);
  }
}

export const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

export async function listening(port) {
  for (let i = 0; i < 1200; i++) {
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

export function run(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

export async function stop(child) {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** smtp-sink on a free port. */
export async function startSink() {
  const port = await freePort();
  const user = process.getuid() === 0 ? ['-u', 'postfix'] : [];
  const child = run('smtp-sink', ['-4', '-m', '1000', ...user, `127.0.0.1:${port}`, '1024'], { stdio: 'ignore' });
  await listening(port);
  return { port, child };
}

export async function startNaive(hop) {
  const port = await freePort();
  const child = run(process.execPath, [path.join(import.meta.dirname, 'naive.mjs'), String(port), String(hop)]);
  await listening(port);
  return { port, child };
}

let sites = 0;
/**
 * @param site folder to start in again, with what an earlier start has left
 * @param smtp further settings of `smtp`
 * @param flags for node itself
 * @param program what is run, if not the one that users run
 */
export async function startGateway({ hop, config = '', smtp, files = {}, site, flags = [], program = PROGRAM }) {
  const port = await freePort();
  const at = site ?? path.join(folder, `site-${++sites}`);
  mkdirSync(at, { recursive: true });
  const all = {
    'gatepost.yaml': `smtp: { listen: ["127.0.0.1:${port}"], maxConnectionsPerClient: 1000${smtp === undefined ? '' : `, ${smtp}`} }
domains: [example.org]
delivery: { nextHop: "smtp://127.0.0.1:${hop}?tls=off" }
detectors: { content: {}, signatures: {}, links: {} }
log: { level: error }
${config}`,
    ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(path.dirname(path.join(at, name)), { recursive: true });
    writeFileSync(path.join(at, name), text);
  }
  const args = [program, 'start', '--json', '--config', path.join(at, 'gatepost.yaml')];
  const child = run(process.execPath, [...flags, ...args]);
  await listening(port);
  return { port, child, site: at };
}

/** Sends a file so many times. @returns seconds */
export async function send({ port, file, count, sessions, sender = 'alice@partner.example', kept = true }) {
  const start = performance.now();
  const args = ['-4', ...(kept ? ['-d'] : []), '-s', String(sessions), '-m', String(count), '-f', sender];
  const child = run('smtp-source', [...args, '-t', 'bob@example.org', '-F', file, `127.0.0.1:${port}`]);
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`smtp-source ended with ${code}`);
  return (performance.now() - start) / 1000;
}

/** A process with all that it has started, and the database that lies in its folder: by process ID. */
export function processesOf(pid, site) {
  const all = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      all.set(Number(name), { parent: Number(fields[1]), command, ticks: sum(fields.slice(11, 15)) });
    } catch {
      // It has ended meanwhile.
    }
  }
  const mine = new Set([pid]);
  for (const [id, { command }] of all) if (site !== undefined && command.includes(`${site}/`)) mine.add(id);
  for (let size = 0; size < mine.size;) {
    size = mine.size;
    for (const [id, { parent }] of all) if (mine.has(parent)) mine.add(id);
  }
  return new Map([...mine].map((id) => [id, all.get(id)?.ticks ?? 0]));
}

/** CPU ms and memory (MB) of a process with all that it has started, and of the database that lies in its folder. */
export function used(pid, site) {
  const ticks = [...processesOf(pid, site).values()].reduce((total, one) => total + one, 0);
  return { cpu: (ticks * 1000) / TICK, memory: peakOf(pid) };
}

function sum(texts) {
  return texts.reduce((total, text) => total + Number(text), 0);
}

function peakOf(pid) {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/**
 * How many messages take about so many seconds, found by shorter runs, which also warm up.
 * @param load sends so many, and resolves to the seconds that it took
 */
async function countFor(load, seconds) {
  let count = 200;
  for (const part of [0.2, 0.3, 1]) count = Math.max(60, Math.round((count / (await load(count))) * seconds * part));
  return count;
}

/** Messages a second over about so many seconds, and what the target used for each. */
export async function rate(load, seconds, target) {
  const count = await countFor(load, seconds);
  const [found] = await turns([{ load, target, count }], 1);
  return found;
}

/** Rounds in which those that are compared take turns. */
export const ROUNDS = 5;

/**
 * Measures several by turns, in rounds, as the speed of a machine changes while it works: what is compared is always
 * measured within seconds of the other.
 * @param candidates each with `name`, `load` as for `countFor`, `target` for CPU and memory (or none), and `beside`: the
 *   name of that which it is compared with
 * @param seconds for each, in all rounds together
 * @returns for each in turn: rate and ratio (medians of the rounds), least and most of the ratios, the same of CPU, memory
 */
export async function inTurns(candidates, seconds, rounds = ROUNDS) {
  const warm = [];
  for (const one of candidates) {
    const count = Math.ceil((await countFor(one.load, seconds)) / rounds);
    warm.push({ ...one, count });
  }
  // Once more: what rested while the others ran has cleared up, and V8 compiles its code anew.
  for (const { load, count } of warm) await load(count * rounds);
  const found = await turns(warm, rounds);
  return candidates.map(({ name, beside }, i) => {
    const other = candidates.findIndex((one) => one.name === beside);
    const { rates, cpus, ...row } = found[i];
    const ratios = (mine, others) => spread(mine.map((value, k) => value / others[k]));
    return {
      name,
      ...row,
      ...(other < 0 ? {} : { beside, ...ratios(rates, found[other].rates) }),
      ...(other < 0 || cpus.length === 0 ? {} : { besideCpu: ratios(cpus, found[other].cpus) }),
    };
  });
}

async function turns(candidates, rounds) {
  const states = candidates.map((one) => ({ ...one, rates: [], cpus: [] }));
  for (let round = 0; round < rounds; round++) {
    for (const state of round % 2 === 0 ? states : states.toReversed()) {
      const { load, target, count } = state;
      const before = target === undefined ? undefined : used(target.child.pid, target.site);
      state.rates.push(count / (await load(count)));
      if (before === undefined) continue;
      const after = used(target.child.pid, target.site);
      state.cpus.push((after.cpu - before.cpu) / count);
      state.memory = after.memory;
    }
  }
  return states.map(({ target, rates, cpus, memory }) => ({
    rates,
    cpus,
    rate: median(rates),
    ...(target === undefined ? {} : { cpu: median(cpus), memory }),
  }));
}

/** Ratios of several rounds as one. */
export function spread(ratios) {
  return { ratio: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Lines up cells: the first column to the left, the others to the right. */
export function table(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '))
    .join('\n');
}

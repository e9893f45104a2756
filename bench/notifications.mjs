// Notifications a second from the queue on Redis to smtp-sink, by one worker process and by two. Needs Redis and Postfix's smtp-sink.
// usage: npm run bench:notifications [-- --mails 20000] [--rounds 1] [--profile FOLDER]
import { fork, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { parseConfig, PROGRAM_FOLDER } from '../dist/config/load.js';
import { openHop } from '../dist/delivery/hop.js';
import { newTraceId } from '../dist/message/trace-id.js';
import { notificationId } from '../dist/notifications/identity.js';
import { openNotifications } from '../dist/notifications/service.js';
import { loadTemplates } from '../dist/notifications/templates/load.js';
import { openQueue } from '../dist/queue/open.js';
import { openStore, openStoreForCommand } from '../dist/store/open.js';
import { silentLog } from '../dist/telemetry/log.js';

const log = silentLog();

/** Half of the mails go to one list each, as in an outbreak; the others to many people. */
function notification(n) {
  const traceId = newTraceId();
  const to = n % 2 === 0 ? 'security@example.org' : `person${n}@example.org`;
  const id = notificationId(traceId, 'rule-general', to);
  const context = {
    messageId: traceId,
    smtpMessageId: `${n}@partner.example`,
    date: Date.now(),
    sender: 'alice@partner.example',
    senderIp: '192.0.2.7',
    allRecipients: ['bob@example.org'],
    affectedRecipients: ['bob@example.org'],
    subject: `Your invoice ${n}`,
    size: 4321,
    rules: [{ id: 'inbound', name: 'Inbound mail' }],
    action: 'rejected',
    quarantined: true,
    objects: [{ name: 'invoice.zip/setup.exe', size: 68, status: 'infected', module: 'signatures', threat: 'Eicar' }],
    node: { name: 'gw1', address: '10.0.0.11', port: 25, comment: '', timezone: 'UTC' },
  };
  const owed = { id, kind: 'rule', traceId, rule: 'inbound', group: 'general', to, template: 'rule-general' };
  return { id, data: { notification: { ...owed, attach: 'none', context } }, delay: 0 };
}

async function configFor(folder, redis) {
  const text = `data: ${folder}\nqueue: redis://127.0.0.1:${redis}\nnotifications: { rate: 1000000/h }\n`;
  const { config } = await parseConfig(text, folder);
  if (config === undefined) throw new Error('the configuration is wrong');
  return config;
}

async function work(folder, redis, sink) {
  const config = await configFor(folder, redis);
  const store = await openStoreForCommand(config, log);
  const queue = await openQueue(config, store, log);
  const { templates } = await loadTemplates([path.join(PROGRAM_FOLDER, 'templates')], 'en');
  const transport = openHop(`smtp://127.0.0.1:${sink}?tls=off`, { hostname: 'worker.example.org' });
  await openNotifications({
    ...{ config, queue, transport, templates, log, role: 'worker' },
    ledger: store.ledger,
    sending: store.sending,
    holds: store.holds,
  });
  process.on('message', () => process.exit(0));
  process.send?.('ready');
}

/** Ends a worker so that it writes its profile. */
async function ended(child) {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.send('end');
  await gone;
}

async function freePort() {
  return await new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
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

/** Processor time that processes have taken, with those that they started and that are there still or were waited for. ms */
function cpuOf(pids) {
  let ticks = 0;
  const wanted = new Set(pids.map(String));
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    let fields;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    } catch {
      // It has gone since.
      continue;
    }
    if (!wanted.has(pid) && !wanted.has(fields[1])) continue;
    ticks += Number(fields[11]) + Number(fields[12]);
    if (wanted.has(pid)) ticks += Number(fields[13]) + Number(fields[14]);
  }
  return ticks * 10;
}

/** The process of the database that starts one for each connection. */
async function postmasterOf(pool) {
  const { rows } = await pool.query('SELECT pg_backend_pid() AS pid');
  const stat = readFileSync(`/proc/${rows[0].pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

async function measure(workers, mails, profile) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'gatepost-bench-'));
  chmodSync(folder, 0o755);
  const children = [];
  const forked = [];
  const [redis, sink] = [await freePort(), await freePort()];
  const store = await openStore({ store: 'embedded', data: folder }, log);
  const pool = new pg.Pool({ ...store.connection, max: 1 });
  try {
    const quiet = { stdio: 'ignore' };
    children.push(
      spawn('redis-server', ['--port', String(redis), '--bind', '127.0.0.1', '--dir', folder, '--save', ''], quiet),
    );
    const user = process.getuid() === 0 ? ['-u', 'postfix'] : [];
    children.push(spawn('smtp-sink', ['-4', '-m', '500', ...user, `127.0.0.1:${sink}`, '1024'], quiet));
    await Promise.all([listening(redis), listening(sink)]);
    const queue = await openQueue(await configFor(folder, redis), store, log);
    const jobs = queue.queue('notifications');
    for (let n = 0; n < mails; n += 100)
      await jobs.addAll(Array.from({ length: Math.min(100, mails - n) }, (_, i) => notification(n + i)));
    const ready = Array.from({ length: workers }, async () => {
      const execArgv = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
      const child = fork(import.meta.filename, ['--work', folder, String(redis), String(sink)], { execArgv });
      children.push(child);
      forked.push(child);
      await new Promise((resolve) => child.once('message', resolve));
    });
    await Promise.all(ready);
    const sent = async () => {
      const found = await pool.query("SELECT count(*)::integer AS n FROM gatepost.notification WHERE state = 'sent'");
      return found.rows[0].n;
    };
    const programs = {
      worker: forked.map(({ pid }) => pid),
      PostgreSQL: [await postmasterOf(pool)],
      Redis: [children[0].pid],
    };
    const cpu = () => Object.entries(programs).map(([name, pids]) => [name, cpuOf(pids)]);
    const commits = async () =>
      Number((await pool.query('SELECT sum(xact_commit) AS n FROM pg_stat_database')).rows[0].n);
    const begun = performance.now();
    const before = await sent();
    const cpuBefore = new Map(cpu());
    const commitsBefore = await commits();
    let now = before;
    let at = begun;
    // Up to nine tenths: the last ones are few for many.
    while (now < mails * 0.9) {
      await delay(100);
      now = await sent();
      at = performance.now();
    }
    const used = cpu().map(([name, ms]) => `${name} ${((ms - cpuBefore.get(name)) / (now - before)).toFixed(2)} ms`);
    const perMail = `${used.join(', ')}; ${(((await commits()) - commitsBefore) / (now - before)).toFixed(2)} transactions`;
    if (profile !== undefined) await Promise.all(forked.map(ended));
    await queue.close();
    return { rate: ((now - before) * 1000) / (at - begun), perMail };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await pool.end();
    await store.close();
    if (store.embedded !== undefined) rmSync(store.embedded.folder, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[2] === '--work') {
  await work(...process.argv.slice(3));
} else {
  const { values } = parseArgs({
    options: {
      mails: { type: 'string', default: '20000' },
      rounds: { type: 'string', default: '1' },
      workers: { type: 'string', default: '1,2' },
      profile: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(
      'npm run bench:notifications [-- --mails 20000 --rounds 1 --workers 1,2 --profile FOLDER]\nNotifications a second by one worker and by two, and the processor time of each mail. --profile writes the profiles of the workers.\n',
    );
    process.exit(0);
  }
  process.env.PATH += ':/usr/sbin';
  for (const tool of ['smtp-sink', 'redis-server']) {
    if (spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0) continue;
    process.stderr.write(`${tool} is not here (Debian: apt-get install postfix redis-server).\n`);
    process.exit(2);
  }
  const best = new Map();
  for (let round = 0; round < Number(values.rounds); round++)
    for (const workers of values.workers.split(',').map(Number)) {
      const { rate, perMail } = await measure(workers, Number(values.mails), values.profile);
      best.set(workers, Math.max(best.get(workers) ?? 0, rate));
      process.stdout.write(
        `${workers} worker${workers > 1 ? 's' : ''}: ${rate.toFixed(0)} a second; each ${perMail}\n`,
      );
    }
  if (best.has(1)) process.stdout.write(`one worker:  ${best.get(1).toFixed(0)} a second (at least 300)\n`);
  if (best.has(1) && best.has(2))
    process.stdout.write(`two workers: ${(best.get(2) / best.get(1)).toFixed(2)} of one (at least 1.60)\n`);
  process.exit(0);
}

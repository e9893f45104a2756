// The whole path, smtp-source -> gatepost -> smtp-sink, beside smtp-source straight to smtp-sink and a naive gateway, in
// one run. docs/bench.md says what the columns mean.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { latency } from './latency.mjs';
import { MESSAGES } from './messages.mjs';
import {
  folder,
  freePort,
  listening,
  need,
  rate,
  run,
  send,
  startGateway,
  startNaive,
  startSink,
  stop,
  table,
} from './support.mjs';

const PARTS = ['sizes', 'connections', 'latency', 'rules', 'sessions', 'journal', 'notifications', 'queue', 'start'];
const USAGE = `npm run bench -- [--only ${PARTS.join(',')}] [--kinds 2,20,300] [--seconds 4] [--sessions 20] [--quick] [--json]

  --only PARTS    only these tables
  --kinds LIST    messages: 2 (KB of text), 20 (KB, multipart), 300 (KB with a zip)
  --seconds N     aimed length of a measurement
  --sessions N    parallel sessions
  --quick         a second for each, and fewer rows: whether it works, not how fast
  --json          rows as JSON
`;
const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: PARTS.join(',') },
    kinds: { type: 'string', default: '2,20,300' },
    seconds: { type: 'string', default: '4' },
    sessions: { type: 'string', default: '20' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const wanted = options.only.split(',');
const unknown = wanted.filter((part) => !PARTS.includes(part));
if (options.help || unknown.length > 0) {
  (options.help ? process.stdout : process.stderr).write(
    unknown.length > 0 ? `there is no part ${unknown.join(', ')}\n\n${USAGE}` : USAGE,
  );
  process.exit(options.help ? 0 : 2);
}
need({ 'smtp-source': 'postfix', 'smtp-sink': 'postfix' });
const SECONDS = options.quick ? 1 : Number(options.seconds);
const SESSIONS = Number(options.sessions);

const kinds = options.kinds.split(',').map((kind) => {
  const found = Object.entries(MESSAGES).find(([name]) => name.startsWith(`${kind} `));
  if (found === undefined) throw new Error(`no message is called ${kind}`);
  const file = path.join(folder, `${kind}.eml`);
  const body = found[1]();
  writeFileSync(file, body);
  return { name: found[0], file, body };
});
const [smallest] = kinds;

const rows = [];
const sink = await startSink();
const say = (text) => process.stderr.write(`${text} ...\n`);

/** Measures and adds a row. @param beside rate that its own is compared with */
async function measure(part, name, target, { file = smallest.file, sessions = SESSIONS, kept = true, beside } = {}) {
  say(`${part}: ${name}`);
  const load = (count) => send({ port: target.port, file, count, sessions, kept });
  const found = await rate(load, SECONDS, target.child === sink.child ? undefined : target);
  rows.push({
    part,
    name,
    ...found,
    ...(beside === undefined ? {} : { ratio: found.rate / beside.rate, beside: beside.name }),
  });
  return { name, rate: found.rate };
}

async function withGateway(config, work) {
  const gateway = await startGateway({ hop: sink.port, ...config });
  try {
    return await work(gateway);
  } finally {
    await stop(gateway.child);
  }
}

const parts = {
  sizes: async () => {
    const naive = await startNaive(sink.port);
    await withGateway({}, async (gateway) => {
      for (const { name, file } of kinds) {
        await measure('sizes', `${name}, straight to the sink`, sink, { file });
        const least = await measure('sizes', `${name}, naive gateway`, naive, { file });
        await measure('sizes', `${name}, gatepost`, gateway, { file, beside: { ...least, name: 'naive' } });
      }
    });
    await stop(naive.child);
  },
  connections: async () => {
    const naive = await startNaive(sink.port);
    await withGateway({}, async (gateway) => {
      const least = await measure('connections', 'one for each message, naive', naive, { kept: false });
      await measure('connections', 'one for each message', gateway, {
        kept: false,
        beside: { ...least, name: 'naive' },
      });
    });
    await stop(naive.child);
  },
  latency: async () => {
    await withGateway({}, async (gateway) => {
      const most = await rate(
        (count) => send({ port: gateway.port, file: smallest.file, count, sessions: SESSIONS }),
        SECONDS,
      );
      const half = most.rate / 2;
      say(`latency: at ${half.toFixed(0)}/s`);
      const body = smallest.body.replace(/\r?\n/g, '\r\n').replace(/^\./gm, '..');
      const { median, p99 } = await latency({
        port: gateway.port,
        body,
        rate: half,
        seconds: SECONDS * 2,
        sessions: SESSIONS,
      });
      rows.push({ part: 'latency', name: `end of data to reply at ${half.toFixed(0)}/s, median`, ms: median });
      rows.push({ part: 'latency', name: 'and the 99th percentile', ms: p99, ratio: p99 / median, beside: 'median' });
    });
  },
  rules: async () => {
    let first;
    for (const count of options.quick ? [10, 1000] : [10, 100, 1000, 10_000]) {
      const rules = Array.from(
        { length: count },
        (_, i) =>
          `  - { id: r${i}, match: { sender: user${i}@partner.example, when: { subject: "*word${i}*" } }, process: reject }\n`,
      );
      const files = { 'rules/10-many.yaml': `rules:\n${rules.join('')}` };
      await withGateway({ files }, async (gateway) => {
        const found = await measure('rules', `${count} rules`, gateway, { beside: first });
        first ??= found;
      });
    }
  },
  sessions: async () => {
    await withGateway({}, async (gateway) => {
      let first;
      for (const sessions of options.quick ? [1, 20] : [1, 20, 100, 500]) {
        const found = await measure('sessions', `${sessions} sessions`, gateway, { sessions, beside: first });
        first ??= found;
      }
    });
  },
  journal: async () => {
    const on = await withGateway({}, async (gateway) => await measure('journal', 'written', gateway));
    const away = await freePort();
    const config = `store: postgres://gatepost@127.0.0.1:${away}/gatepost\nqueue: redis://127.0.0.1:${await startRedis()}\n`;
    await withGateway({ config }, async (gateway) => {
      await measure('journal', 'the database away: lines are counted as lost', gateway, { beside: on });
    });
  },
  notifications: async () => {
    const told = `rules:\n  - { id: told, match: { sender: told@partner.example }, on: { content: [ { id: any, when: { size: { over: 0 } }, notify: [general] } ] } }\n`;
    const config = `notifications: { general: [admin@example.org], rate: off, server: "smtp://127.0.0.1:${sink.port}?tls=off" }\n`;
    for (const queue of ['embedded', 'redis']) {
      const more = queue === 'redis' ? `queue: redis://127.0.0.1:${await startRedis()}\n` : '';
      await withGateway({ config: config + more, files: { 'rules/10-told.yaml': told } }, async (gateway) => {
        let none;
        for (const percent of [0, 1, 100]) {
          const name = `${percent} % of messages, queue ${queue}`;
          say(`notifications: ${name}`);
          const found = await rate((count) => mixed(gateway.port, count, percent), SECONDS, gateway);
          rows.push({
            part: 'notifications',
            name,
            ...found,
            ...(none === undefined ? {} : { ratio: found.rate / none, beside: '0 %' }),
          });
          none ??= found.rate;
        }
      });
    }
  },
  queue: async () => {
    const embedded = await withGateway({}, async (gateway) => await measure('queue', 'PostgreSQL', gateway));
    const config = `queue: redis://127.0.0.1:${await startRedis()}\n`;
    await withGateway({ config }, async (gateway) => {
      await measure('queue', 'Redis', gateway, { beside: { ...embedded, name: 'PostgreSQL' } });
    });
  },
  start: async () => {
    const first = await startGateway({ hop: sink.port });
    await send({ port: first.port, file: smallest.file, count: 50, sessions: 5 });
    await stop(first.child);
    say('start: with the data of before');
    const begun = performance.now();
    const again = await startGateway({ hop: sink.port, site: first.site });
    await send({ port: again.port, file: smallest.file, count: 1, sessions: 1 });
    rows.push({ part: 'start', name: 'to the first accepted mail, embedded database', ms: performance.now() - begun });
    await stop(again.child);
  },
};

let redis;
async function startRedis() {
  need({ 'redis-server': 'redis-server' });
  if (redis === undefined) {
    redis = await freePort();
    run('redis-server', ['--port', String(redis), '--save', '', '--dir', folder, '--maxmemory-policy', 'noeviction'], {
      stdio: 'ignore',
    });
    await listening(redis);
  }
  return redis;
}

/** So many of a hundred messages come from the sender that the rule tells of. */
async function mixed(port, count, percent) {
  const told = Math.round((count * percent) / 100);
  const { file } = smallest;
  const loads = [
    { count: told, sender: 'told@partner.example', sessions: Math.max(1, Math.round((SESSIONS * percent) / 100)) },
    { count: count - told, sender: 'alice@partner.example', sessions: SESSIONS },
  ].filter((load) => load.count > 0);
  const took = await Promise.all(loads.map((load) => send({ port, file, ...load })));
  return Math.max(...took);
}

for (const part of PARTS) if (wanted.includes(part)) await parts[part]();

if (options.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
else {
  const cells = rows.map(({ part, name, rate: found, ratio, beside, cpu, memory, ms }) => [
    `${part}: ${name}`,
    found?.toFixed(0) ?? '',
    ratio === undefined ? '' : `${ratio.toFixed(2)} x ${beside}`,
    cpu?.toFixed(2) ?? '',
    memory?.toFixed(0) ?? '',
    ms?.toFixed(1) ?? '',
  ]);
  process.stdout.write(`\n${table([['', 'messages/s', 'ratio', 'CPU ms', 'peak MB', 'ms'], ...cells])}\n`);
}
process.exit(0);

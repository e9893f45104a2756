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
  inTurns,
  listening,
  median,
  need,
  rate,
  ROUNDS,
  run,
  send,
  spread,
  startGateway,
  startNaive,
  startSink,
  stop,
  table,
} from './support.mjs';

const PARTS = ['sizes', 'connections', 'latency', 'rules', 'sessions', 'journal', 'notifications', 'queue', 'start'];
const USAGE = `npm run bench -- [--only ${PARTS.join(',')}] [--kinds 2,20,300] [--seconds 5] [--sessions 20] [--quick] [--json]

  --only PARTS    only these tables
  --kinds LIST    messages: 2 (KB of text), 20 (KB, multipart), 300 (KB with a zip)
  --seconds N     aimed length of a measurement, in all its rounds
  --sessions N    parallel sessions
  --quick         a second for each, and fewer rows: whether it works, not how fast
  --json          rows as JSON
`;
const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: PARTS.join(',') },
    kinds: { type: 'string', default: '2,20,300' },
    seconds: { type: 'string', default: '5' },
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
const rounds = options.quick ? 2 : ROUNDS;
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

/**
 * Measures by turns and adds a row for each.
 * @param candidates `name`, `target`, and as far as they differ from the usual: `file`, `sessions`, `kept`, `beside`
 */
async function compare(part, candidates) {
  say(`${part}: ${candidates.map(({ name }) => name).join('; ')}`);
  const found = await inTurns(
    candidates.map(({ name, target, beside, file = smallest.file, sessions = SESSIONS, kept = true }) => ({
      name,
      beside,
      load: (count) => send({ port: target.port, file, count, sessions, kept }),
      target: target.child === sink.child ? undefined : target,
    })),
    SECONDS,
    rounds,
  );
  for (const row of found) rows.push({ part, ...row });
}

/** Starts gateways one after the other, and stops them after the work. */
async function withGateways(configs, work) {
  const gateways = [];
  try {
    for (const config of configs) gateways.push(await startGateway({ hop: sink.port, ...config }));
    return await work(...gateways);
  } finally {
    for (const { child } of gateways) await stop(child);
  }
}

async function withNaive(work) {
  const naive = await startNaive(sink.port);
  await withGateways([{}], async (gateway) => await work(naive, gateway));
  await stop(naive.child);
}

const parts = {
  sizes: async () => {
    await withNaive(async (naive, gateway) => {
      for (const { name, file } of kinds) {
        await compare('sizes', [
          { name: `${name}, straight to the sink`, target: sink, file },
          { name: `${name}, naive gateway`, target: naive, file },
          { name: `${name}, gatepost`, target: gateway, file, beside: `${name}, naive gateway` },
        ]);
      }
    });
  },
  connections: async () => {
    await withNaive(async (naive, gateway) => {
      await compare('connections', [
        { name: 'one for each message, naive', target: naive, kept: false },
        { name: 'one for each message', target: gateway, kept: false, beside: 'one for each message, naive' },
      ]);
    });
  },
  latency: async () => {
    await withGateways([{}], async (gateway) => {
      const most = await rate(
        (count) => send({ port: gateway.port, file: smallest.file, count, sessions: SESSIONS }),
        SECONDS,
      );
      const half = most.rate / 2;
      say(`latency: at ${half.toFixed(0)}/s`);
      const body = smallest.body.replace(/\r?\n/g, '\r\n').replace(/^\./gm, '..');
      // The sink alone, in turn: what the machine and the load itself have of it.
      const targets = [
        { name: 'gatepost', port: gateway.port, times: [] },
        { name: 'the sink alone', port: sink.port, times: [] },
      ];
      for (let round = 0; round < rounds; round++)
        for (const { port, times } of targets)
          times.push(await latency({ port, body, rate: half, seconds: (SECONDS * 2) / rounds, sessions: SESSIONS }));
      for (const { name, times } of targets) {
        const middle = median(times.map((time) => time.median));
        rows.push({ part: 'latency', name: `${name} at ${half.toFixed(0)}/s, median`, ms: middle });
        rows.push({
          part: 'latency',
          name: `${name}, 99th percentile`,
          ms: median(times.map(({ p99 }) => p99)),
          ...spread(times.map((time) => time.p99 / time.median)),
          beside: 'median',
        });
      }
    });
  },
  rules: async () => {
    const withRules = (count) => {
      const rules = Array.from(
        { length: count },
        (_, i) =>
          `  - { id: r${i}, match: { sender: user${i}@partner.example, when: { subject: "*word${i}*" } }, process: reject }\n`,
      );
      return { files: { 'rules/10-many.yaml': `rules:\n${rules.join('')}` } };
    };
    // By twos: what rests for longer than it works is slow when its turn comes, by what V8 clears up meanwhile.
    for (const count of options.quick ? [1000] : [100, 1000, 10_000]) {
      await withGateways([withRules(10), withRules(count)], async (few, many) => {
        const name = '10 rules';
        await compare('rules', [
          { name, target: few },
          { name: `${count} rules`, target: many, beside: name },
        ]);
      });
    }
  },
  sessions: async () => {
    await withGateways([{}], async (gateway) => {
      const counts = options.quick ? [1, 20] : [1, 20, 100, 500];
      const nameOf = (sessions) => `${sessions} sessions`;
      await compare(
        'sessions',
        counts.map((sessions) => ({
          name: nameOf(sessions),
          target: gateway,
          sessions,
          ...(sessions === counts[0] ? {} : { beside: nameOf(counts[0]) }),
        })),
      );
    });
  },
  journal: async () => {
    const away = await freePort();
    const config = `store: postgres://gatepost@127.0.0.1:${away}/gatepost\nqueue: redis://127.0.0.1:${await startRedis()}\n`;
    await withGateways([{}, { config }], async (written, lost) => {
      await compare('journal', [
        { name: 'written', target: written },
        { name: 'the database away: lines are counted as lost', target: lost, beside: 'written' },
      ]);
    });
  },
  notifications: async () => {
    const told = `rules:\n  - { id: told, match: { sender: told@partner.example }, on: { content: [ { id: any, when: { size: { over: 0 } }, notify: [general] } ] } }\n`;
    const config = `notifications: { general: [admin@example.org], rate: off, server: "smtp://127.0.0.1:${sink.port}?tls=off" }\n`;
    for (const queue of ['embedded', 'redis']) {
      const more = queue === 'redis' ? `queue: redis://127.0.0.1:${await startRedis()}\n` : '';
      await withGateways([{ config: config + more, files: { 'rules/10-told.yaml': told } }], async (gateway) => {
        // Not by turns: what the one leaves to tell would be told while the other is measured.
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
    const config = `queue: redis://127.0.0.1:${await startRedis()}\n`;
    await withGateways([{}, { config }], async (embedded, onRedis) => {
      await compare('queue', [
        { name: 'PostgreSQL', target: embedded },
        { name: 'Redis', target: onRedis, beside: 'PostgreSQL' },
      ]);
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
  const cells = rows.map(({ part, name, rate: found, ratio, least, most, beside, cpu, memory, ms }) => [
    `${part}: ${name}`,
    found?.toFixed(0) ?? '',
    ratio === undefined ? '' : `${ratio.toFixed(2)} x ${beside.split(', ').at(-1)}`,
    least === undefined ? '' : `${least.toFixed(2)} to ${most.toFixed(2)}`,
    cpu?.toFixed(2) ?? '',
    memory?.toFixed(0) ?? '',
    ms?.toFixed(1) ?? '',
  ]);
  const head = ['', 'messages/s', 'ratio', 'of the rounds', 'CPU ms', 'peak MB', 'ms'];
  process.stdout.write(`\n${table([head, ...cells])}\n`);
}
process.exit(0);

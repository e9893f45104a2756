// What inspecting a message costs beside mailparser's simpleParser on the same message, as ratios of one run.
// usage: npm run bench:inspect [-- --seconds 4 --modules content,signatures,links]
import { parseArgs } from 'node:util';
import { simpleParser } from 'mailparser';
import { parseConfig } from '../dist/config/load.js';
import { configureDetectors } from '../dist/detectors/registry.js';
import { newTraceId } from '../dist/message/trace-id.js';
import { createInspector } from '../dist/pipeline/inspector.js';
import { loadRules } from '../dist/rules/load.js';
import { MESSAGES } from './messages.mjs';

/** At most this share of simpleParser's time, by the kind of message. */
const GOALS = { '2 KB text': 0.8, '20 KB newsletter': 0.8, '300 KB with attachments': 0.5 };

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    modules: { type: 'string', default: 'content,signatures,links' },
  },
});
const modules = options.modules.split(',');
const { config } = await parseConfig(
  `detectors: { ${modules.map((name) => `${name}: {}`).join(', ')} }\nrules: ./rules\n`,
  new URL('..', import.meta.url).pathname,
);
const detectors = await configureDetectors(config.detectors, config.folder, config.source, config.scan.deadline);
const rules = await loadRules(config.rules, {
  displayRoot: config.folder,
  domains: config.domains,
  timezone: 'UTC',
  modules: new Map(detectors.specs.map((spec) => [spec.name, spec.statuses])),
  generalConfigured: false,
});
const problems = [...detectors.problems, ...rules.problems].filter((problem) => problem.severity === 'error');
if (problems.length > 0 || rules.bundle === undefined) throw new Error(problems.map((p) => p.message).join('\n'));
const inspector = await createInspector({
  bundle: rules.bundle,
  specs: detectors.specs,
  limits: config.scan,
  deadline: config.scan.deadline,
});

/** The two in turn, so that a change of the machine's pace meets both; ms for each message. */
async function compare(ours, theirs) {
  const spent = [0, 0];
  const count = [0, 0];
  const seconds = Number(options.seconds);
  for (const warm = performance.now() + seconds * 250; performance.now() < warm;) {
    await ours();
    await theirs();
  }
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    for (const [i, run] of [ours, theirs].entries()) {
      const start = performance.now();
      for (let n = 0; n < 10; n++) await run();
      spent[i] += performance.now() - start;
      count[i] += 10;
    }
  }
  return spent.map((ms, i) => ms / count[i]);
}

const rows = [['message', 'inspect ms', 'simpleParser ms', 'ratio', 'goal', 'parse', 'detect', 'decide', 'edit']];
let good = true;
for (const [name, make] of Object.entries(MESSAGES)) {
  const bytes = Buffer.from(make().replace(/\n/g, '\r\n'), 'latin1');
  const phases = { parse: 0, detect: 0, decide: 0, edit: 0 };
  let runs = 0;
  const input = {
    envelope: {
      sender: 'alice@partner.example',
      recipients: [{ address: 'bob@example.org' }],
      client: '192.0.2.1',
      helo: 'out.partner.example',
      tls: false,
      trusted: false,
      smtpUtf8: false,
      eightBit: false,
    },
    intake: { anomalies: [], received: 1 },
    receivedAt: Date.now(),
  };
  const [ours, theirs] = await compare(
    async () => {
      const result = await inspector.inspect({ ...input, traceId: newTraceId() }, bytes);
      for (const key of Object.keys(phases)) phases[key] += result.phases[key];
      runs += 1;
    },
    () => simpleParser(bytes),
  );
  const total = Object.values(phases).reduce((sum, ms) => sum + ms, 0);
  const share = (key) => `${((phases[key] / total) * 100).toFixed(0)}%`;
  const ratio = ours / theirs;
  good &&= ratio <= GOALS[name];
  rows.push([
    name,
    ours.toFixed(3),
    theirs.toFixed(3),
    ratio.toFixed(2),
    `<= ${GOALS[name]}`,
    ...['parse', 'detect', 'decide', 'edit'].map(share),
  ]);
  if (runs === 0) good = false;
}
await inspector.close();
const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
for (const row of rows) {
  const cells = row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])));
  process.stdout.write(`${cells.join('  ')}\n`);
}
process.exitCode = good ? 0 : 1;

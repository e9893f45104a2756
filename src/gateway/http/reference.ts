import { newCounters } from '../../smtp/session-context.js';
import { Metrics } from '../../telemetry/metrics.js';
import { PROCESS_METRICS } from '../processes/process-metrics.js';
import { readParts, type MeasuredParts } from './readings.js';

/** Parts of a node that has every role and has done nothing: enough to say which metrics there are. */
export const IDLE_PARTS: MeasuredParts = {
  queue: {
    name: 'none',
    available: false,
    queues: [],
    trouble: undefined,
    unfit: () => Promise.resolve(undefined),
    queue: () => {
      throw new Error('there is no queue');
    },
    onAvailable: () => undefined,
    onUnavailable: () => undefined,
    close: () => Promise.resolve(),
  },
  store: { available: () => true, lostLines: () => 0 },
  events: { active: [] },
  notifications: { pending: 0 },
  delivery: { spoolState: { items: 0, bytes: 0, freeDisk: 0, maxItems: 0, maxSize: 0, minFreeDisk: 0 }, hopStates: [] },
  pool: { counters: { queued: 0, running: 0, restarts: 0 } },
  health: { states: [] },
  smtp: {
    sessions: 0,
    counters: newCounters(),
  },
  rules: () => ({ count: 0, loadedAt: new Date(0) }),
};

/** docs/reference/metrics.md. */
export function metricsPage(): string {
  const metrics = new Metrics({ version: '', node: '' });
  readParts(metrics, IDLE_PARTS);
  const rows = [...metrics.list(), ...PROCESS_METRICS].map(({ name, type, labels, help }) => {
    const shown = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
  });
  return `# Metrics

Generated from the source by \`npm run reference\`. Served at \`/metrics\` (\`http.listen\`) in the form of Prometheus, with
those of the process itself (\`process_*\`, \`nodejs_*\`). With several processes (\`smtp.processes\`) each
sample bears the label \`process\`, and the two of \`gatepost_process_*\` come with them. What they are for: [monitoring](../monitoring.md).

| metric | type | labels | meaning |
| ------ | ---- | ------ | ------- |
${rows.join('\n')}

No address, subject or message ID is a label. \`rule\` names the first 1,000 rules that decided; the others are \`other\`.
`;
}

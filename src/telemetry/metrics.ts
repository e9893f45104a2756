import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds, from a fast text to a message that used its whole deadline. */
const SPANS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60];

/** What is known when somebody asks and need not be counted along: read at each scrape. */
export interface Reading {
  readonly name: string;
  readonly help: string;
  /** `counter` only for what never falls while the process runs. */
  readonly type: 'gauge' | 'counter';
  readonly labels?: readonly string[];
  /** Nothing where it is not known now. */
  readonly read: () => Promise<readonly Sample[]> | readonly Sample[];
}

export interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** What a metric is, for the reference. */
export interface MetricInfo {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

/**
 * The metrics of a process in the form of Prometheus. Names begin with `gatepost_`, have their unit at the end
 * (`_seconds`, `_bytes`) and `_total` where they only grow. No address, subject or message ID is a label: the number of
 * series is bounded by the configuration.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #infos: MetricInfo[] = [];
  readonly messages = this.#counter('messages_total', 'Messages that were answered, by outcome', ['outcome']);
  readonly messageSeconds = this.#histogram('message_seconds', 'From the end of the data to the reply');
  readonly inspectSeconds = this.#histogram('inspect_seconds', 'Time in the scanning thread by phase', ['phase']);
  readonly moduleSeconds = this.#histogram('module_seconds', 'Time of a detector for one message', ['module']);
  readonly moduleRuns = this.#counter('module_runs_total', 'Runs of a detector by its result', ['module', 'status']);
  readonly findings = this.#counter('findings_total', 'Findings of detectors', ['module', 'status']);
  readonly decisions = this.#counter('decisions_total', 'Decisions, one for each recipient', ['rule', 'action']);
  readonly deliveries = this.#counter('deliveries_total', 'How recipients were settled', ['hop', 'state']);
  readonly notifications = this.#counter('notifications_total', 'Notifications by final state', ['kind', 'state']);

  constructor(about: { readonly version: string; readonly node: string }) {
    collectDefaultMetrics({ register: this.#registry });
    // Gauges with the names of counters: `promtool check metrics` would complain. What they sum up is there by type.
    for (const of of ['handles', 'requests', 'resources'])
      this.#registry.removeSingleMetric(`nodejs_active_${of}_total`);
    this.read({
      name: 'build_info',
      help: 'Version and node; always 1',
      type: 'gauge',
      labels: ['version', 'node'],
      read: () => [{ value: 1, labels: { ...about } }],
    });
  }

  /** `Content-Type` of what `text` resolves to. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Adds what is read at each scrape. A reading that fails is left out of that scrape. */
  read({ name, help, type, labels = [], read }: Reading): void {
    const fill = async (set: (sample: Sample) => void): Promise<void> => {
      for (const sample of await readings(read)) set(sample);
    };
    const common = this.#common(type, name, help, labels);
    if (type === 'gauge')
      new Gauge({
        ...common,
        async collect() {
          this.reset();
          await fill(({ labels: of = {}, value }) => this.set({ ...of }, value));
        },
      });
    else
      new Counter({
        ...common,
        async collect() {
          this.reset();
          await fill(({ labels: of = {}, value }) => this.inc({ ...of }, value));
        },
      });
  }

  /** All metrics of our own, by name. */
  list(): readonly MetricInfo[] {
    return [...this.#infos].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The page for the scraper. */
  async text(): Promise<string> {
    return await this.#registry.metrics();
  }

  #counter(name: string, help: string, labels: readonly string[]): Counter {
    return new Counter(this.#common('counter', name, help, labels));
  }

  #histogram(name: string, help: string, labels: readonly string[] = []): Histogram {
    return new Histogram({ ...this.#common('histogram', name, help, labels), buckets: SPANS });
  }

  #common(type: MetricInfo['type'], name: string, help: string, labels: readonly string[]) {
    const full = `gatepost_${name}`;
    this.#infos.push({ name: full, type, help, labels });
    return { name: full, help, labelNames: [...labels], registers: [this.#registry] };
  }
}

async function readings(read: Reading['read']): Promise<readonly Sample[]> {
  try {
    return await read();
  } catch {
    // A scrape tells what it can: the part that fails says so by its own `_up`, and in the log.
    return [];
  }
}

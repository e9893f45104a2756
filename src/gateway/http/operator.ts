import type { Config } from '../../config/load.js';
import { version } from '../../config/version.js';
import type { InspectPool } from '../../pipeline/pool.js';
import type { MessageHandler } from '../../smtp/types.js';
import type { Journal, Store } from '../../store/types.js';
import type { Log } from '../../telemetry/log.js';
import { Metrics } from '../../telemetry/metrics.js';
import type { Tracing, TracingOptions } from '../../telemetry/tracing.js';
import { collectorOf } from './collector.js';
import { measuredHandler, measuredJournal, measuredPool, measuredStore } from './measured.js';
import { operatorPages, type Readiness } from './pages.js';
import { readParts, type MeasuredParts } from './readings.js';
import { serveHttp, type HttpAddress, type HttpService, type Page, type PageMaker } from './server.js';
import { serveBeforeWorkers } from './take-over.js';
import { MessageTraces } from './traced.js';

/**
 * What those who run many machines see of a node: metrics, health and traces. Parts are handed through it while the node
 * is put together; where nothing of it is configured they come back as they are, at no cost.
 */
export class Operator {
  readonly #metrics: Metrics | undefined;
  readonly #tracing: Tracing | undefined;
  readonly #traces: MessageTraces | undefined;
  readonly #pages: ReadonlyMap<string, PageMaker>;
  #service: HttpService | undefined;
  #whyNotReady: Readiness = () => 'it is starting';

  private constructor(metrics: Metrics | undefined, tracing: Tracing | undefined) {
    this.#metrics = metrics;
    this.#tracing = tracing;
    this.#traces = tracing === undefined ? undefined : new MessageTraces(tracing);
    this.#pages = metrics === undefined ? new Map() : operatorPages(metrics, () => this.#whyNotReady());
  }

  /**
   * Begins to answer before anything else is there: who watches sees that the node is starting.
   * @param whose pages they are: a gateway's go before a worker's, and what is collected another process serves, which
   * asks for them (`page`)
   * @throws HttpStartError
   */
  static async open(
    { http, telemetry, node, data }: Config,
    log: Log,
    whose: 'gateway' | 'worker' | 'collected' = 'gateway',
  ): Promise<Operator> {
    const about = { version: version(), node: node.name };
    const url = telemetry.otlp ?? collectorOf(process.env, log);
    const metrics = http.listen.length === 0 ? undefined : new Metrics(about);
    const operator = new Operator(metrics, url === undefined ? undefined : await openTracing({ url, ...about }));
    if (http.listen.length > 0 && whose !== 'collected')
      operator.#service = await (whose === 'worker'
        ? serveHttp(http.listen, operator.#pages, log)
        : serveBeforeWorkers(http.listen, operator.#pages, data, log));
    return operator;
  }

  /** Where the pages are. */
  get addresses(): readonly HttpAddress[] {
    return this.#service?.addresses ?? [];
  }

  /** Serves no pages any more where one of the ports is to be another's. @returns whether it did so */
  async letGo(ports: readonly number[]): Promise<boolean> {
    const service = this.#service;
    if (service?.addresses.some(({ port }) => ports.includes(port)) !== true) return false;
    this.#service = undefined;
    await service.close();
    return true;
  }

  /** A page as it is now, for the process that serves it; undefined when there is none of that path. */
  async page(path: string): Promise<Page | undefined> {
    return await this.#pages.get(path)?.();
  }

  handler(handler: MessageHandler): MessageHandler {
    const measured = this.#metrics === undefined ? handler : measuredHandler(handler, this.#metrics);
    return this.#traces?.handler(measured) ?? measured;
  }

  pool(pool: InspectPool): InspectPool {
    const measured = this.#metrics === undefined ? pool : measuredPool(pool, this.#metrics);
    return this.#traces?.pool(measured) ?? measured;
  }

  journal(journal: Journal): Journal {
    return this.#metrics === undefined ? journal : measuredJournal(journal, this.#metrics);
  }

  /** Where notifications are counted when they come to their final state. */
  notifying<S extends Pick<Store, 'ledger' | 'sending'>>(store: S): S {
    return this.#metrics === undefined ? store : measuredStore(store, this.#metrics);
  }

  /** All parts are there. @param whyNotReady asked each time */
  started(parts: MeasuredParts, whyNotReady: Readiness): void {
    if (this.#metrics !== undefined) readParts(this.#metrics, parts);
    this.#whyNotReady = whyNotReady;
  }

  /** From now on it is not ready: who sends sessions sends them elsewhere. */
  stopping(): void {
    this.#whyNotReady = () => 'it is stopping';
  }

  async close(): Promise<void> {
    await this.#tracing?.close();
    await this.#service?.close();
  }
}

/** Its libraries are loaded only where they are used. */
async function openTracing(options: TracingOptions): Promise<Tracing> {
  const { Tracing: Sender } = await import('../../telemetry/tracing.js');
  return new Sender(options);
}

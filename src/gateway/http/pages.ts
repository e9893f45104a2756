import type { Metrics } from '../../telemetry/metrics.js';
import type { Page, PageMaker } from './server.js';

/** Why the process would not do its work now; undefined when it would. */
export type Readiness = () => string | undefined;

/**
 * `/metrics` for Prometheus, `/healthz` for who restarts what hangs (it answers as long as the process turns), and
 * `/readyz` for who sends traffic.
 */
export function operatorPages(metrics: Metrics, whyNotReady: Readiness): ReadonlyMap<string, PageMaker> {
  let running: Promise<string> | undefined;
  return new Map<string, PageMaker>([
    ['/healthz', () => plain(200, 'ok')],
    [
      '/readyz',
      () => {
        const reason = whyNotReady();
        return reason === undefined ? plain(200, 'ready') : plain(503, `not ready: ${reason}`);
      },
    ],
    [
      '/metrics',
      async () => {
        // Several scrapers at once cost one scrape.
        running ??= metrics.text().finally(() => (running = undefined));
        return { status: 200, type: metrics.contentType, body: await running };
      },
    ],
  ]);
}

/** A page of one line. */
export function plain(status: number, line: string): Page {
  return { status, type: 'text/plain; charset=utf-8', body: `${line}\n` };
}

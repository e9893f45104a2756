import { z } from 'zod';
import { askControl } from '../control/socket.js';
import { plain } from '../http/pages.js';
import type { Page, PageMaker } from '../http/server.js';
import { mergeMetrics } from './merge-metrics.js';
import { folderOf } from './place.js';
import { PROCESS_METRICS } from './process-metrics.js';
import type { ProcessState } from './supervisor.js';

const pageSchema: z.ZodType<Page> = z.object({ status: z.number(), type: z.string(), body: z.string() });

/** How long a page waits for a process, ms: scrapers give up after 10 s, and balancers sooner. */
const PATIENCE = { ready: 1_000, metrics: 4_000 };

/** What the process above its gateway processes serves: it asks them. A process that does not answer is left out. */
export function processPages(data: string, states: readonly ProcessState[]): ReadonlyMap<string, PageMaker> {
  const ask = async (
    path: string,
    patience: number,
  ): Promise<readonly { readonly number: number; readonly page: Page }[]> => {
    const answers = await Promise.allSettled(
      states.map(async ({ number }) => ({
        number,
        page: pageSchema.parse(await askControl(folderOf(data, number), 'page', path, patience)),
      })),
    );
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  };
  let running: Promise<Page> | undefined;
  const metrics = async (): Promise<Page> => {
    const pages = await ask('/metrics', PATIENCE.metrics);
    const merged = mergeMetrics(pages.map(({ number, page }) => ({ process: number, text: page.body })));
    const type = pages[0]?.page.type ?? 'text/plain; version=0.0.4; charset=utf-8';
    return { status: 200, type, body: `${merged}${merged === '' ? '' : '\n'}${aboutProcesses(states)}` };
  };
  return new Map<string, PageMaker>([
    ['/healthz', () => plain(200, 'ok')],
    [
      '/readyz',
      async () => {
        const pages = await ask('/readyz', PATIENCE.ready);
        if (pages.some(({ page }) => page.status === 200)) return plain(200, 'ready');
        const reasons = pages.map(({ number, page }) => `process ${number} is ${page.body.trim()}`);
        return plain(503, `not ready: ${reasons.length === 0 ? 'no process takes mail' : reasons.join('; ')}`);
      },
    ],
    [
      '/metrics',
      async () => {
        running ??= metrics().finally(() => (running = undefined));
        return await running;
      },
    ],
  ]);
}

function aboutProcesses(states: readonly ProcessState[]): string {
  return PROCESS_METRICS.flatMap(({ name, type, help, value }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...states.map((state) => `${name}{process="${state.number}"} ${value(state)}`),
    '',
  ]).join('\n');
}

import { Worker } from 'node:worker_threads';
import { loadConfig } from '../../config/load.js';
import { ConfigError } from '../../config/problems.js';
import { loadTemplates } from '../../notifications/templates/load.js';
import { templateFolders, type Setup } from '../setup.js';
import type { Before, Judgement } from './judge.js';
import type { LoadOrder } from './load-worker.js';

/** ms that loading a set may take. */
const PATIENCE = 120_000;

export interface LoadRequest {
  /** Path given with --config. */
  readonly file?: string;
  readonly cwd: string;
  readonly before: Before;
  /** Gives up waiting, such as when the gateway stops. */
  readonly signal: AbortSignal;
}

/** A set that was loaded apart. */
export interface Loaded {
  readonly setup: Setup;
  readonly hash: string;
}

/**
 * Loads and checks a set in a thread of its own: large lists and many rules do not hold up the sessions, a third party's
 * module is read anew, and one that hangs is ended. Only the templates, which are small, are compiled here.
 * @throws ConfigError with every problem
 */
export async function loadApart({ file, cwd, before, signal }: LoadRequest): Promise<Loaded> {
  const judged = await inThread({ ...(file === undefined ? {} : { file }), cwd, before }, signal);
  if (!judged.ok) throw new ConfigError(judged.problems);
  const { config } = await loadConfig(file, cwd);
  const { templates } = await loadTemplates(templateFolders(config), config.notifications.language);
  const { bundle, specs, warnings, hash } = judged;
  return { setup: { config, bundle, specs, templates, warnings }, hash };
}

async function inThread(order: LoadOrder, signal: AbortSignal): Promise<Judgement> {
  const worker = new Worker(new URL('./load-worker.js', import.meta.url), { workerData: order });
  let timer: NodeJS.Timeout | undefined;
  let stop: (() => void) | undefined;
  try {
    return await new Promise<Judgement>((resolve, reject) => {
      const fail = (message: string): void => reject(new ConfigError([{ severity: 'error', message }]));
      timer = setTimeout(() => fail(`loading was not done in ${PATIENCE / 1000} s`), PATIENCE);
      stop = () => fail('the gateway is stopping');
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      worker.once('message', resolve);
      worker.once('error', (error: unknown) =>
        fail(`the settings cannot be loaded: ${error instanceof Error ? error.message : String(error)}`),
      );
      worker.once('exit', (code) => fail(`the settings cannot be loaded: the thread ended with ${code}`));
    });
  } finally {
    clearTimeout(timer);
    if (stop !== undefined) signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}

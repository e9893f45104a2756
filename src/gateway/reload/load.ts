import { Worker } from 'node:worker_threads';
import { loadConfig } from '../../config/load.js';
import { moduleUrl } from '../../config/modules.js';
import { ConfigError } from '../../config/problems.js';
import { loadTemplates } from '../../notifications/templates/load.js';
import { templateFolders, type Setup } from '../setup.js';
import type { Judgement, LoadOrder } from './judge.js';

/** ms that loading a set may take. */
const PATIENCE = 120_000;
/** ms for which the thread waits for another load: to start one costs several times what a small set costs. */
const LINGER = 10_000;

export interface LoaderOptions {
  /** ms that loading a set may take. */
  readonly patience?: number;
  /** Compiled module of the thread. */
  readonly workerFile?: URL;
}

export interface LoadRequest extends LoadOrder {
  /** Gives up waiting, such as when the gateway stops. */
  readonly signal: AbortSignal;
}

/** A set that was loaded apart. */
export interface Loaded {
  readonly setup: Setup;
  readonly hash: string;
}

/**
 * Loads and checks sets in a thread apart: large lists and many rules do not hold up the sessions, a third party's
 * module is read anew, and one that hangs is ended. Only the templates, which are small, are compiled here.
 * One load at a time.
 */
export class Loader {
  private readonly patience: number;
  private readonly workerFile: URL;
  private idle: Worker | undefined;
  private lingering: NodeJS.Timeout | undefined;

  constructor({ patience, workerFile }: LoaderOptions = {}) {
    this.patience = patience ?? PATIENCE;
    this.workerFile = workerFile ?? moduleUrl('gateway/reload/load-worker');
  }

  /** @throws ConfigError with every problem */
  async load({ signal, ...order }: LoadRequest): Promise<Loaded> {
    const judged = await this.judge(order, signal);
    if (!judged.ok) throw new ConfigError(judged.problems);
    const { config } = await loadConfig(order.file, order.cwd);
    const { templates } = await loadTemplates(templateFolders(config), config.notifications.language);
    const { bundle, specs, warnings, hash } = judged;
    return { setup: { config, bundle, specs, templates, warnings }, hash };
  }

  /** Ends the thread that waits for a load. */
  async close(): Promise<void> {
    await this.take()?.terminate();
  }

  private async judge(order: LoadOrder, signal: AbortSignal): Promise<Judgement> {
    const worker = this.take() ?? this.start();
    const state = { good: false };
    try {
      const judged = await answerOf(worker, order, signal, this.patience);
      // What a third party's module imports would come from the thread's memory the next time.
      state.good = judged.ok && judged.specs.every((spec) => spec.file === undefined);
      return judged;
    } finally {
      if (state.good && !signal.aborted) this.keep(worker);
      else await worker.terminate();
    }
  }

  private start(): Worker {
    const worker = new Worker(this.workerFile);
    // One that fails while it waits is just not there for the next load.
    const gone = (): void => {
      if (this.idle === worker) this.idle = undefined;
    };
    worker.on('error', gone);
    worker.on('exit', gone);
    return worker;
  }

  private take(): Worker | undefined {
    const { idle } = this;
    clearTimeout(this.lingering);
    this.idle = undefined;
    return idle;
  }

  private keep(worker: Worker): void {
    this.idle = worker;
    worker.unref();
    this.lingering = setTimeout(() => void this.take()?.terminate(), LINGER);
    this.lingering.unref();
  }
}

async function answerOf(worker: Worker, order: LoadOrder, signal: AbortSignal, patience: number): Promise<Judgement> {
  let clean = (): void => undefined;
  try {
    return await new Promise<Judgement>((resolve, reject) => {
      const fail = (message: string): void => reject(new ConfigError([{ severity: 'error', message }]));
      const stopped = (): void => fail('the gateway is stopping');
      const failed = (error: unknown): void =>
        fail(`the settings cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
      const exited = (code: number): void => fail(`the settings cannot be loaded: the thread ended with ${code}`);
      const timer = setTimeout(() => fail(`loading was not done in ${patience / 1000} s`), patience);
      signal.addEventListener('abort', stopped);
      worker.on('message', resolve).on('error', failed).on('exit', exited);
      clean = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', stopped);
        worker.off('message', resolve).off('error', failed).off('exit', exited);
      };
      if (signal.aborted) stopped();
      worker.ref();
      worker.postMessage(order);
    });
  } finally {
    clean();
  }
}

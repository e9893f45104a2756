import path from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import type { WatchContext, Watcher } from '../types.js';
import { readUrlList, stateOf, type ListData } from './list-files.js';
import type { UrlList } from './url-list.js';

/** ms between two looks at the files. */
const INTERVAL = 2_000;

/** What is said on the channel: a thread asks for the lists in force, and is told of them. */
export type ChannelMessage = { readonly kind: 'ask' } | { readonly kind: 'lists'; readonly lists: readonly UrlList[] };

/** What came over the channel; undefined when it is nothing of ours. */
export function contentOf(event: unknown): ChannelMessage | undefined {
  if (typeof event !== 'object' || event === null || !('data' in event)) return undefined;
  return isChannelMessage(event.data) ? event.data : undefined;
}

function isChannelMessage(data: unknown): data is ChannelMessage {
  if (typeof data !== 'object' || data === null || !('kind' in data)) return false;
  return data.kind === 'ask' || (data.kind === 'lists' && 'lists' in data && Array.isArray(data.lists));
}

/** Follows the files of the lists, and hands what changed to the detectors of all threads. */
export class ListWatcher implements Watcher {
  readonly #files: readonly string[];
  readonly #context: WatchContext;
  readonly #channel: BroadcastChannel;
  readonly #timer: NodeJS.Timeout;
  #lists: readonly UrlList[];
  /** What was wrong with a file when it was last looked at: said once. */
  readonly #troubles = new Map<string, string>();
  #looking: Promise<void> | undefined;
  #changed = false;

  constructor(files: readonly string[], data: ListData, context: WatchContext) {
    this.#files = files;
    this.#context = context;
    this.#lists = data.lists;
    this.#channel = new BroadcastChannel(data.channel);
    this.#channel.onmessage = (event: unknown) => {
      const message = contentOf(event);
      // A thread that starts later has the lists of the start.
      if (this.#changed && message?.kind === 'ask') this.#tell();
    };
    this.#timer = setInterval(() => {
      this.look().catch((error: unknown) =>
        this.#context.report('warn', `the lists cannot be followed: ${String(error)}`),
      );
    }, INTERVAL);
    this.#timer.unref();
  }

  /** Looks at the files now; called while another look is under way, it waits for that one. */
  async look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    await this.#looking;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking?.catch(() => undefined);
    this.#channel.close();
  }

  async #look(): Promise<void> {
    let changed = false;
    const lists = [...this.#lists];
    for (const [index, shown] of this.#files.entries()) {
      const file = path.resolve(this.#context.baseDirectory, shown);
      const state = await stateOf(file);
      if ('error' in state) {
        this.#trouble(shown, `the list cannot be read any more: ${state.error}`);
        continue;
      }
      if (state.modified === lists[index]?.modified) {
        this.#fine(shown);
        continue;
      }
      const read = await readUrlList(file, shown);
      const failure =
        'error' in read ? read.error : read.problems.find(({ severity }) => severity === 'error')?.message;
      if ('error' in read || failure !== undefined) {
        this.#trouble(shown, `the changed list was not taken: ${failure ?? 'it cannot be read'}`);
        continue;
      }
      this.#fine(shown);
      lists[index] = read.list;
      changed = true;
      this.#context.report('info', `the list ${read.list.name} was read again: ${read.list.entries} entries`);
    }
    if (!changed) return;
    this.#lists = lists;
    this.#changed = true;
    this.#tell();
  }

  /** Says it once; what was in force stays so. */
  #trouble(file: string, text: string): void {
    this.#context.fileState?.(file, text);
    if (this.#troubles.get(file) === text) return;
    this.#troubles.set(file, text);
    this.#context.report('warn', `${path.basename(file)}: ${text}; the last one stays in force`);
  }

  #fine(file: string): void {
    this.#troubles.delete(file);
    this.#context.fileState?.(file, undefined);
  }

  #tell(): void {
    const message: ChannelMessage = { kind: 'lists', lists: this.#lists };
    this.#channel.postMessage(message);
  }
}

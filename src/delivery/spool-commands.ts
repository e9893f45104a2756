import { parseTraceId } from '../message/trace-id.js';
import { messageOf } from '../store/errors.js';
import { eachOf } from './each.js';
import type { ItemWork } from './item-work.js';
import { ownReply } from './reply.js';
import type { Spool } from './spool.js';
import type { SpoolEntry } from './spool-index.js';
import type { SpoolItem } from './spool-item.js';
import type { QueueAction, QueueAnswer, QueueRequest, QueueResult } from './types.js';

export type { QueueAnswer, QueueRequest } from './types.js';

export interface SpoolCommandsParts {
  readonly spool: Spool;
  readonly work: ItemWork;
  readonly now: () => number;
  /** Has items tried now. */
  readonly tryNow: (entries: readonly SpoolEntry[]) => void;
  /** Gives an item its job. */
  readonly index: (key: string, at: number) => Promise<void>;
}

/** How long a command waits for a running attempt, ms: less than whoever asks has patience. */
const PATIENCE = 3000;
const AT_A_TIME = 16;

/** The sender of a dropped message is told so; RFC 3463 X.7.1, delivery not authorized. */
const DROPPED = ownReply(550, '5.7.1', 'an administrator has taken the message out of the queue');

type Outcome = Omit<QueueResult, 'id'>;
const DONE: Outcome = { outcome: 'done' };

/** What admins do with items of the spool, beside the attempts and never during one. */
export class SpoolCommands {
  readonly #parts: SpoolCommandsParts;

  constructor(parts: SpoolCommandsParts) {
    this.#parts = parts;
  }

  async run(request: QueueRequest): Promise<QueueAnswer> {
    if (request.action === 'requeue') return { results: await this.#each(request.ids, (id) => this.#requeue(id)) };
    const { spool } = this.#parts;
    if (request.action === 'retry' && request.all === true) {
      const entries = [...spool.entries()].filter(({ facts }) => facts?.held !== true);
      this.#parts.tryNow(entries);
      return { results: [], count: entries.length };
    }
    const keys = keysOf(request.ids, spool.entries());
    const missing = request.ids.filter((id) => !keys.has(id)).map((id): QueueResult => ({ id, outcome: 'missing' }));
    const found = [...new Set([...keys.values()].flat())];
    return { results: [...missing, ...(await this.#each(found, (key) => this.#alone(key, request)))] };
  }

  async #each(ids: readonly string[], action: (id: string) => Promise<Outcome>): Promise<QueueResult[]> {
    const results = new Map<string, Outcome>();
    await eachOf(ids, AT_A_TIME, async (id) => {
      try {
        results.set(id, await action(id));
      } catch (error) {
        results.set(id, { outcome: 'refused', detail: messageOf(error) });
      }
    });
    return [...results].map(([id, outcome]) => ({ id, ...outcome }));
  }

  async #alone(key: string, request: QueueRequest): Promise<Outcome> {
    const { spool, work } = this.#parts;
    const result = await work.alone(key, PATIENCE, async () => {
      const item = await spool.load(key);
      return item === undefined ? { outcome: 'missing' as const } : await this.#do(request, item);
    });
    if (result === undefined) return { outcome: 'busy', detail: 'it is being tried at this moment' };
    // Only now, as nothing is tried while the command has it.
    const entry = spool.entry(key);
    if (request.action === 'retry' && result.outcome === 'done' && entry !== undefined) this.#parts.tryNow([entry]);
    if (request.action === 'unhold' && entry?.facts !== undefined) await this.#parts.index(key, entry.facts.next);
    return result;
  }

  async #do({ action, bounce }: QueueRequest, item: SpoolItem): Promise<Outcome> {
    const actions: Record<Exclude<QueueAction, 'requeue'>, () => Promise<Outcome>> = {
      retry: () => this.#retry(item),
      drop: async () => {
        const untold = await this.#parts.work.drop(item, DROPPED, bounce === true);
        return untold === undefined ? DONE : { ...DONE, detail: `the sender is not told: ${untold}` };
      },
      hold: () => this.#hold(item),
      unhold: () => this.#unhold(item),
    };
    return action === 'requeue' ? DONE : await actions[action]();
  }

  /** Written down, so that it holds also when the job queue is away, or no gateway runs. */
  async #retry(item: SpoolItem): Promise<Outcome> {
    const { spool, work, now } = this.#parts;
    if (item.held !== undefined) return { outcome: 'refused', detail: 'it is held: unhold it first' };
    await spool.update({ ...item, nextAttempt: new Date(now()).toISOString() });
    work.records.note(item, 'to be tried now, as an administrator asked');
    return DONE;
  }

  async #hold(item: SpoolItem): Promise<Outcome> {
    const { spool, work, now } = this.#parts;
    if (item.held !== undefined) return { ...DONE, detail: `it has been held since ${item.held}` };
    await spool.update({ ...item, held: new Date(now()).toISOString() });
    work.records.note(item, 'held by an administrator');
    return DONE;
  }

  async #unhold(item: SpoolItem): Promise<Outcome> {
    const { spool, work, now } = this.#parts;
    const { held, ...free } = item;
    if (held === undefined) return { ...DONE, detail: 'it was not held' };
    const heldFor = (item.heldFor ?? 0) + Math.max(0, now() - Date.parse(held));
    await spool.update({ ...free, heldFor });
    work.records.note(item, 'no longer held');
    return DONE;
  }

  async #requeue(name: string): Promise<Outcome> {
    const { spool, work, now, index } = this.#parts;
    const item = await spool.requeue(name, new Date(now()));
    if (item === undefined) return { outcome: 'missing' };
    work.records.note(item, 'put back by an administrator, after it was set aside as damaged');
    await index(item.item, now());
    return DONE;
  }
}

/** Keys by the IDs that were asked for: the key itself, or all copies of a message. Those of which there is none are left out. */
export function keysOf(ids: readonly string[], entries: Iterable<{ readonly key: string }>): Map<string, string[]> {
  const wanted = new Map<string, string>();
  for (const id of ids) {
    wanted.set(id, id);
    const traceId = parseTraceId(id);
    if (traceId !== undefined) wanted.set(traceId, id);
  }
  const found = new Map<string, string[]>();
  const add = (id: string, key: string): void => void found.set(id, [...(found.get(id) ?? []), key]);
  for (const { key } of entries) {
    const exact = wanted.get(key);
    if (exact !== undefined) add(exact, key);
    const message = /^(.{26})\.(\d+|r\d+|\d+\.r\d+)$/.exec(key)?.[1];
    const copyOf = message === undefined ? undefined : wanted.get(message);
    if (copyOf !== undefined && copyOf !== exact) add(copyOf, key);
  }
  return found;
}

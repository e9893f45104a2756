import { moduleUrl } from '../config/modules.js';
import type { DetectorSpec, Finding } from '../detectors/types.js';
import { sizeOf, type MessageSource } from '../message/source.js';
import type { TraceId } from '../message/trace-id.js';
import type { ScanLimits } from '../message/types.js';
import type { RuleBundle } from '../rules/model.js';
import { deferEveryone } from './deferral.js';
import { Gate, type Entry, type Load } from './gate.js';
import { Generation } from './generation.js';
import type { InspectorOptions, JudgedBy } from './inspector.js';
import type { ThreadFailure } from './run.js';
import { ThreadSet } from './thread-set.js';
import type { Inspection, InspectInput } from './types.js';
import type { WorkerTask } from './worker-messages.js';

/** ms for a second reading, of the header alone. */
const HEADER_DEADLINE = 5_000;
const DEFAULT_HEAP = 512;
/** Messages that a thread looks at concurrently where a detector waits for its engine. */
const WHILE_WAITING = 32;
const DEFAULT_MAX_WAITING = 256 * 2 ** 20;
/** Three messages of 20 MiB at a time, however many threads there are. */
const DEFAULT_MAX_LARGE = 64 * 2 ** 20;
/** With the scan and the delivery after it still under the ten minutes that a client waits for the reply to its data (RFC 5321 4.5.3.2.6). */
const DEFAULT_MAX_WAIT = 7 * 60_000;

/** Something that an admin should hear of. */
export interface PoolTrouble {
  /** `start`: once for each thread that could not be started, whatever number of messages wanted one. */
  readonly kind: ThreadFailure | 'idle';
  readonly traceId?: TraceId;
  /** For the log: may be the text of an exception. */
  readonly reason: string;
}

export interface PoolOptions extends InspectorOptions {
  readonly threads: number;
  /**
   * The pool is ready with one thread, and starts the others when this resolves: until then the cores are for the rest of
   * the start. Absent: all are started at once.
   */
  readonly rest?: Promise<void>;
  /** Compiled module of the threads. */
  readonly workerFile?: URL;
  /** MiB of JavaScript heap of each thread. */
  readonly heap?: number;
  /** Bytes in memory of the messages that wait for a thread; those beyond are deferred. */
  readonly maxWaitingBytes?: number;
  /** Bytes of the messages over 1 MiB that are scanned at the same time; one alone may be larger. */
  readonly maxLargeBytes?: number;
  /** ms that a message may wait for a thread; after that it is deferred. */
  readonly maxWait?: number;
  readonly onTrouble?: (trouble: PoolTrouble) => void;
}

export interface PoolCounters {
  /** Messages that wait for a thread. */
  readonly queued: number;
  readonly running: number;
  /** Threads that were lost, for a message over its deadline, for want of memory, or by a crash. */
  readonly restarts: number;
}

/** What may change along with rules and detectors. */
export interface ReloadOptions {
  readonly limits?: ScanLimits;
  /** ms for one message. */
  readonly deadline?: number;
  /** Called in the moment of the change: every message that begins after it is judged by the new set. */
  readonly inForce?: () => void;
}

/** Inspects messages in threads. */
export interface InspectPool {
  /** Resolves when the threads of the start are up. @throws Error when they cannot be, such as for a detector that fails to load */
  ready(): Promise<void>;
  /**
   * Never rejects: a message that cannot be scanned is decided by the rules' `scan-error`, and else deferred.
   * @param begun called in the moment in which it is settled what the message is judged by; not for one that is turned away
   */
  inspect(input: InspectInput, source: MessageSource, begun?: () => void): Promise<Inspection>;
  /**
   * Changes to other rules, and other detectors and bounds where given, as one: messages that began before finish with
   * the old, and it resolves when they have. Other detectors get threads of their own; other rules alone are taken over
   * by the threads that run. What is called meanwhile waits: there are never more than two sets.
   * @param specs absent: the detectors stay
   * @throws Error when the new set cannot be used; the old one then stays
   */
  reload(bundle: RuleBundle, specs?: readonly DetectorSpec[], more?: ReloadOptions): Promise<void>;
  /** Defers what waits, lets finish what runs, and ends the threads. */
  close(): Promise<void>;
  readonly counters: PoolCounters;
}

export function createInspectPool(options: PoolOptions): InspectPool {
  return new ThreadPool(options);
}

class ThreadPool implements InspectPool {
  private readonly options: PoolOptions;
  private readonly gate: Gate;
  private current: Generation;
  private changing: Promise<void> = Promise.resolve();
  private restarts = 0;
  private closed = false;

  constructor(options: PoolOptions) {
    this.options = options;
    const { bundle, specs, limits, deadline, against } = options;
    const judgedBy: JudgedBy = { bundle, limits, deadline, ...(against === undefined ? {} : { against }) };
    this.gate = new Gate({
      places: 1,
      lanes: 1,
      maxBytes: options.maxWaitingBytes ?? DEFAULT_MAX_WAITING,
      maxLarge: options.maxLargeBytes ?? DEFAULT_MAX_LARGE,
      maxWait: options.maxWait ?? DEFAULT_MAX_WAIT,
    });
    this.current = new Generation(1, judgedBy, this.newThreads(specs, 1, judgedBy, options.rest), specs);
    this.gate.resize(this.current.threads);
  }

  get counters(): PoolCounters {
    return { queued: this.gate.queued, running: this.gate.inside, restarts: this.restarts };
  }

  async ready(): Promise<void> {
    await this.current.threads.ready();
  }

  async inspect(input: InspectInput, source: MessageSource, begun?: () => void): Promise<Inspection> {
    const size = sizeOf(source);
    const load: Load = { held: source.kind === 'memory' ? size : 0, inside: size };
    const entry = await this.gate.enter(load);
    if (entry !== 'go') return deferEveryone(input, size, turnedAway(entry));
    const { current } = this;
    current.use();
    begun?.();
    try {
      return await this.inspectIn(current, input, source);
    } finally {
      current.release();
      this.gate.leave(load);
    }
  }

  async reload(bundle: RuleBundle, specs?: readonly DetectorSpec[], more: ReloadOptions = {}): Promise<void> {
    const change = this.changing.then(async () => await this.change(bundle, specs, more));
    this.changing = change.catch(() => undefined);
    await change;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.gate.close();
    await this.changing;
    await this.current.threads.retire();
  }

  private async change(
    bundle: RuleBundle,
    specs: readonly DetectorSpec[] | undefined,
    more: ReloadOptions,
  ): Promise<void> {
    const before = this.current;
    const { limits = before.judgedBy.limits, deadline = before.judgedBy.deadline, inForce } = more;
    const judgedBy: JudgedBy = { bundle, limits, deadline };
    const next = await this.prepare(before, judgedBy, specs);
    if (this.closed) {
      if (next.threads !== before.threads) await next.threads.retire();
      throw new Error('the gateway is stopping');
    }
    this.current = next;
    inForce?.();
    this.gate.resize(next.threads);
    await before.unused();
    if (next.threads === before.threads) before.threads.drop(before.set);
    else await before.threads.retire();
  }

  private async prepare(
    before: Generation,
    judgedBy: JudgedBy,
    specs: readonly DetectorSpec[] | undefined,
  ): Promise<Generation> {
    const set = before.set + 1;
    if (specs === undefined) {
      await before.threads.add(set, judgedBy);
      return new Generation(set, judgedBy, before.threads, before.specs);
    }
    const threads = this.newThreads(specs, set, judgedBy);
    try {
      await threads.ready();
    } catch (error) {
      await threads.retire();
      throw error;
    }
    return new Generation(set, judgedBy, threads, specs);
  }

  private async inspectIn(
    { threads, set, judgedBy: { deadline } }: Generation,
    input: InspectInput,
    source: MessageSource,
  ): Promise<Inspection> {
    const full = taskFor(set, input, source);
    let result = await threads.run(full, deadline);
    if ('failure' in result && result.failure === 'crash') {
      // What a module left behind for an earlier message may have ended the thread: this one gets a second chance.
      this.trouble({ kind: 'crash', traceId: input.traceId, reason: result.reason });
      result = await threads.run(full, deadline, true);
    }
    if ('inspection' in result) return result.inspection;

    const finding = failureFinding(result.failure);
    // There would be no thread for the header either.
    if (result.failure === 'start') return deferEveryone(input, sizeOf(source), finding);
    this.trouble({ kind: result.failure, traceId: input.traceId, reason: result.reason });
    const findings = [...(input.findings ?? []), finding];
    const header = taskFor(set, { ...input, depth: 'header', findings }, source);
    const second = await threads.run(header, Math.min(deadline, HEADER_DEADLINE), true);
    if ('inspection' in second) return second.inspection;
    if (second.failure !== 'start')
      this.trouble({ kind: second.failure, traceId: input.traceId, reason: second.reason });
    return deferEveryone(input, sizeOf(source), finding);
  }

  private newThreads(specs: readonly DetectorSpec[], set: number, judgedBy: JudgedBy, rest?: Promise<void>): ThreadSet {
    const { threads, workerFile, heap } = this.options;
    return new ThreadSet({
      specs,
      sets: new Map([[set, judgedBy]]),
      threads,
      ...(rest === undefined ? {} : { rest }),
      capacity: specs.some((spec) => spec.waits === true) ? WHILE_WAITING : 1,
      workerFile: workerFile ?? moduleUrl('pipeline/worker'),
      heap: heap ?? DEFAULT_HEAP,
      waiting: () => this.gate.queued,
      onPlaces: () => this.gate.resize(this.current.threads),
      onRestart: () => this.restarts++,
      onIdleError: (reason) => this.trouble({ kind: 'idle', reason }),
      onStartError: (reason) => this.trouble({ kind: 'start', reason }),
    });
  }

  private trouble(trouble: PoolTrouble): void {
    this.options.onTrouble?.(trouble);
  }
}

function taskFor(set: number, input: InspectInput, source: MessageSource): WorkerTask {
  return {
    set,
    input,
    content: source.kind === 'memory' ? { bytes: source.bytes } : { path: source.path },
    size: sizeOf(source),
  };
}

function unscanned(status: 'error' | 'timeout' | 'limit', detail: string): Finding {
  return { module: 'message', status, detail };
}

function turnedAway(entry: Exclude<Entry, 'go'>): Finding {
  switch (entry) {
    case 'full':
      return unscanned('limit', 'too many messages wait to be scanned');
    case 'late':
      return unscanned('timeout', 'no thread was free to scan the message');
    case 'closed':
      return unscanned('error', 'the gateway is stopping');
  }
}

function failureFinding(failure: ThreadFailure): Finding {
  switch (failure) {
    case 'deadline':
      return unscanned('timeout', 'scanning was not done by the deadline');
    case 'memory':
      return unscanned('error', 'scanning needed more memory than a thread has');
    case 'crash':
      return unscanned('error', 'scanning ended its thread');
    case 'error':
      return unscanned('error', 'the message cannot be scanned');
    case 'start':
      return unscanned('error', 'no thread can be started to scan the message');
  }
}

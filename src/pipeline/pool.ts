import type { DetectorSpec, Finding } from '../detectors/types.js';
import { sizeOf, type MessageSource } from '../message/source.js';
import type { TraceId } from '../message/trace-id.js';
import type { ScanLimits } from '../message/types.js';
import type { RuleBundle } from '../rules/model.js';
import { deferEveryone } from './deferral.js';
import { Gate, type Entry } from './gate.js';
import type { InspectorOptions } from './inspector.js';
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
/** Well under the ten minutes that a client waits for the reply to its data (RFC 5321 4.5.3.2.6). */
const DEFAULT_MAX_WAIT = 4 * 60_000;

/** Something that an admin should hear of. */
export interface PoolTrouble {
  readonly kind: ThreadFailure | 'idle';
  readonly traceId?: TraceId;
  /** For the log: may be the text of an exception. */
  readonly reason: string;
}

export interface PoolOptions extends InspectorOptions {
  readonly threads: number;
  /** Compiled module of the threads. */
  readonly workerFile?: URL;
  /** MiB of JavaScript heap of each thread. */
  readonly heap?: number;
  /** Bytes in memory of the messages that wait for a thread; those beyond are deferred. */
  readonly maxWaitingBytes?: number;
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
  /** Resolves when all threads are up. @throws Error when they cannot be, such as for a detector that fails to load */
  ready(): Promise<void>;
  /**
   * Never rejects: a message that cannot be scanned is decided by the rules' `scan-error`, and else deferred.
   * @param begun called in the moment in which it is settled what the message is judged by; not for one that is turned away
   */
  inspect(input: InspectInput, source: MessageSource, begun?: () => void): Promise<Inspection>;
  /**
   * Changes to other rules, and other detectors and bounds where given, as one: messages that began before finish with
   * the old, and it resolves when they have. One call at a time.
   * @throws Error when the new threads cannot start; the old ones then stay
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
  private inspector: InspectorOptions;
  private threads: ThreadSet;
  private restarts = 0;
  private closed = false;

  constructor(options: PoolOptions) {
    this.options = options;
    const { bundle, specs, limits, deadline, against } = options;
    this.inspector = { bundle, specs, limits, deadline, ...(against === undefined ? {} : { against }) };
    this.gate = new Gate({
      places: 1,
      maxBytes: options.maxWaitingBytes ?? DEFAULT_MAX_WAITING,
      maxWait: options.maxWait ?? DEFAULT_MAX_WAIT,
    });
    this.threads = this.newThreads(this.inspector);
    this.gate.resize(this.threads.places);
  }

  get counters(): PoolCounters {
    return { queued: this.gate.queued, running: this.gate.inside, restarts: this.restarts };
  }

  async ready(): Promise<void> {
    await this.threads.ready();
  }

  async inspect(input: InspectInput, source: MessageSource, begun?: () => void): Promise<Inspection> {
    const entry = await this.gate.enter(source.kind === 'memory' ? source.bytes.length : 0);
    if (entry !== 'go') return deferEveryone(input, sizeOf(source), turnedAway(entry));
    const { threads, inspector } = this;
    threads.use();
    begun?.();
    try {
      return await this.inspectIn(threads, inspector.deadline, input, source);
    } finally {
      threads.release();
      this.gate.leave();
    }
  }

  async reload(
    bundle: RuleBundle,
    specs: readonly DetectorSpec[] = this.inspector.specs,
    { limits = this.inspector.limits, deadline = this.inspector.deadline, inForce }: ReloadOptions = {},
  ): Promise<void> {
    const inspector: InspectorOptions = { bundle, specs, limits, deadline };
    const next = this.newThreads(inspector);
    try {
      await next.ready();
      if (this.closed) throw new Error('the gateway is stopping');
    } catch (error) {
      await next.retire();
      throw error;
    }
    const old = this.threads;
    this.threads = next;
    this.inspector = inspector;
    inForce?.();
    this.gate.resize(next.places);
    await old.retire();
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.gate.close();
    await this.threads.retire();
  }

  private async inspectIn(
    threads: ThreadSet,
    deadline: number,
    input: InspectInput,
    source: MessageSource,
  ): Promise<Inspection> {
    const full = taskFor(input, source);
    let result = await threads.run(full, deadline);
    if ('failure' in result && result.failure === 'crash') {
      // What a module left behind for an earlier message may have ended the thread: this one gets a second chance.
      this.trouble({ kind: 'crash', traceId: input.traceId, reason: result.reason });
      result = await threads.run(full, deadline, true);
    }
    if ('inspection' in result) return result.inspection;

    this.trouble({ kind: result.failure, traceId: input.traceId, reason: result.reason });
    const finding = failureFinding(result.failure);
    const findings = [...(input.findings ?? []), finding];
    const header = taskFor({ ...input, depth: 'header', findings }, source);
    const second = await threads.run(header, Math.min(deadline, HEADER_DEADLINE), true);
    if ('inspection' in second) return second.inspection;
    this.trouble({ kind: second.failure, traceId: input.traceId, reason: second.reason });
    return deferEveryone(input, sizeOf(source), finding);
  }

  private newThreads(inspector: InspectorOptions): ThreadSet {
    const { threads, workerFile, heap } = this.options;
    return new ThreadSet({
      inspector,
      threads,
      capacity: inspector.specs.some((spec) => spec.waits === true) ? WHILE_WAITING : 1,
      workerFile: workerFile ?? new URL('./worker.js', import.meta.url),
      heap: heap ?? DEFAULT_HEAP,
      waiting: () => this.gate.queued,
      onPlaces: () => this.gate.resize(this.threads.places),
      onRestart: () => this.restarts++,
      onIdleError: (reason) => this.trouble({ kind: 'idle', reason }),
    });
  }

  private trouble(trouble: PoolTrouble): void {
    this.options.onTrouble?.(trouble);
  }
}

function taskFor(input: InspectInput, source: MessageSource): WorkerTask {
  return {
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
  }
}

/** Signs of life of a thread, in memory that it shares with the main thread: they can be read while the thread hangs. */
export interface PulseMemory {
  readonly beat: BigInt64Array<SharedArrayBuffer>;
  readonly task: Int32Array<SharedArrayBuffer>;
}

/** What stands in `task` while the thread is between tasks, or in code that belongs to no task for sure. */
export const NO_TASK = 0;

export function createPulseMemory(): PulseMemory {
  return {
    beat: new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)),
    task: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
  };
}

/** Marks the stretches in which one task alone has the CPU of the thread: from `begin` to `end` nothing is awaited. */
export interface CpuMark {
  begin(): void;
  end(): void;
}

/** For callers with nobody who watches. */
export const UNWATCHED: CpuMark = { begin: () => undefined, end: () => undefined };

/** ms between signs of life while a thread has work. */
const BEAT = 50;

/** The thread's side. */
export class PulseWriter {
  private readonly memory: PulseMemory;
  private timer: NodeJS.Timeout | undefined;
  private working = 0;

  constructor(memory: PulseMemory) {
    this.memory = memory;
  }

  /** A task has come: as long as there is one, the loop shows that it turns. */
  enter(): void {
    this.working++;
    this.beat();
    this.timer ??= setInterval(() => this.beat(), BEAT);
  }

  leave(): void {
    this.beat();
    if (--this.working > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** @param task number of the task, not `NO_TASK` */
  markFor(task: number): CpuMark {
    return {
      begin: () => {
        this.beat();
        Atomics.store(this.memory.task, 0, task);
      },
      end: () => {
        Atomics.store(this.memory.task, 0, NO_TASK);
      },
    };
  }

  private beat(): void {
    Atomics.store(this.memory.beat, 0, process.hrtime.bigint());
  }
}

/** The main thread's own sign, when it gives work to a thread that had none: silence counts from then on. */
export function startCounting(memory: PulseMemory): void {
  Atomics.store(memory.beat, 0, process.hrtime.bigint());
}

/** ms since the thread gave a sign of life. */
export function silence(memory: PulseMemory): number {
  return Number(process.hrtime.bigint() - Atomics.load(memory.beat, 0)) / 1e6;
}

/** The task that has the CPU for sure, or `NO_TASK`. */
export function taskOnCpu(memory: PulseMemory): number {
  return Atomics.load(memory.task, 0);
}

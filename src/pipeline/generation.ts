import type { DetectorSpec } from '../detectors/types.js';
import type { JudgedBy } from './inspector.js';
import type { ThreadSet } from './thread-set.js';

/** What messages are judged by from one change to the next, and those that still are. */
export class Generation {
  /** Its number in the threads. */
  readonly set: number;
  readonly judgedBy: JudgedBy;
  readonly threads: ThreadSet;
  readonly specs: readonly DetectorSpec[];
  private users = 0;
  private done: (() => void) | undefined;

  constructor(set: number, judgedBy: JudgedBy, threads: ThreadSet, specs: readonly DetectorSpec[]) {
    this.set = set;
    this.judgedBy = judgedBy;
    this.threads = threads;
    this.specs = specs;
  }

  use(): void {
    this.users++;
    this.threads.use();
  }

  release(): void {
    this.users--;
    this.threads.release();
    if (this.users === 0) this.done?.();
  }

  /** Resolves when no message is judged by it any more. To be called when no further one will be. */
  async unused(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.done = resolve;
      if (this.users === 0) resolve();
    });
  }
}

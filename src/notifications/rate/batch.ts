import { setTimeout as sleep } from 'node:timers/promises';

/** Hands over together what was asked while the last answer was under way: one transaction for many workers' mails. */
export class Batch<Question, Answer> {
  private readonly work: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  private readonly max: number;
  private readonly patience: number;
  private waiting: Waiting<Question, Answer>[] = [];
  private running = false;

  /**
   * @param work answers in the order of the questions
   * @param patience how long it waits for more questions when there are few, ms
   */
  constructor(max: number, work: (questions: readonly Question[]) => Promise<readonly Answer[]>, patience = 0) {
    this.max = max;
    this.patience = patience;
    this.work = work;
  }

  /** Rejects as the work for the batch does that it came into. */
  async ask(question: Question): Promise<Answer> {
    return await new Promise((resolve, reject) => {
      this.waiting.push({ question, resolve, reject });
      if (this.running) return;
      this.running = true;
      // Those that come in the same turn go along.
      setImmediate(() => void this.run());
    });
  }

  /** Never rejects: failures go to those who asked. */
  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      if (this.patience > 0 && this.waiting.length < this.max / 4) await sleep(this.patience);
      const batch = this.waiting.splice(0, this.max);
      try {
        const answers = await this.work(batch.map(({ question }) => question));
        if (answers.length !== batch.length) throw new RangeError('a batch was not answered in full');
        for (const [i, answer] of answers.entries()) batch[i]?.resolve(answer);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.running = false;
  }
}

interface Waiting<Question, Answer> {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

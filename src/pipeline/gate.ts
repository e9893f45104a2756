/** Why a message may go on, or may not. */
export type Entry = 'go' | 'full' | 'late' | 'closed';

export interface GateOptions {
  /** Messages inside at the same time, at first. */
  readonly places: number;
  /** Bytes in memory of all messages that wait. */
  readonly maxBytes: number;
  /** ms that one message may wait. */
  readonly maxWait: number;
}

interface Waiting {
  readonly bytes: number;
  readonly enter: (entry: Entry) => void;
  readonly timer: NodeJS.Timeout;
}

/** Lets messages in one by one, in the order in which they came. */
export class Gate {
  inside = 0;
  private readonly options: GateOptions;
  private readonly waiting = new Set<Waiting>();
  private places: number;
  private bytes = 0;
  private closed = false;
  private emptied: (() => void) | undefined;

  constructor(options: GateOptions) {
    this.options = options;
    this.places = options.places;
  }

  get queued(): number {
    return this.waiting.size;
  }

  /**
   * Waits for a place; after `go` the caller must `leave`.
   * @param bytes of memory that the message holds while it waits
   */
  async enter(bytes: number): Promise<Entry> {
    if (this.closed) return 'closed';
    if (this.inside < this.places) {
      this.inside++;
      return 'go';
    }
    // One large message alone may wait, or it never could.
    if (this.bytes > 0 && this.bytes + bytes > this.options.maxBytes) return 'full';
    return await new Promise<Entry>((resolve) => {
      const enter = (entry: Entry): void => {
        clearTimeout(one.timer);
        this.waiting.delete(one);
        this.bytes -= bytes;
        resolve(entry);
      };
      const one: Waiting = { bytes, enter, timer: setTimeout(() => enter('late'), this.options.maxWait) };
      this.waiting.add(one);
      this.bytes += bytes;
    });
  }

  /** Gives the place to the one that has waited longest. */
  leave(): void {
    this.inside--;
    this.admit();
    if (this.inside === 0) this.emptied?.();
  }

  /** From now on so many may be inside; those that are stay. */
  resize(places: number): void {
    this.places = places;
    this.admit();
  }

  /** Turns away all that wait and all that come; resolves when no one is inside any more. */
  async close(): Promise<void> {
    this.closed = true;
    for (const one of [...this.waiting]) one.enter('closed');
    await new Promise<void>((resolve) => {
      this.emptied = resolve;
      if (this.inside === 0) resolve();
    });
  }

  private admit(): void {
    for (const next of this.waiting) {
      if (this.inside >= this.places) return;
      this.inside++;
      next.enter('go');
    }
  }
}

/** Why a message may go on, or may not. */
export type Entry = 'go' | 'full' | 'late' | 'closed';

export interface GateOptions {
  /** Messages inside at the same time, at first. */
  readonly places: number;
  /** Large ones inside at the same time are fewer than these, or one, at first. */
  readonly lanes: number;
  /** Bytes in memory of all messages that wait. */
  readonly maxBytes: number;
  /** Bytes of all large messages inside; one alone may be larger. */
  readonly maxLarge: number;
  /** ms that one message may wait. */
  readonly maxWait: number;
}

/** A message at the gate, in bytes. */
export interface Load {
  /** Memory that it holds while it waits. */
  readonly held: number;
  /** Memory that it takes while it is inside. */
  readonly inside: number;
}

interface Waiting {
  readonly load: Load;
  readonly since: number;
  readonly enter: (entry: Entry) => void;
}

/** Bytes from which on a message is large: it then counts against the bound of all that are. */
const LARGE = 2 ** 20;

/**
 * Lets messages in, each kind in the order in which they came. What large ones take together is bounded, and the last
 * lane is not for them: small ones do not wait behind them.
 */
export class Gate {
  inside = 0;
  private readonly options: GateOptions;
  private readonly small = new Set<Waiting>();
  private readonly large = new Set<Waiting>();
  private readonly largeInside = { count: 0, bytes: 0 };
  private places: number;
  private lanes: number;
  private held = 0;
  private arrivals = 0;
  private closed = false;
  private emptied: (() => void) | undefined;

  constructor(options: GateOptions) {
    this.options = options;
    this.places = options.places;
    this.lanes = options.lanes;
  }

  get queued(): number {
    return this.small.size + this.large.size;
  }

  /** Waits for a place; after `go` the caller must `leave` with the same load. */
  async enter(load: Load): Promise<Entry> {
    if (this.closed) return 'closed';
    const { held } = load;
    const queue = isLarge(load) ? this.large : this.small;
    if (queue.size === 0 && this.hasPlace(load)) {
      this.take(load);
      return 'go';
    }
    // One message alone may wait whatever it holds, or it never could.
    if (held > 0 && this.held > 0 && this.held + held > this.options.maxBytes) return 'full';
    return await new Promise<Entry>((resolve) => {
      const enter = (entry: Entry): void => {
        clearTimeout(timer);
        queue.delete(one);
        this.held -= held;
        if (entry === 'go') this.take(load);
        resolve(entry);
        // The next of its kind may be one that fits.
        if (entry === 'late') this.admit();
      };
      const timer = setTimeout(() => enter('late'), this.options.maxWait);
      const one: Waiting = { load, since: this.arrivals++, enter };
      queue.add(one);
      this.held += held;
    });
  }

  /** Gives the place to the one that has waited longest of those that may have it. */
  leave(load: Load): void {
    this.inside--;
    if (isLarge(load)) {
      this.largeInside.count--;
      this.largeInside.bytes -= load.inside;
    }
    this.admit();
    if (this.inside === 0) this.emptied?.();
  }

  /** From now on so many may be inside; those that are stay. */
  resize({ places, lanes }: Pick<GateOptions, 'places' | 'lanes'>): void {
    this.places = places;
    this.lanes = lanes;
    this.admit();
  }

  /** Turns away all that wait and all that come; resolves when no one is inside any more. */
  async close(): Promise<void> {
    this.closed = true;
    for (const one of [...this.small, ...this.large]) one.enter('closed');
    await new Promise<void>((resolve) => {
      this.emptied = resolve;
      if (this.inside === 0) resolve();
    });
  }

  private admit(): void {
    for (let next = this.next(); next !== undefined; next = this.next()) next.enter('go');
  }

  private next(): Waiting | undefined {
    const [first] = [firstOf(this.small), firstOf(this.large)]
      .filter((one) => one !== undefined)
      .filter(({ load }) => this.hasPlace(load))
      .sort((a, b) => a.since - b.since);
    return first;
  }

  private hasPlace(load: Load): boolean {
    if (this.inside >= this.places) return false;
    const { count, bytes } = this.largeInside;
    if (count === 0 || !isLarge(load)) return true;
    return count + 1 < this.lanes && bytes + load.inside <= this.options.maxLarge;
  }

  private take(load: Load): void {
    this.inside++;
    if (!isLarge(load)) return;
    this.largeInside.count++;
    this.largeInside.bytes += load.inside;
  }
}

function isLarge({ inside }: Load): boolean {
  return inside >= LARGE;
}

function firstOf(waiting: ReadonlySet<Waiting>): Waiting | undefined {
  const [first] = waiting;
  return first;
}

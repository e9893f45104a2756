/** Bounds of what waits to be written. */
export interface BufferLimits {
  readonly lines: number;
  /** Characters of JSON. */
  readonly size: number;
}

/** Lines in the order of their coming, up to a bound; what does not fit any more is counted. */
export class JournalBuffer {
  #lines: string[] = [];
  #start = 0;
  #size = 0;
  #lost = 0;
  readonly #limits: BufferLimits;

  constructor(limits: BufferLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#lines.length - this.#start;
  }

  get lost(): number {
    return this.#lost;
  }

  /** Takes a line; false when there is no room, and then it counts as lost. */
  push(line: string): boolean {
    if (this.length >= this.#limits.lines || this.#size + line.length > this.#limits.size) {
      this.#lost += 1;
      return false;
    }
    this.#lines.push(line);
    this.#size += line.length;
    return true;
  }

  /** The oldest lines, without taking them away. @param size characters; at least one line is given */
  peek(count: number, size: number): readonly string[] {
    const found: string[] = [];
    let sum = 0;
    for (let i = this.#start; i < this.#lines.length && found.length < count; i++) {
      const line = this.#lines[i];
      if (line === undefined || (found.length > 0 && sum + line.length > size)) break;
      found.push(line);
      sum += line.length;
    }
    return found;
  }

  /** Takes the oldest lines away. @param lost those of them that were not written */
  drop(count: number, lost = 0): void {
    for (let i = 0; i < count && this.#start < this.#lines.length; i++) {
      this.#size -= this.#lines[this.#start]?.length ?? 0;
      // Its place is given up later: a thousand lines that nobody needs would grow old with it.
      this.#lines[this.#start] = '';
      this.#start += 1;
    }
    this.#lost += lost;
    if (this.#start > 1000 && this.#start * 2 > this.#lines.length) {
      this.#lines = this.#lines.slice(this.#start);
      this.#start = 0;
    }
  }
}

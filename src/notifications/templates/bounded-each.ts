import type Handlebars from 'handlebars';

/** Rounds of all loops of a text together: a mail has some hundred. */
const MAX_ROUNDS = 100_000;
/** Rounds times mustaches: what a text may cost, about a second at most. */
const MAX_STEPS = 1_000_000;
/** Characters of a text that is filled in. */
const MAX_LENGTH = 1024 * 1024;

/** What one filling of a text has cost so far; it throws beyond the bounds. Loops in loops multiply what a message brings. */
export class FillBounds {
  readonly #maxRounds: number;
  #rounds = 0;

  /** @param mustaches of the text */
  constructor(mustaches: number) {
    this.#maxRounds = Math.min(MAX_ROUNDS, Math.floor(MAX_STEPS / Math.max(1, mustaches)));
  }

  /** @throws Error when there were too many */
  round(): void {
    this.#rounds += 1;
    if (this.#rounds > this.#maxRounds)
      throw new Error(`the loops of the template have more than ${String(this.#maxRounds)} rounds`);
  }

  /** @throws Error when it is too long */
  length(length: number): void {
    if (length > MAX_LENGTH) throw new Error(`the template makes more than ${String(MAX_LENGTH)} characters`);
  }
}

/** `#each`, whose rounds and what they write are counted. Nothing else in a template can repeat. */
export function boundedEach(each: Handlebars.HelperDelegate, bounds: FillBounds): Handlebars.HelperDelegate {
  return function (this: unknown, list: unknown, options: Handlebars.HelperOptions): unknown {
    let length = 0;
    const fn: typeof options.fn = (item, inner) => {
      bounds.round();
      const text = options.fn(item, inner);
      length += text.length;
      bounds.length(length);
      return text;
    };
    return each.call(this, list, { ...options, fn });
  };
}

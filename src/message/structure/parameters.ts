/** The value of a structured MIME field, read leniently and in linear time (RFC 2045 5.1, RFC 2231). */
export interface ParsedValue {
  /** What stands before the parameters, trimmed, as written. */
  readonly value: string;
  /** All parameters in order, names in lower case (with the `*` of RFC 2231), values unquoted but not decoded. */
  readonly params: readonly (readonly [name: string, value: string])[];
  /** A quote without an end, text behind a closing quote, or a parameter without a value. */
  readonly malformed: boolean;
}

/** More parameters than any client writes. */
const MAX_PARAMS = 256;

/**
 * Splits a structured field into value and parameters.
 * @param text unfolded
 */
export function parseParameters(text: string): ParsedValue {
  const cursor = new Cursor(text);
  cursor.skipSpace();
  const value = cursor.until(';', true);
  const params: (readonly [string, string])[] = [];
  // "text/plain charset=x" lacks its semicolon; clients read the parameter all the same.
  const gap = value.search(/[ \t]/);
  let head = value;
  if (gap > 0 && value.includes('=', gap)) {
    head = value.slice(0, gap);
    cursor.at -= value.length - gap;
    cursor.malformed = true;
  } else if (gap > 0) {
    head = value.slice(0, gap);
  }
  while (!cursor.done() && params.length < MAX_PARAMS) {
    cursor.skipSpace();
    if (cursor.take(';')) continue;
    const name = cursor.name();
    cursor.skipSpace();
    if (!cursor.take('=')) {
      if (name === '') cursor.at += 1;
      if (!cursor.done()) cursor.malformed = true;
      continue;
    }
    cursor.skipSpace();
    params.push([name, cursor.peek() === '"' ? cursor.quoted() : cursor.token(name)]);
  }
  return { value: head, params, malformed: cursor.malformed };
}

class Cursor {
  at = 0;
  malformed = false;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  done(): boolean {
    return this.at >= this.#text.length;
  }

  peek(): string {
    return this.#text.charAt(this.at);
  }

  take(char: string): boolean {
    if (this.peek() !== char) return false;
    this.at += 1;
    return true;
  }

  /** Skips white space and comments. */
  skipSpace(): void {
    for (;;) {
      const char = this.peek();
      if (char === ' ' || char === '\t' || char === '\r' || char === '\n') this.at += 1;
      else if (char === '(') this.#comment();
      else return;
    }
  }

  #comment(): void {
    let depth = 0;
    for (; this.at < this.#text.length; this.at += 1) {
      const char = this.#text.charAt(this.at);
      if (char === '\\') this.at += 1;
      else if (char === '(') depth += 1;
      else if (char === ')') {
        depth -= 1;
        if (depth === 0) {
          this.at += 1;
          return;
        }
      }
    }
    this.malformed = true;
  }

  /** The text up to a character, which is not consumed, or to the end. */
  until(char: string, dropComment: boolean): string {
    const found = this.#text.indexOf(char, this.at);
    const end = found < 0 ? this.#text.length : found;
    let text = this.#text.slice(this.at, end);
    this.at = end;
    if (dropComment) {
      const comment = text.indexOf('(');
      if (comment > 0) text = text.slice(0, comment);
    }
    return text.trimEnd();
  }

  name(): string {
    const start = this.at;
    for (; this.at < this.#text.length; this.at += 1) {
      const char = this.#text.charAt(this.at);
      if (char === '=' || char === ';' || char === ' ' || char === '\t' || char === '(' || char === '"') break;
    }
    return this.#text.slice(start, this.at).toLowerCase();
  }

  quoted(): string {
    this.at += 1;
    let value = '';
    let from = this.at;
    for (; this.at < this.#text.length; this.at += 1) {
      const char = this.#text.charAt(this.at);
      if (char === '"') {
        value += this.#text.slice(from, this.at);
        this.at += 1;
        this.#behindQuote();
        return value;
      }
      if (char === '\\' && this.at + 1 < this.#text.length) {
        value += this.#text.slice(from, this.at);
        this.at += 1;
        from = this.at;
      }
    }
    this.malformed = true;
    return value + this.#text.slice(from);
  }

  #behindQuote(): void {
    this.skipSpace();
    if (this.done() || this.peek() === ';') return;
    this.malformed = true;
  }

  /** A value without quotes: names of files may hold spaces, as several clients write them so. */
  token(name: string): string {
    const value = this.until(';', false).trim();
    if (name.startsWith('name') || name.startsWith('filename')) return value;
    const end = value.search(/[\s(]/);
    return end < 0 ? value : value.slice(0, end);
  }
}

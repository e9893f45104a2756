/** One parameter of a structured field. */
export interface Parameter {
  /** In lower case, with the `*` of RFC 2231. */
  readonly name: string;
  /** Unquoted, not decoded. */
  readonly value: string;
  /** What another reader would take the value for, where the text is no proper value. */
  readonly also?: string;
}

/** The value of a structured MIME field, read leniently and in linear time (RFC 2045 5.1, RFC 2231). */
export interface ParsedValue {
  /** What stands before the parameters, trimmed, as written. */
  readonly value: string;
  /** All parameters in order. */
  readonly params: readonly Parameter[];
  /** A quote without an end, text behind a closing quote, or a parameter without a value. */
  readonly malformed: boolean;
}

/** More parameters than any client writes. */
const MAX_PARAMS = 256;
/** How far text behind a quote is looked at. */
const MAX_BEHIND = 512;

/**
 * Splits a structured field into value and parameters.
 * @param text unfolded
 */
export function parseParameters(text: string): ParsedValue {
  const cursor = new Cursor(text);
  cursor.skipSpace();
  const start = cursor.at;
  const value = cursor.until(';', true);
  const params: Parameter[] = [];
  // "text/plain charset=x" lacks its semicolon, "filename=x" its value; clients read the parameter all the same.
  const gap = value.search(/[ \t]/);
  let head = value;
  if (/^[a-z*0-9-]{1,40}[ \t]*=/i.test(value)) {
    head = '';
    cursor.at = start;
    cursor.malformed = true;
  } else if (gap > 0 && value.includes('=', gap)) {
    head = value.slice(0, gap);
    cursor.at = start + gap;
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
    params.push({ name, ...(cursor.peek() === '"' ? cursor.quoted() : cursor.token(name)) });
  }
  return { value: head, params, malformed: cursor.malformed };
}

interface Value {
  readonly value: string;
  readonly also?: string;
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

  quoted(): Value {
    this.at += 1;
    const start = this.at;
    let value = '';
    let from = start;
    for (; this.at < this.#text.length; this.at += 1) {
      const char = this.#text.charAt(this.at);
      if (char === '"') {
        value += this.#text.slice(from, this.at);
        // Some readers do not know that a backslash quotes.
        const literal = from === start ? undefined : this.#text.slice(start, this.at);
        this.at += 1;
        const behind = this.#behindQuote();
        const also = behind === '' ? literal : value + behind;
        return also === undefined ? { value } : { value, also };
      }
      if (char === '\\' && this.at + 1 < this.#text.length) {
        value += this.#text.slice(from, this.at);
        this.at += 1;
        from = this.at;
      }
    }
    this.malformed = true;
    value += this.#text.slice(from);
    // Without its end the quote reaches to the end for some readers, to the next semicolon for others.
    const stop = value.indexOf(';');
    return stop < 0 ? { value } : { value, also: value.slice(0, stop) };
  }

  /** What follows a closing quote and is no further parameter, without quotes: `"a".exe`, `""a.exe""`. */
  #behindQuote(): string {
    const from = this.at;
    this.skipSpace();
    if (this.done() || this.peek() === ';') return '';
    this.malformed = true;
    const text = this.#text.slice(from, from + MAX_BEHIND);
    if (/^\s*[a-z*0-9-]{1,40}\s*=/i.test(text)) return '';
    const stop = text.indexOf(';');
    return (stop < 0 ? text : text.slice(0, stop)).replaceAll('"', '').trimEnd();
  }

  /** A value without quotes: names of files may hold spaces, as several clients write them so. */
  token(name: string): Value {
    const word = this.#encodedWord();
    const text = (word + this.until(';', false)).trim();
    const end = text.search(/[\s(]/);
    if (end < 0) return { value: text };
    const first = text.slice(0, end);
    if (!name.startsWith('name') && !name.startsWith('filename')) return { value: first, also: text };
    return /[=(]/.test(text) && word === '' ? { value: text, also: first } : { value: text };
  }

  /** An encoded word without quotes (RFC 2047 5 forbids it, many write it): a semicolon in it ends nothing. */
  #encodedWord(): string {
    if (this.peek() !== '=') return '';
    const word = /=\?[^?;\s]{1,64}\?[bq]\?[^?]{0,500}\?=/iy;
    word.lastIndex = this.at;
    const found = word.exec(this.#text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }
}

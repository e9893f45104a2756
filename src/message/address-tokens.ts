/**
 * What an address list consists of (RFC 5322 3.2). `word` is an atom or what stands in the place of one, `literal` a
 * domain literal in its brackets; white space and comments are tokens as well.
 */
export interface AddressToken {
  readonly kind: 'word' | 'quoted' | 'literal' | 'space' | 'comment' | '@' | '.' | ',' | ';' | ':' | '<' | '>';
  /** As it stands in an address: a quoted string with its quotes. */
  readonly raw: string;
  /** As people read it: a quoted string without its quotes, a comment without its parentheses. */
  readonly shown: string;
}

const WORD = /[^\s"(<>@,;:.\\]+|\\[\\"()]?/y;
const SPACE = /\s+/y;
/** Of RFC 5321 4.1.3, with white space as RFC 5322 4.4 has it: other brackets are text. */
const LITERAL = /\[[\w\s.:-]*\]/y;

/** Takes an address list apart in one pass. A quote or parenthesis without its end is text. */
export class AddressTokens {
  readonly #text: string;
  #at = 0;
  #behindAt = false;
  /** Where quotes and parentheses stand that do not end: none is looked for twice. */
  readonly #open = new Set<number>();

  constructor(text: string) {
    this.#text = text;
  }

  /** Whether a quoted string or a comment was met that does not end. */
  get isBroken(): boolean {
    return this.#open.size > 0;
  }

  next(): AddressToken | undefined {
    if (this.#at >= this.#text.length) return undefined;
    const token = this.#read();
    if (token.kind !== 'space' && token.kind !== 'comment') this.#behindAt = token.kind === '@';
    return token;
  }

  #read(): AddressToken {
    const char = this.#text.charAt(this.#at);
    switch (char) {
      case '@':
      case '.':
      case ',':
      case ';':
      case ':':
      case '<':
      case '>':
        this.#at += 1;
        return { kind: char, raw: char, shown: char };
      case '"':
        return this.#quoted() ?? this.#single();
      case '(':
        return this.#comment() ?? this.#single();
      default:
        return this.#run(char);
    }
  }

  #run(char: string): AddressToken {
    const space = this.#match(SPACE);
    if (space !== undefined) return { kind: 'space', raw: ' ', shown: space };
    if (char === '[' && this.#behindAt) {
      const literal = this.#match(LITERAL)?.replace(/\s/g, '');
      if (literal !== undefined) return { kind: 'literal', raw: literal, shown: literal };
    }
    const word = this.#match(WORD);
    return word === undefined ? this.#single() : { kind: 'word', raw: word, shown: word };
  }

  #single(): AddressToken {
    const char = this.#text.charAt(this.#at);
    this.#at += 1;
    return { kind: 'word', raw: char, shown: char };
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #quoted(): AddressToken | undefined {
    const text = this.#text;
    let value = '';
    let from = this.#at + 1;
    for (let at = from; at < text.length; at += 1) {
      const char = text.charAt(at);
      if (char === '"') {
        const raw = text.slice(this.#at, at + 1);
        this.#at = at + 1;
        return { kind: 'quoted', raw, shown: value + text.slice(from, at) };
      }
      if (char !== '\\') continue;
      value += text.slice(from, at);
      at += 1;
      from = at;
    }
    this.#open.add(this.#at);
    return undefined;
  }

  /** Comments nest (RFC 5322 3.2.2). */
  #comment(): AddressToken | undefined {
    if (this.#open.has(this.#at)) return undefined;
    const text = this.#text;
    const opened: number[] = [];
    let value = '';
    for (let at = this.#at; at < text.length; at += 1) {
      const char = text.charAt(at);
      if (char === '(') {
        opened.push(at);
        if (opened.length === 1) continue;
      } else if (char === ')') {
        opened.pop();
        if (opened.length === 0) {
          this.#at = at + 1;
          return { kind: 'comment', raw: '', shown: value };
        }
      } else if (char === '\\') {
        at += 1;
      }
      value += text.charAt(at);
    }
    for (const at of opened) this.#open.add(at);
    return undefined;
  }
}

import { AddressTokens, type AddressToken } from './address-tokens.js';
import { decodeRaw } from './decode/header-text.js';
import { decodeWords } from './decode/words.js';
import type { MailAddress } from './types.js';

/** Addresses of one field that are read. */
const MAX_ADDRESSES = 20_000;

/** A local part, and a domain of labels or an address literal; more is not asked of what can be read. */
const READABLE =
  /^(?:"(?:[^"\\]|\\[^])*"|[^\s@"()<>[\]\\,;:\p{Cc}])+@(?:[^\s@."()<>[\]\\,;:\p{Cc}]+(?:\.[^\s@."()<>[\]\\,;:\p{Cc}]+)*|\[[^\]]+\])$/u;
/** Longer addresses are none (RFC 5321 4.5.3.1). */
const MAX_ADDRESS = 1000;

export interface AddressList {
  readonly list: readonly MailAddress[];
  /** It does not read as RFC 5322 3.4 has it, so that readers may see other addresses, or none. */
  readonly malformed: boolean;
}

/**
 * Reads an address list (RFC 5322 3.4) in one pass, as leniently as clients do: groups are flattened, semicolons
 * separate like commas, a comment serves as the name of an address that has none. White space and comments in an
 * address are left out (4.4). Where clients may take one thing or another for the address, all are listed.
 * @param raw unfolded, one character for each byte
 */
export function parseAddresses(raw: string): readonly MailAddress[] {
  return readAddressList(raw).list;
}

/** The same, with whether it can be trusted. */
export function readAddressList(raw: string): AddressList {
  const reader = new ListReader();
  reader.read(decodeRaw(raw));
  return reader;
}

class ListReader implements AddressList {
  readonly list: MailAddress[] = [];
  malformed = false;
  /** What stands before the address in angle brackets, and behind it. */
  #before: AddressToken[] = [];
  #behind: AddressToken[] = [];
  /** Addresses in angle brackets. */
  #bracketed: Set<string> | undefined;
  #comments = '';
  #hasAt = false;

  /** @param isDecoded it was an encoded word: it is looked into once */
  read(text: string, isDecoded = false): void {
    const tokens = new AddressTokens(text);
    /** What stands in angle brackets that are open. */
    let inside: AddressToken[] | undefined;
    for (let token = tokens.next(); token !== undefined && this.list.length < MAX_ADDRESSES; token = tokens.next()) {
      const { kind } = token;
      if (kind === '<') {
        if (inside !== undefined) this.#closeBracket(inside, true);
        inside = [];
      } else if (inside !== undefined) {
        if (kind === '>') {
          this.#closeBracket(inside, false);
          inside = undefined;
        } else if (kind !== 'comment') inside.push(token);
      } else if (kind === ',' || kind === ';') this.#finish(isDecoded);
      else this.#outside(token);
    }
    if (inside !== undefined) this.#closeBracket(inside, true);
    this.#finish(isDecoded);
    this.malformed ||= tokens.isBroken;
  }

  #outside(token: AddressToken): void {
    const { kind } = token;
    if (kind === 'comment') {
      this.#comments += this.#comments === '' ? token.shown : ` ${token.shown}`;
    } else if (kind === ':' && this.#bracketed === undefined && !this.#hasAt) {
      // The name of a group.
      this.#before = [];
    } else {
      this.#hasAt ||= kind === '@';
      if (kind === '>') this.malformed = true;
      if (this.#bracketed === undefined) this.#before.push(token);
      else if (kind !== '>') this.#behind.push(token);
    }
  }

  /** @param isBroken another one opens, or the text ends, before it is closed */
  #closeBracket(inside: readonly AddressToken[], isBroken: boolean): void {
    const isEmpty = inside.every(({ kind }) => kind === 'space');
    if (isBroken || isEmpty || this.#bracketed !== undefined) this.malformed = true;
    this.#bracketed ??= new Set();
    if (isEmpty) return;
    const spec = withoutRoute(inside);
    const { addresses, rest } = addressesIn(spec);
    for (const address of addresses) this.#bracketed.add(address);
    if (addresses.length === 0) this.#bracketed.add(rest);
    // Some readers leave out all white space.
    else if (rest !== '' && spec.every(({ kind }) => kind === 'space' || JOINED.has(kind)))
      this.#bracketed.add(squeezed(spec));
  }

  #finish(isDecoded: boolean): void {
    const note = this.#comments.trim();
    const bracketed = this.#bracketed;
    const before = this.#before;
    const behind = this.#behind;
    this.#before = [];
    this.#behind = [];
    this.#bracketed = undefined;
    this.#comments = '';
    this.#hasAt = false;
    if (bracketed === undefined) {
      const { addresses, rest } = addressesIn(before);
      if (addresses.length === 0 && rest === '') return;
      if (addresses.length > 1 || rest !== '') this.malformed = true;
      this.#add(addresses, rest === '' ? note : rest, isDecoded);
      return;
    }
    const further = addressesIn(behind);
    if (further.rest !== '' || further.addresses.length > 0) this.malformed = true;
    for (const address of further.addresses) bracketed.add(address);
    if (bracketed.size > 1) this.malformed = true;
    let found: readonly string[] = [...bracketed];
    if (!found.some((address) => address.includes('@'))) {
      const { addresses } = addressesIn(before);
      if (addresses.length > 0) found = addresses;
    }
    const words = shown([...before, ...behind]);
    this.#add(found, words === '' ? note : words, isDecoded);
  }

  #add(addresses: readonly string[], words: string, isDecoded: boolean): void {
    const name = decodeWords(words);
    for (const address of addresses.length === 0 ? [''] : addresses) this.#push({ address, name });
    if (isDecoded || addresses.some((address) => address.includes('@'))) return;
    // In quotes or encoded words there may be what some readers take for the address.
    const text = decodeWords([words, ...addresses].join(' '));
    if (!text.includes('@')) return;
    const again = new ListReader();
    again.read(text, true);
    const found = again.list.filter(({ address }) => address.includes('@'));
    if (found.length === 0) return;
    this.list.length -= Math.max(1, addresses.length);
    for (const entry of found) this.#push(entry);
  }

  #push(entry: MailAddress): void {
    if (this.list.length >= MAX_ADDRESSES) return;
    this.malformed ||= entry.address.length > MAX_ADDRESS || !READABLE.test(entry.address);
    this.list.push(entry);
  }
}

/** A route of RFC 822, as in `<@a,@b:user@c>`, is no part of the address. */
function withoutRoute(tokens: readonly AddressToken[]): readonly AddressToken[] {
  const first = tokens.find(({ kind }) => kind !== 'space');
  if (first?.kind !== '@') return tokens;
  return tokens.slice(tokens.findIndex(({ kind }) => kind === ':') + 1);
}

interface Found {
  readonly addresses: readonly string[];
  /** What belongs to none of them, for people. */
  readonly rest: string;
}

/** Addresses in a text, without the white space around `@` and dots. What has no `@` is text. */
function addressesIn(tokens: readonly AddressToken[]): Found {
  const addresses: string[] = [];
  const rest: AddressToken[] = [];
  for (let at = 0, end = 0; at < tokens.length; at = end) {
    end = runEnd(tokens, at);
    const run = tokens.slice(at, end);
    if (run.some(({ kind }) => kind === '@')) addresses.push(squeezed(run));
    else for (const token of run) rest.push(token);
  }
  return { addresses, rest: shown(rest) };
}

/** The end of what may be one address: words that dots and `@` join, with white space or without. */
function runEnd(tokens: readonly AddressToken[], start: number): number {
  const first = tokens[start]?.kind;
  if (first === undefined || !JOINED.has(first)) return start + 1;
  let last = first;
  let hasWord = JOINS.has(first) ? first === '@' : true;
  for (let end = start + 1; ;) {
    let next = end;
    while (tokens[next]?.kind === 'space') next += 1;
    const kind = tokens[next]?.kind;
    if (kind === undefined || !JOINED.has(kind)) return end;
    const isBeside = next === end && (last === 'word' || last === '.') && kind === 'word';
    if (!isBeside && !JOINS.has(kind) && !(JOINS.has(last) && hasWord)) return end;
    hasWord ||= kind !== '.';
    last = kind;
    end = next + 1;
  }
}

const JOINS: ReadonlySet<AddressToken['kind']> = new Set(['@', '.']);
const JOINED: ReadonlySet<AddressToken['kind']> = new Set(['@', '.', 'word', 'quoted', 'literal']);

/** As it stands in an address. */
function squeezed(tokens: readonly AddressToken[]): string {
  let text = '';
  for (const { kind, raw } of tokens) if (kind !== 'space') text += raw;
  return text;
}

/** As people read it. */
function shown(tokens: readonly AddressToken[]): string {
  let text = '';
  for (const token of tokens) text += token.shown;
  return text.trim();
}

/** Characters of body text that are read: what a spammer wants to be read stands there. */
const MAX_TEXT = 6_000;
/** Distinct features of one message. */
const MAX_FEATURES = 3_500;
const MIN_WORD = 3;
const MAX_WORD = 20;

const SEED = 0x811c9dc5;
const PRIME = 0x01000193;
/** Where a word stood is part of what it says: words of the subject and of the sender's name count by themselves. */
const PLACES = { body: 0, subject: 0x5bd1e995, name: 0x2545f491 } as const;

export type Place = keyof typeof PLACES;

/** A word of the text as its hash, with the hash of the pair that it makes with the word before. */
type Visit = (word: number, pair: number) => void;

/** Hash of a word or of a pair of words as they occur in a body: for tables that are written by hand. */
export function hashPhrase(phrase: string): number {
  let last = 0;
  scanWords(phrase, (word, pair) => (last = pair === 0 ? word : pair));
  return last;
}

/**
 * Finds the words of a text in one pass and without making strings: letters and digits of any script, in lower case;
 * apostrophes are left out. Words shorter than 3 or longer than 20 characters, numbers, and addresses of the web and of
 * people are passed over. The pair is 0 for the first word.
 */
export function scanWords(text: string, visit: Visit): void {
  const end = text.length;
  let previous = 0;
  let at = 0;
  while (at < end) {
    let hash = SEED;
    let length = 0;
    let letters = 0;
    let code = 0;
    for (; at < end; at += 1) {
      code = text.charCodeAt(at);
      if (code >= 0x41 && code <= 0x5a) code += 0x20;
      if (code >= 0x61 && code <= 0x7a) letters += 1;
      else if (code >= 0xc0) {
        if (isInsideWords(code)) continue;
        if (isPunctuation(code)) break;
        if (code <= 0xde) code += 0x20;
        letters += 1;
      } else if (code === 0x27) continue;
      else if (!(code >= 0x30 && code <= 0x39)) break;
      hash = Math.imul(hash ^ code, PRIME);
      length += 1;
    }
    if (isAddress(text, at, code, length)) {
      at = skipAddress(text, at, end);
      previous = 0;
      continue;
    }
    at += 1;
    if (length < MIN_WORD || length > MAX_WORD || letters < 2) continue;
    const word = finish(hash);
    visit(word, previous === 0 ? 0 : finish(Math.imul(previous, PRIME) ^ word));
    previous = word;
  }
}

/** Apostrophe, and characters without width, which only hide a word. */
function isInsideWords(code: number): boolean {
  return code === 0x2019 || (code >= 0x200b && code <= 0x200f) || code === 0x2060 || code === 0xfeff;
}

/** General and CJK punctuation, and the halves of pictures. */
function isPunctuation(code: number): boolean {
  return (code >= 0x2000 && code <= 0x2bff) || (code >= 0x3000 && code <= 0x303f) || (code >= 0xd800 && code <= 0xf8ff);
}

/** `word://...` and `word@...` */
function isAddress(text: string, at: number, code: number, length: number): boolean {
  if (length === 0) return false;
  return code === 0x40 || (code === 0x3a && text.startsWith('//', at + 1));
}

function skipAddress(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && text.charCodeAt(at) > 0x20) at += 1;
  return at;
}

/** Spreads the bits, and is never 0. */
function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 0 || 1;
}

/** Slots of the table of a message's features; more than half stay free. */
const SLOTS = 8192;

/** The features of a message: hashes of words and of pairs of words, each once. */
export class FeatureSet {
  /** Open addressing: a Set of numbers this large would make an object of each. */
  readonly #slots = new Uint32Array(SLOTS);
  readonly #list: number[] = [];

  /** In the order in which they were found. */
  get hashes(): readonly number[] {
    return this.#list;
  }

  /** Adds the words and pairs of a text; of a long one those at its start, in its middle and at its end. */
  add(place: Place, text: string): void {
    const salt = PLACES[place];
    const visit: Visit = (word, pair) => {
      this.#put((word ^ salt) >>> 0);
      if (pair !== 0) this.#put((pair ^ salt) >>> 0);
    };
    if (text.length <= MAX_TEXT) {
      scanWords(text, visit);
      return;
    }
    const window = Math.floor(MAX_TEXT / 3);
    const middle = Math.floor((text.length - window) / 2);
    for (const from of [0, middle, text.length - window]) scanWords(text.slice(from, from + window), visit);
  }

  #put(hash: number): void {
    if (this.#list.length >= MAX_FEATURES) return;
    const slots = this.#slots;
    let slot = hash & (SLOTS - 1);
    for (let held = slots[slot]; held !== 0; held = slots[slot]) {
      if (held === hash) return;
      slot = (slot + 1) & (SLOTS - 1);
    }
    slots[slot] = hash;
    this.#list.push(hash);
  }
}

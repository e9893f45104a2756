import { decodeEntities } from './entities.js';

/** A tag, comment or declaration of HTML, as a range of the text. */
export interface Tag {
  /** In lower case; empty for comments and declarations. */
  readonly name: string;
  readonly closing: boolean;
  /** Behind the name: attributes stand from here to `end`. */
  readonly attributes: number;
  /** Behind the ">". */
  readonly end: number;
  /** A character stands in it without which there is no address: a slash, a bracket, a reference or an escape. */
  readonly mayLead: boolean;
}

/** An attribute; the value is as written, references are not decoded. */
export interface Attribute {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
}

const MAX_NAME = 32;
const MAX_ATTRIBUTE_NAME = 64;

/**
 * Reads the tags of one HTML text as browsers do (WHATWG HTML 13.2.5), from front to back and in linear time: what was
 * looked for in vain once is not looked for again.
 */
export class TagReader {
  readonly #html: string;
  readonly #missing = new Set<string>();
  #mayLead = false;

  constructor(html: string) {
    this.#html = html;
  }

  /** The tag, comment or declaration at a "<", or undefined when that is plain text. */
  at(open: number): Tag | undefined {
    const html = this.#html;
    const next = html.charCodeAt(open + 1);
    if (next === 0x21 || next === 0x3f) {
      const end = html.startsWith('--', open + 2) ? this.#commentEnd(open) : nextOr(html, '>', open);
      return { name: '', closing: false, attributes: end, end, mayLead: false };
    }
    const closing = next === 0x2f;
    const start = open + (closing ? 2 : 1);
    const first = html.charCodeAt(start);
    if (!isLetter(first)) {
      if (!closing || Number.isNaN(first)) return undefined;
      const end = nextOr(html, '>', start);
      return { name: '', closing: true, attributes: end, end, mayLead: false };
    }
    let at = start;
    while (at < html.length && at - start < MAX_NAME && isNameCharacter(html.charCodeAt(at))) at += 1;
    const name = html.slice(start, at).toLowerCase();
    // In this order: finding the end notes what stands before it.
    const end = this.#tagEnd(at);
    return { name, closing, attributes: at, end, mayLead: this.#mayLead };
  }

  /** Start of the end tag of an element whose content is no markup, or -1 when it has none. */
  closingTag(name: string, from: number): number {
    if (this.#missing.has(name)) return -1;
    const html = this.#html;
    for (let at = html.indexOf('</', from); at >= 0; at = html.indexOf('</', at + 2)) {
      const end = at + 2 + name.length;
      const behind = html.charCodeAt(end);
      if (behind !== 0x3e && behind !== 0x2f && !isSpace(behind)) continue;
      if (html.slice(at + 2, end).toLowerCase() === name) return at;
    }
    this.#missing.add(name);
    return -1;
  }

  /**
   * Behind a comment. What clients show of a conditional one is no comment: it ends behind its condition, and so does
   * one that never ends.
   */
  #commentEnd(open: number): number {
    const html = this.#html;
    if (html.startsWith('[if', open + 4)) return nextOr(html, '>', open);
    // `<!-->` and `<!--->` are whole comments, and `--!>` ends one as well (13.2.5.43 to 13.2.5.52).
    const usual = this.#find('-->', open + 2);
    const odd = this.#find('--!>', open + 4);
    if (usual < 0 && odd < 0) return nextOr(html, '>', open);
    return odd >= 0 && (usual < 0 || odd < usual) ? odd + 4 : usual + 3;
  }

  #find(text: string, from: number): number {
    if (this.#missing.has(text)) return -1;
    const found = this.#html.indexOf(text, from);
    if (found < 0) this.#missing.add(text);
    return found;
  }

  /** Position behind the ">" of a tag; one inside a quoted attribute value does not count. */
  #tagEnd(from: number): number {
    const html = this.#html;
    this.#mayLead = true;
    if (this.#missing.has('quote')) return nextOr(html, '>', from);
    let quote = 0;
    let mayLead = false;
    let afterEquals = false;
    for (let at = from; at < html.length; at += 1) {
      const code = html.charCodeAt(at);
      if (code === 0x2f || code === 0x28 || code === 0x26 || code === 0x5c) mayLead = true;
      if (quote !== 0) {
        if (code === quote) quote = 0;
      } else if (code === 0x3e) {
        this.#mayLead = mayLead;
        return at + 1;
      } else if ((code === 0x22 || code === 0x27) && afterEquals) {
        quote = code;
        afterEquals = false;
      } else if (code === 0x3d) {
        afterEquals = true;
      } else if (code > 0x20) {
        afterEquals = false;
      }
    }
    if (quote === 0) return html.length;
    // The quote has no end: browsers would read on to the end of the text. From here on tags end at the first ">".
    this.#missing.add('quote');
    return nextOr(html, '>', from);
  }
}

/** Attributes of a tag; of one that stands twice the first counts (13.2.5.33). */
export function readAttributes(html: string, tag: Tag): readonly Attribute[] {
  const found: Attribute[] = [];
  const names = new Set<string>();
  const stop = html.charCodeAt(tag.end - 1) === 0x3e ? tag.end - 1 : tag.end;
  let at = tag.attributes;
  while (at < stop) {
    while (at < stop && (isSpace(html.charCodeAt(at)) || html.charCodeAt(at) === 0x2f)) at += 1;
    const start = at;
    // An equals sign in front belongs to the name (13.2.5.32).
    if (html.charCodeAt(at) === 0x3d) at += 1;
    while (at < stop && !endsAttributeName(html.charCodeAt(at))) at += 1;
    if (at >= stop && at === start) break;
    const name = html.slice(start, Math.min(at, start + MAX_ATTRIBUTE_NAME)).toLowerCase();
    let behind = at;
    while (behind < stop && isSpace(html.charCodeAt(behind))) behind += 1;
    let value = '';
    if (html.charCodeAt(behind) === 0x3d && behind < stop) {
      at = behind + 1;
      while (at < stop && isSpace(html.charCodeAt(at))) at += 1;
      const quote = html.charCodeAt(at);
      if (at < stop && (quote === 0x22 || quote === 0x27)) {
        const close = html.indexOf(quote === 0x22 ? '"' : "'", at + 1);
        const end = close < 0 || close > stop ? stop : close;
        value = html.slice(at + 1, end);
        at = end + 1;
      } else {
        const from = at;
        while (at < stop && !isSpace(html.charCodeAt(at))) at += 1;
        value = html.slice(from, at);
      }
    } else if (at === start) at += 1;
    if (name === '' || names.has(name)) continue;
    names.add(name);
    found.push({ name, value });
  }
  return found;
}

/** Value of an attribute with references decoded; undefined when the tag has none of that name. */
export function attributeValue(attributes: readonly Attribute[], name: string): string | undefined {
  const found = attributes.find((attribute) => attribute.name === name);
  return found === undefined ? undefined : decodeEntities(found.value);
}

function nextOr(html: string, char: string, from: number): number {
  const found = html.indexOf(char, from);
  return found < 0 ? html.length : found + 1;
}

function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a);
}

function isNameCharacter(code: number): boolean {
  return isLetter(code) || (code >= 0x30 && code <= 0x39) || code === 0x3a || code === 0x2d;
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

function endsAttributeName(code: number): boolean {
  return isSpace(code) || code === 0x2f || code === 0x3d;
}

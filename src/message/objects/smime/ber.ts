/** An element of BER or DER (ITU-T X.690). */
export interface Element {
  /** Class, form and number as they stand in the first byte. */
  readonly tag: number;
  readonly start: number;
  /** Where its contents end. */
  readonly end: number;
  /** Where the next element starts. */
  readonly next: number;
}

const INDEFINITE = 0x80;
const CONSTRUCTED = 0x20;
/** Elements that are looked at to find where one of indefinite length ends. */
const MAX_STEPS = 1_000_000;
const MAX_NESTING = 32;

/** Reads elements one by one; a bound on all steps keeps crafted nesting from costing more than its length. */
export class BerReader {
  readonly #bytes: Buffer;
  #steps = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The element at a position; undefined when there is none, or it goes past `end`. */
  element(at: number, end: number, nesting = 0): Element | undefined {
    this.#steps += 1;
    const tag = this.#bytes[at];
    const first = this.#bytes[at + 1];
    if (tag === undefined || first === undefined || at + 2 > end || this.#steps > MAX_STEPS) return undefined;
    // Tags of more than one byte do not occur in what is read here.
    if ((tag & 0x1f) === 0x1f) return undefined;
    if (first === INDEFINITE) return this.#indefinite(tag, at + 2, end, nesting);
    const width = first < 0x80 ? 0 : first & 0x7f;
    if (width > 6 || at + 2 + width > end) return undefined;
    const start = at + 2 + width;
    const length = width === 0 ? first : this.#bytes.readUIntBE(at + 2, width);
    if (length > end - start) return undefined;
    return { tag, start, end: start + length, next: start + length };
  }

  /** The elements in one. */
  *children(parent: Element): Generator<Element> {
    let at = parent.start;
    while (at < parent.end) {
      const child = this.element(at, parent.end);
      if (child === undefined) return;
      yield child;
      at = child.next;
    }
  }

  /** The bytes of an octet string, which may be in pieces. */
  octets(element: Element): Buffer {
    if ((element.tag & CONSTRUCTED) === 0) return this.#bytes.subarray(element.start, element.end);
    const pieces: Buffer[] = [];
    for (const child of this.children(element)) {
      if ((child.tag & CONSTRUCTED) === 0) pieces.push(this.#bytes.subarray(child.start, child.end));
    }
    return Buffer.concat(pieces);
  }

  #indefinite(tag: number, start: number, end: number, nesting: number): Element | undefined {
    if ((tag & CONSTRUCTED) === 0 || nesting > MAX_NESTING) return undefined;
    let at = start;
    while (at + 2 <= end) {
      if (this.#bytes[at] === 0 && this.#bytes[at + 1] === 0) return { tag, start, end: at, next: at + 2 };
      const child = this.element(at, end, nesting + 1);
      if (child === undefined) return undefined;
      at = child.next;
    }
    return undefined;
  }
}

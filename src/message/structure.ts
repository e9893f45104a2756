import { AnomalyLog } from './structure/anomaly-log.js';
import { type ContentFields, readContentFields, type Reading } from './structure/content-fields.js';
import { findDelimiters, guessBoundary, type LooseLine, WorkAllowance } from './structure/delimiters.js';
import { noteMessageHeader, noteRepeatedFields } from './structure/header-anomalies.js';
import { readHeaderBlock } from './structure/header-block.js';
import type { Part, ScanLimits, Structure } from './types.js';

/** Bytes that may be searched, as a multiple of the message: nesting within `maxDepth` needs no more. */
const WORK_FACTOR = 40;
const WORK_FLOOR = 4 * 1024 * 1024;

/** Body encodings under which the tree inside a part cannot be seen in the raw bytes. */
const ENCODED: ReadonlySet<string> = new Set(['base64', 'quoted-printable', 'uuencode', 'x-uuencode', 'x-uue']);

/** Media types whose body is a message of its own (RFC 2046 5.2.1, RFC 6532 3.7). */
export function isEnclosedMessage(type: string): boolean {
  return type === 'message/rfc822' || type === 'message/global' || type === 'message/news';
}

/** A transfer encoding that hides the body's structure until it is decoded. */
export function isEncoded(encoding: string): boolean {
  return ENCODED.has(encoding);
}

/**
 * Reads the MIME tree of a message as byte ranges, in one pass with the native search and without copies. Never
 * throws: whatever the bytes are, the result is a tree, and what is wrong with it stands in `anomalies`.
 *
 * Where fields or boundaries are given twice, contradict the body, or are missing, the parts are looked for under
 * each reading; those of a further reading are marked `alternative`. They may overlap other parts.
 * @param limits `maxDepth` and `maxParts`; passing one is an anomaly
 */
export function readStructure(bytes: Buffer, limits: Pick<ScanLimits, 'maxDepth' | 'maxParts'>): Structure {
  const reader = new TreeReader(bytes, limits.maxDepth, limits.maxParts);
  return reader.read(true);
}

/** Reads the header of the message alone: one part, whatever its type. */
export function readHeaderOnly(bytes: Buffer): Structure {
  return new TreeReader(bytes, 0, 1).read(false);
}

interface OpenPart extends Part {
  readonly children: number[];
}

interface Place {
  readonly parent?: number;
  readonly depth: number;
  readonly defaultType: string;
  /** The part starts a message: its header is held to RFC 5322. */
  readonly isMessage: boolean;
  readonly alternative: boolean;
}

class TreeReader {
  readonly #bytes: Buffer;
  readonly #maxDepth: number;
  readonly #maxParts: number;
  readonly #parts: OpenPart[] = [];
  readonly #log = new AnomalyLog();
  readonly #work: WorkAllowance;
  /** All boundaries that were declared, to tell a nested boundary from a line that only looks like a delimiter. */
  readonly #boundaries = new Set<string>();

  constructor(bytes: Buffer, maxDepth: number, maxParts: number) {
    this.#bytes = bytes;
    this.#maxDepth = maxDepth;
    this.#maxParts = Math.max(1, maxParts);
    this.#work = new WorkAllowance(WORK_FLOOR + WORK_FACTOR * bytes.length);
  }

  read(descend: boolean): Structure {
    const place = { depth: 0, defaultType: 'text/plain', isMessage: true, alternative: false };
    const root = this.#entity(0, this.#bytes.length, place, descend);
    return { parts: this.#parts, root, anomalies: this.#log.list() };
  }

  #entity(start: number, end: number, place: Place, descend: boolean): OpenPart {
    const block = readHeaderBlock(this.#bytes, start, end, this.#log);
    noteRepeatedFields(block.fields, place.isMessage, this.#log);
    if (place.parent === undefined) noteMessageHeader(this.#bytes, block.fields, this.#log);
    const content = readContentFields(this.#bytes, block.fields, place.defaultType, this.#log);
    const part: OpenPart = {
      index: this.#parts.length,
      ...(place.parent === undefined ? {} : { parent: place.parent }),
      children: [],
      depth: place.depth,
      range: { start, end },
      header: block.header,
      fields: block.fields,
      body: { start: block.bodyStart, end },
      type: content.type,
      params: content.params,
      disposition: content.disposition,
      ...(content.filename === undefined ? {} : { filename: content.filename }),
      encoding: content.encoding,
      ...(place.alternative ? { alternative: true } : {}),
    };
    this.#parts.push(part);
    if (descend) this.#descend(part, content, place.alternative);
    return part;
  }

  /** Looks for parts under each reading of the part's type. */
  #descend(part: OpenPart, content: ContentFields, alternative: boolean): void {
    let further = alternative;
    for (const reading of content.readings) {
      if (reading.type.startsWith('multipart/')) this.#multipart(part, reading, further);
      else if (isEnclosedMessage(reading.type)) this.#enclosed(part, further);
      further = true;
    }
  }

  #enclosed(part: OpenPart, alternative: boolean): void {
    if (isEncoded(part.encoding)) return;
    this.#child(part, part.body.start, part.body.end, 'text/plain', alternative, true);
  }

  #multipart(part: OpenPart, reading: Reading, alternative: boolean): void {
    if (isEncoded(part.encoding)) this.#log.add('encoded-multipart', part.encoding);
    const { start, end } = part.body;
    if (reading.boundary === undefined) {
      this.#log.add('missing-boundary');
      this.#guessed(part, reading.type, start, end, alternative);
      return;
    }
    if (reading.boundary.length > 70 || /[^\x20-\x7e]/.test(reading.boundary)) this.#log.add('malformed-boundary');
    if (!this.#split(part, reading.type, reading.boundary, start, end, alternative)) {
      if (start < end) this.#log.add('boundary-not-found');
      this.#guessed(part, reading.type, start, end, alternative);
    }
  }

  /** Parts by a boundary that nobody declared. */
  #guessed(part: OpenPart, type: string, start: number, end: number, alternative: boolean): boolean {
    const boundary = guessBoundary(this.#bytes, start, end, this.#work);
    if (boundary === undefined || this.#boundaries.has(boundary)) return false;
    return this.#split(part, type, boundary, start, end, alternative);
  }

  /** Splits a range at a boundary; false when the boundary never occurs in it. */
  #split(part: OpenPart, type: string, boundary: string, start: number, end: number, alternative: boolean): boolean {
    this.#boundaries.add(boundary);
    const { strict, loose, exhausted } = findDelimiters(this.#bytes, start, end, boundary, this.#work);
    if (exhausted) this.#log.add('too-complex');
    const first = strict[0];
    if (first === undefined) {
      this.#looseParts(part, type, boundary, loose, strict, end);
      return loose.length > 0;
    }
    this.#around(part, type, start, first.before, alternative);
    const childType = type === 'multipart/digest' ? 'message/rfc822' : 'text/plain';
    let closed = false;
    for (let index = 0; index < strict.length; index += 1) {
      const delimiter = strict[index];
      if (delimiter === undefined) break;
      const stop = strict[index + 1]?.before ?? end;
      if (delimiter.closing) {
        closed = true;
        if (index === strict.length - 1) this.#around(part, type, delimiter.next, end, alternative);
        continue;
      }
      if (closed) this.#log.add('parts-after-close');
      if (!this.#child(part, delimiter.next, Math.max(delimiter.next, stop), childType, alternative, false)) break;
    }
    if (!closed) this.#log.add('unclosed-multipart');
    this.#looseParts(part, type, boundary, loose, strict, end);
    return true;
  }

  /** Text before the first and behind the last delimiter is no part, unless it looks like one to somebody. */
  #around(part: OpenPart, type: string, start: number, end: number, alternative: boolean): void {
    const before = this.#parts.length;
    if (end - start > 16) this.#guessed(part, type, start, end, alternative);
    if (this.#parts.length > before) this.#log.add('parts-outside-boundary');
  }

  /**
   * RFC 2046 5.1.1 would have a line that merely starts with the boundary count as a delimiter, and some readers do.
   * What follows such a line is a further part, unless the line is the delimiter of another multipart.
   */
  #looseParts(
    part: OpenPart,
    type: string,
    boundary: string,
    loose: readonly LooseLine[],
    strict: readonly { readonly before: number }[],
    end: number,
  ): void {
    const unexplained = loose.filter(({ rest }) => !this.#isNested(boundary, rest));
    if (unexplained.length === 0) return;
    this.#log.add('ambiguous-boundary');
    const childType = type === 'multipart/digest' ? 'message/rfc822' : 'text/plain';
    let next = 0;
    for (const [index, line] of unexplained.entries()) {
      while ((strict[next]?.before ?? end) < line.next && next < strict.length) next += 1;
      const stop = Math.min(strict[next]?.before ?? end, unexplained[index + 1]?.before ?? end);
      if (!this.#child(part, line.next, Math.max(line.next, stop), childType, true, false)) return;
    }
  }

  #isNested(boundary: string, rest: string): boolean {
    const line = boundary + rest;
    return this.#boundaries.has(line) || (line.endsWith('--') && this.#boundaries.has(line.slice(0, -2)));
  }

  /** Adds a child; false when a bound forbids any further one. */
  #child(
    parent: OpenPart,
    start: number,
    end: number,
    defaultType: string,
    alternative: boolean,
    isMessage: boolean,
  ): boolean {
    if (parent.depth + 1 > this.#maxDepth) {
      this.#log.add('too-deep', `more than ${this.#maxDepth} levels`);
      return false;
    }
    if (this.#parts.length >= this.#maxParts) {
      this.#log.add('too-many-parts', `more than ${this.#maxParts}`);
      return false;
    }
    const place = { parent: parent.index, depth: parent.depth + 1, defaultType, isMessage, alternative };
    parent.children.push(this.#entity(start, end, place, true).index);
    return true;
  }
}

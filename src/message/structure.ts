import { AnomalyLog } from './structure/anomaly-log.js';
import { type ContentFields, readContentFields } from './structure/content-fields.js';
import { findDelimiters, guessBoundary, type LooseLine, startsPart, WorkAllowance } from './structure/delimiters.js';
import { noteMessageHeader, noteRepeatedFields } from './structure/header-anomalies.js';
import { type HeaderBlock, readHeaderBlock } from './structure/header-block.js';
import { hasLongLine } from './structure/long-lines.js';
import type { Reading } from './structure/readings.js';
import { isPlain, tricksIn } from './trick-characters.js';
import type { ByteRange, Part, ScanLimits, Structure } from './types.js';

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
    if (descend && hasLongLine(this.#bytes, root.body.start, root.body.end)) this.#log.add('long-line');
    return { parts: this.#parts, root, anomalies: this.#log.list() };
  }

  #entity(start: number, end: number, place: Place, descend: boolean): OpenPart {
    const block = readHeaderBlock(this.#bytes, start, end, this.#log);
    noteRepeatedFields(block.fields, place.isMessage, this.#log);
    if (place.parent === undefined) noteMessageHeader(this.#bytes, block.fields, this.#log);
    const part = this.#part(block, { start, end }, place, descend);
    if (descend) this.#otherHeaderEnds(part, block, place);
    return part;
  }

  #part(block: HeaderBlock, range: ByteRange, place: Place, descend: boolean): OpenPart {
    const content = readContentFields(this.#bytes, block.fields, place.defaultType, this.#log);
    const otherTypes = content.readings.map(({ type }) => type).filter((type) => type !== content.type);
    const part: OpenPart = {
      index: this.#parts.length,
      ...(place.parent === undefined ? {} : { parent: place.parent }),
      children: [],
      depth: place.depth,
      range,
      header: block.header,
      fields: block.fields,
      body: { start: block.bodyStart, end: range.end },
      type: content.type,
      params: content.params,
      disposition: content.disposition,
      ...(content.filename === undefined ? {} : { filename: content.filename }),
      ...(content.otherNames.length === 0 ? {} : { otherNames: content.otherNames }),
      ...(otherTypes.length === 0 ? {} : { otherTypes }),
      ...(content.otherCharsets.length === 0 ? {} : { otherCharsets: content.otherCharsets }),
      encoding: content.encoding,
      ...(content.otherEncodings.length === 0 ? {} : { otherEncodings: content.otherEncodings }),
      ...(place.alternative ? { alternative: true } : {}),
      kept: {},
    };
    this.#parts.push(part);
    noteFileName(part, this.#log);
    if (descend) this.#descend(part, content, place);
    return part;
  }

  /** Looks for parts under each reading of the part's type. */
  #descend(part: OpenPart, content: ContentFields, place: Place): void {
    let further = place.alternative;
    const before = this.#parts.length;
    for (const reading of content.readings) {
      if (reading.type.startsWith('multipart/')) this.#multipart(part, reading, further);
      else if (isEnclosedMessage(reading.type)) this.#enclosed(part, further);
      further = true;
    }
    // Text that holds parts with a boundary which nobody declared: for some readers an outer or broken multipart.
    if (this.#parts.length > before || part.encoding === 'base64' || hidesParts(part)) return;
    const boundary = guessBoundary(this.#bytes, part.body.start, part.body.end, this.#work);
    if (boundary === undefined || this.#isDeclared(boundary)) return;
    this.#log.add('parts-in-text');
    // A whole message that says it is text is shown as one by everybody, such as the source of another in a bounce.
    if (place.parent === undefined && !content.unreadableType) return;
    this.#split(part, 'multipart/mixed', boundary, part.body.start, part.body.end, true);
  }

  /** Whether a line is a delimiter of a multipart around, or starts like one: then it is looked at there. */
  #isDeclared(line: string): boolean {
    for (const boundary of this.#boundaries) if (line.startsWith(boundary)) return true;
    return false;
  }

  /** What the part is for readers that see its header end at another place. */
  #otherHeaderEnds(part: OpenPart, block: HeaderBlock, place: Place): void {
    const { start, end } = part.range;
    if (block.fields.length === 0 && part.body.start > start && this.#startsWithFields(part.body.start, end)) {
      this.#log.add('blank-line-before-header');
      this.#child(part, part.body.start, end, place.defaultType, true, false);
      return;
    }
    const other = block.otherBodyStart;
    if (other === undefined || !this.#mayAdd(part)) return;
    const fields = block.fields.filter((field) => field.range.start < other);
    // Without content fields the part would be plain text and hide nothing.
    if (!fields.some(({ key }) => key.startsWith('content-'))) return;
    const earlier = { fields, header: { start, end: other }, bodyStart: other };
    const inside = { ...place, parent: part.index, depth: part.depth + 1, alternative: true };
    part.children.push(this.#part(earlier, part.range, inside, true).index);
  }

  #startsWithFields(start: number, end: number): boolean {
    const text = this.#bytes.toString('latin1', start, Math.min(end, start + 512));
    return /^(?:[ \t]*\r?\n){0,4}(?:[!-9;-~]+:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*){0,8}content-[a-z-]+[ \t]*:/i.test(
      text,
    );
  }

  #enclosed(part: OpenPart, alternative: boolean): void {
    if (isEncoded(part.encoding)) {
      this.#log.add('encoded-message', part.encoding);
      return;
    }
    this.#child(part, part.body.start, part.body.end, 'text/plain', alternative, true);
  }

  #multipart(part: OpenPart, reading: Reading, alternative: boolean): void {
    if (isEncoded(part.encoding)) this.#log.add('encoded-multipart', part.encoding);
    const { start, end } = part.body;
    const { boundary } = reading;
    if (boundary === undefined) {
      this.#log.add('missing-boundary');
      this.#guessed(part, reading.type, start, end, alternative);
      return;
    }
    if (isOddBoundary(boundary) && reading.unlikely !== true) this.#log.add('malformed-boundary');
    if (this.#split(part, reading.type, boundary, start, end, alternative)) {
      if (reading.unlikely === true) this.#log.add('ambiguous-boundary');
      return;
    }
    if (reading.unlikely === true) return;
    if (start < end) this.#log.add('boundary-not-found');
    if (!hidesParts(part)) this.#guessed(part, reading.type, start, end, alternative);
  }

  /** Parts by a boundary that nobody declared. */
  #guessed(part: OpenPart, type: string, start: number, end: number, alternative: boolean): boolean {
    const boundary = guessBoundary(this.#bytes, start, end, this.#work);
    if (boundary === undefined || this.#boundaries.has(boundary)) return false;
    return this.#split(part, type, boundary, start, end, alternative);
  }

  /** Splits a range at a boundary; false when the boundary never occurs in it. */
  #split(part: OpenPart, type: string, boundary: string, start: number, end: number, alternative: boolean): boolean {
    const { strict, loose, exhausted } = findDelimiters(this.#bytes, start, end, boundary, this.#work);
    if (!alternative && strict.length > 0 && this.#isRepeated(part, boundary)) this.#log.add('repeated-boundary');
    this.#boundaries.add(boundary);
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
        this.#around(part, type, delimiter.next, stop, alternative);
        // Who looks for the start of a delimiter alone takes this one for the start of a part.
        if (!startsPart(this.#bytes.subarray(0, stop), delimiter.next)) continue;
        this.#log.add('parts-after-close');
        if (!this.#child(part, delimiter.next, stop, childType, true, false)) break;
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
    if (end - start <= 16) return;
    const before = this.#parts.length;
    const boundary = guessBoundary(this.#bytes, start, end, this.#work);
    if (boundary !== undefined) this.#split(part, type, boundary, start, end, alternative);
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
    // Odd white space alone is behind it: the line is this boundary's own.
    if (rest === '') return false;
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
    if (!this.#mayAdd(parent)) return false;
    const place = { parent: parent.index, depth: parent.depth + 1, defaultType, isMessage, alternative };
    parent.children.push(this.#entity(start, end, place, true).index);
    return true;
  }

  /** Whether the bounds let the part have a further child. */
  #mayAdd(parent: OpenPart): boolean {
    if (parent.depth + 1 > this.#maxDepth) {
      this.#log.add('too-deep', `more than ${this.#maxDepth} levels`);
      return false;
    }
    if (this.#parts.length >= this.#maxParts) {
      this.#log.add('too-many-parts', `more than ${this.#maxParts}`);
      return false;
    }
    return true;
  }

  /** Whether one of the multiparts around the part has the same boundary. */
  #isRepeated(part: OpenPart, boundary: string): boolean {
    if (!this.#boundaries.has(boundary)) return false;
    for (let above = part.parent; above !== undefined; above = this.#parts[above]?.parent) {
      if (this.#parts[above]?.params.get('boundary') === boundary) return true;
    }
    return false;
  }
}

/** The parts show when the encoding is undone: in the raw bytes all would be read in its coded form. */
function hidesParts({ type, encoding }: Part): boolean {
  return isEncoded(encoding) && (type.startsWith('multipart/') || isEnclosedMessage(type));
}

/** More than 70 characters, or with characters that none may have (RFC 2046 5.1.1). */
function isOddBoundary(boundary: string): boolean {
  return boundary.length > 70 || boundary === '' || /[^\x20-\x7e]|^ |[\\"]/.test(boundary);
}

/** Names in which something is hidden from whoever reads them. */
function noteFileName({ filename, otherNames }: Part, log: AnomalyLog): void {
  if (filename === undefined && otherNames === undefined) return;
  for (const name of [filename ?? '', ...(otherNames ?? [])]) {
    if (!isPlain(name)) for (const trick of tricksIn(name, true)) log.add(trick, 'file name');
  }
}

import type { ByteRange, HeaderField } from '../types.js';
import type { AnomalyLog } from './anomaly-log.js';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

/** RFC 5322 2.1.1. */
const MAX_LINE = 998;
const MAX_NAME = 256;
/** A header block beyond this size is worth a mark, though it is read. */
const LARGE_HEADER = 256 * 1024;
/** Fields that one block may have; what follows is skipped and noted. */
const MAX_FIELDS = 5000;

export interface HeaderBlock {
  readonly fields: readonly HeaderField[];
  /** All fields with their line ends, without the empty line. */
  readonly header: ByteRange;
  /** Where the body starts: behind the empty line, or the end of the range when there is none. */
  readonly bodyStart: number;
  /**
   * Where a reader sees the header end that is less patient: at a line that is no field, or behind a folded line of
   * white space alone. Absent when all agree.
   */
  readonly otherBodyStart?: number;
}

/**
 * Reads the header fields at the start of a range (RFC 5322 2.2), in one pass over their bytes.
 * A line that is no field is skipped and noted, as most clients do; where no empty line ends the header, the body
 * starts at the first such line.
 */
export function readHeaderBlock(bytes: Buffer, start: number, end: number, log: AnomalyLog): HeaderBlock {
  const fields: HeaderField[] = [];
  let position = start;
  let firstBad = -1;
  let fieldStart = -1;
  let colon = -1;
  let name = '';
  let fieldEnd = start;
  let valueEnd = start;
  let blankFold = -1;

  const finish = (): void => {
    if (fieldStart < 0) return;
    fields.push({
      name,
      key: name.toLowerCase(),
      range: { start: fieldStart, end: fieldEnd },
      value: { start: colon + 1, end: valueEnd },
    });
    fieldStart = -1;
  };

  while (position < end) {
    const feed = bytes.indexOf(LF, position);
    const next = feed < 0 || feed >= end ? end : feed + 1;
    let stop = next;
    if (stop > position && bytes[stop - 1] === LF) stop -= 1;
    if (stop > position && bytes[stop - 1] === CR) stop -= 1;
    if (stop === position) {
      finish();
      noteSize(start, position, log);
      const other = earlierEnd(firstBad > start ? firstBad : -1, blankFold);
      return {
        fields,
        header: { start, end: position },
        bodyStart: next,
        ...(other < 0 ? {} : { otherBodyStart: other }),
      };
    }
    if (stop - position > MAX_LINE) log.add('long-header-line');
    const first = bytes[position];
    if (first === SPACE || first === TAB) {
      if (fieldStart >= 0) {
        if (isBlank(bytes, position, stop)) {
          log.add('blank-folded-line', name);
          if (blankFold < 0) blankFold = next;
        }
        fieldEnd = next;
        valueEnd = stop;
      } else {
        log.add('malformed-header', 'a continuation line without a field');
        if (firstBad < 0) firstBad = position;
      }
    } else {
      finish();
      const found = colonOf(bytes, position, stop, log);
      if (found < 0) {
        noteBadLine(bytes, position, start, log);
        if (firstBad < 0) firstBad = position;
      } else if (fields.length >= MAX_FIELDS) {
        log.add('too-many-fields');
        const skipped = emptyLineBehind(bytes, position, end);
        return { fields, header: { start, end: skipped.header }, bodyStart: skipped.body };
      } else {
        fieldStart = position;
        colon = found;
        name = bytes.toString('latin1', position, found).trimEnd();
        fieldEnd = next;
        valueEnd = stop;
      }
    }
    position = next;
  }
  finish();
  if (firstBad < 0) return { fields, header: { start, end: position }, bodyStart: end };
  // No empty line: what does not look like a field is the body (RFC 5322 knows no such thing, clients show it).
  log.add('missing-header-end');
  return {
    fields: fields.filter((field) => field.range.start < firstBad),
    header: { start, end: firstBad },
    bodyStart: firstBad,
  };
}

function earlierEnd(a: number, b: number): number {
  return a < 0 || b < 0 ? Math.max(a, b) : Math.min(a, b);
}

/** Position of the colon, or -1 when the line is no field. */
function colonOf(bytes: Buffer, start: number, end: number, log: AnomalyLog): number {
  const bound = Math.min(end, start + MAX_NAME);
  for (let at = start; at < bound; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) return -1;
    if (byte === COLON) return at > start ? at : -1;
    if (byte === SPACE || byte === TAB) {
      let behind = at + 1;
      while (behind < bound && (bytes[behind] === SPACE || bytes[behind] === TAB)) behind += 1;
      if (bytes[behind] !== COLON || behind >= end) return -1;
      log.add('space-before-colon', bytes.toString('latin1', start, at));
      return behind;
    }
    if (byte < 0x21 || byte > 0x7e) return -1;
  }
  return -1;
}

function noteBadLine(bytes: Buffer, position: number, start: number, log: AnomalyLog): void {
  if (position === start && bytes.toString('latin1', position, position + 5) === 'From ') log.add('mbox-from');
  else log.add('malformed-header', 'a line without a field name');
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    if (bytes[at] !== SPACE && bytes[at] !== TAB) return false;
  }
  return true;
}

function noteSize(start: number, end: number, log: AnomalyLog): void {
  if (end - start > LARGE_HEADER) log.add('large-header', `${end - start} bytes`);
}

/** The end of a header block that is not worth reading line by line. */
function emptyLineBehind(bytes: Buffer, from: number, end: number): { header: number; body: number } {
  const view = bytes.subarray(from, end);
  const crlf = view.indexOf('\n\r\n');
  const bare = view.indexOf('\n\n');
  if (crlf < 0 && bare < 0) return { header: end, body: end };
  return crlf >= 0 && (bare < 0 || crlf < bare)
    ? { header: from + crlf + 1, body: from + crlf + 3 }
    : { header: from + bare + 1, body: from + bare + 2 };
}

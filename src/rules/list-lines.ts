const LF = 0x0a;
const CR = 0x0d;
const HASH = 0x23;

/** An entry of a list file: where it stands in the bytes, and on which line. */
export interface ListLine {
  /** Position of the line's first byte. */
  lineStart: number;
  /** Position behind its last byte, without its end. */
  lineEnd: number;
  /** The entry itself, without spaces and comment. */
  start: number;
  end: number;
  /** From 1 on. */
  line: number;
}

/**
 * Visits the entries of a list: one a line, `#` starts a comment. The object handed out is the same each time: a million
 * lines are not to make a million objects.
 */
export function visitLines(bytes: Buffer, visit: (line: ListLine) => void): void {
  const at: ListLine = { lineStart: 0, lineEnd: 0, start: 0, end: 0, line: 0 };
  const size = bytes.length;
  let position = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (position < size) {
    at.line++;
    at.lineStart = position;
    let end = -1;
    while (position < size) {
      const byte = bytes[position];
      if (byte === LF || byte === CR) break;
      if (byte === HASH && end < 0) end = position;
      position++;
    }
    at.lineEnd = position;
    at.start = at.lineStart;
    at.end = end < 0 ? position : end;
    while (at.start < at.end && (bytes[at.start] ?? 0) <= 0x20) at.start++;
    while (at.end > at.start && (bytes[at.end - 1] ?? 0) <= 0x20) at.end--;
    if (bytes[position] === CR && bytes[position + 1] === LF) position++;
    position++;
    if (at.start < at.end) visit(at);
  }
}

/**
 * Whether the entry is an address of plain letters, digits and the usual signs, or `*@` before such a domain: nothing in
 * it needs a second look.
 */
export function isPlainEntry(bytes: Buffer, start: number, end: number): boolean {
  let at = -1;
  let before = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === AT) {
      if (at >= 0 || i === start || i === end - 1) return false;
      at = i;
    } else if (byte === DOT) {
      if (at >= 0 && (before === DOT || before === AT || i === end - 1)) return false;
    } else if (byte === STAR) {
      if (i !== start || bytes[i + 1] !== AT) return false;
    } else if (byte === DASH) {
      // It may be an international name, whose other form is looked up as well.
      if (at >= 0 && before === DASH) return false;
    } else if (!isWordByte(byte) && (at >= 0 || (byte !== PLUS && byte !== EQUALS))) return false;
    before = byte;
  }
  return at >= 0 && end - start <= MAX_ADDRESS;
}

const AT = 0x40;
const DOT = 0x2e;
const STAR = 0x2a;
const DASH = 0x2d;
const PLUS = 0x2b;
const EQUALS = 0x3d;
const MAX_ADDRESS = 254;

function isWordByte(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f;
}

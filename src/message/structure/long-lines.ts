const LF = 0x0a;
/** RFC 5322 2.1.1: characters of a line, without its CRLF. */
const MAX_LINE = 998;

/**
 * Whether a range has a line of more than 998 bytes. Looks backwards from where a line would have to end, so that
 * ordinary text costs a look at every twelfth line or so.
 */
export function hasLongLine(bytes: Buffer, start: number, end: number): boolean {
  let lineStart = start;
  while (end - lineStart > MAX_LINE + 2) {
    const feed = bytes.lastIndexOf(LF, lineStart + MAX_LINE + 1);
    if (feed < lineStart) return true;
    lineStart = feed + 1;
  }
  return false;
}

/** RFC 2045 6.7 (5). */
const MAX_LINE = 76;
/** Lines that stay as they are. */
const PLAIN = /^(?!\.|From )[\t\x20-\x3c\x3e-\x7e]*(?<![\t ])$/;
const HEX: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`,
);

/**
 * Quoted-printable (RFC 2045 6.7) of bytes or of text, whose lines end in CRLF. No encoded byte is torn apart; a line
 * that begins with a dot or with `From ` is encoded there, since such lines are changed on the way.
 */
export function quotedPrintable(text: string | Buffer): string {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return bytes
    .toString('latin1')
    .split('\r\n')
    .map((line) => {
      if (line.length <= MAX_LINE && PLAIN.test(line)) return line;
      const encoded = line
        .replace(/[^\t\x20-\x3c\x3e-\x7e]/g, hex)
        .replace(/[\t ]$/, hex)
        .replace(/^(?:\.|F(?=rom ))/, hex);
      return softBroken(encoded);
    })
    .join('\r\n');
}

function hex(character: string): string {
  return HEX[character.charCodeAt(0)] ?? character;
}

/** Lines of at most 76 characters; an encoded byte is not torn apart. */
function softBroken(line: string): string {
  const pieces: string[] = [];
  let start = 0;
  while (line.length - start > MAX_LINE) {
    const equals = line.lastIndexOf('=', start + MAX_LINE - 2);
    const end = equals > start + MAX_LINE - 4 ? equals : start + MAX_LINE - 1;
    pieces.push(`${line.slice(start, end)}=`);
    start = end;
  }
  return [...pieces, line.slice(start)].join('\r\n');
}

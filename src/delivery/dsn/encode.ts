/** RFC 5322 2.1.1: where lines should end, and the most that they may have, octets. */
const SOFT = 76;
const HARD = 900;

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
      const encoded = line
        .replace(/[^\t\x20-\x3c\x3e-\x7e]/g, (character) => hex(character))
        .replace(/[\t ]$/, hex)
        .replace(/^(?:\.|F(?=rom ))/, hex);
      return softBroken(encoded);
    })
    .join('\r\n');
}

/** A field, folded at spaces where it is long; words that are too long for any line are cut. */
export function foldField(field: string): string {
  const lines: string[] = [];
  let line = '';
  for (const long of field.split(' ')) {
    const word = Buffer.byteLength(long) > HARD ? long.slice(0, HARD / 4) : long;
    if (line.trim() !== '' && Buffer.byteLength(line) + Buffer.byteLength(word) + 1 > SOFT) {
      lines.push(line);
      line = ` ${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\r\n');
}

/** Other characters than printable ASCII as `?`. */
export function asciiOnly(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, '?');
}

/** RFC 5322 3.3, in UTC. */
export function dateField(time: Date): string {
  return time.toUTCString().replace('GMT', '+0000');
}

function hex(character: string): string {
  return `=${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** Lines of at most 76 characters; an encoded byte is not torn apart. */
function softBroken(line: string): string {
  const pieces: string[] = [];
  let rest = line;
  while (rest.length > SOFT) {
    const equals = rest.lastIndexOf('=', SOFT - 2);
    const end = equals > SOFT - 4 ? equals : SOFT - 1;
    pieces.push(`${rest.slice(0, end)}=`);
    rest = rest.slice(end);
  }
  return [...pieces, rest].join('\r\n');
}

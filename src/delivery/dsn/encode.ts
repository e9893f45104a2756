/** RFC 5322 2.1.1: where lines should end, and the most that they may have, octets. */
const SOFT = 76;
const HARD = 900;

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

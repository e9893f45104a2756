import type { Content } from '../message/source.js';

/** Header blocks are taken up to this size, bytes. */
const MAX_HEADER = 64 * 1024;

/** The header of a message, with the end of its last line, as bytes in Latin-1; cut at 64 KiB. */
export async function headerOf(content: Content): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of content.read()) {
    bytes = Buffer.concat([bytes, chunk]);
    const end = bytes.indexOf('\r\n\r\n');
    if (end >= 0 && end <= MAX_HEADER) return bytes.subarray(0, end + 2);
    if (bytes.length > MAX_HEADER) break;
  }
  const cut = bytes.subarray(0, MAX_HEADER);
  const lastLine = cut.lastIndexOf('\r\n');
  return lastLine < 0 ? cut : cut.subarray(0, lastLine + 2);
}

/** Quoted-printable of text with CRLF line ends (RFC 2045 6.7). */
export function quotedPrintable(text: string | Buffer): string {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return bytes
    .toString('latin1')
    .split('\r\n')
    .map((line) => {
      const encoded = line
        .replace(/[^\t\x20-\x3c\x3e-\x7e]/g, (character) => hex(character.charCodeAt(0)))
        .replace(/[\t ]$/, (space) => hex(space.charCodeAt(0)));
      return softBroken(encoded);
    })
    .join('\r\n');
}

/** `rfc822; address`, or `utf-8; address` with what is not ASCII as `\x{...}` (RFC 6533 3). */
export function typedAddress(address: string): string {
  if (!/[^\x20-\x7e]/.test(address)) return `rfc822; ${address}`;
  const encoded = Array.from(address, (character) =>
    /[!-*,-<>-[\]-~]/.test(character)
      ? character
      : `\\x{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`,
  );
  return `utf-8; ${encoded.join('')}`;
}

/** Text behind xtext (RFC 3461 4); undefined when that is broken or hides control characters. */
export function decodeXtext(text: string): string | undefined {
  if (!/^(?:[!-*,-<>-~]|\+[0-9A-F]{2})+$/.test(text)) return undefined;
  const plain = text.replace(/\+([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return /[^\x20-\x7e]/.test(plain) ? undefined : plain;
}

/** A field in ASCII, other characters as `?`, folded at spaces where it is long. */
export function foldAscii(field: string): string {
  const ascii = field.replace(/[^\x20-\x7e]/g, '?');
  const lines: string[] = [];
  let line = '';
  for (const word of ascii.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > 76) {
      lines.push(line);
      line = ` ${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\r\n');
}

function hex(code: number): string {
  return `=${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** Lines of at most 76 characters; an encoded byte is not torn apart. */
function softBroken(line: string): string {
  const pieces: string[] = [];
  let rest = line;
  while (rest.length > 76) {
    const equals = rest.lastIndexOf('=', 74);
    const end = equals > 72 ? equals : 75;
    pieces.push(`${rest.slice(0, end)}=`);
    rest = rest.slice(end);
  }
  return [...pieces, rest].join('\r\n');
}

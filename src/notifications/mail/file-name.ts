import { fieldText } from './fields.js';
import type { MailCharset } from './charset.js';

const MAX_VALUE = 60;
const MAX_NAME = 120;

/**
 * The parameter with the name of a file: quoted where it is ASCII and short, else by RFC 2231, in pieces where it is long.
 * No path and nothing that a system would not take in a name.
 */
export function fileNameParameter(parameter: string, name: string, charset: MailCharset): string {
  const clean = fieldText(name).replace(/[\\/:*?"<>|]/g, '_');
  const points = Array.from(charset.writable(clean).replace(/[?*]/g, '_'));
  const value =
    points.length <= MAX_NAME
      ? points.join('')
      : points
          .slice(0, MAX_NAME / 2)
          .concat('_', ...points.slice(-MAX_NAME / 2))
          .join('');
  if (/^[\x20-\x7e]*$/.test(value) && value.length <= MAX_VALUE) return `;\r\n\t${parameter}="${value}"`;
  const pieces: string[] = [`${charset.mime}''`];
  for (const character of value) {
    const piece = Array.from(charset.bytes(character), percent).join('');
    const last = pieces.at(-1) ?? '';
    if (last.length + piece.length > MAX_VALUE) pieces.push(piece);
    else pieces[pieces.length - 1] = last + piece;
  }
  if (pieces.length === 1) return `;\r\n\t${parameter}*=${pieces.join('')}`;
  return pieces.map((piece, index) => `;\r\n\t${parameter}*${index.toString()}*=${piece}`).join('');
}

function percent(byte: number): string {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9._-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

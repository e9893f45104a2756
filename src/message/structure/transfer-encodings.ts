import { decodeWords } from '../decode/words.js';
import type { AnomalyLog } from './anomaly-log.js';
import { parseParameters } from './parameters.js';

const MAX_ENCODINGS = 3;
const ENCODINGS: ReadonlySet<string> = new Set([
  '7bit',
  '8bit',
  'binary',
  'base64',
  'quoted-printable',
  'uuencode',
  'x-uuencode',
  'x-uue',
]);

/** Whether the encoding is one that this program undoes, or one that changes nothing. */
export function isKnownEncoding(encoding: string): boolean {
  return ENCODINGS.has(encoding);
}

/**
 * Reads one Content-Transfer-Encoding field (RFC 2045 6.1) and adds the encodings that readers may see in it: its first
 * word, and any known one that stands elsewhere in it.
 * @param raw unfolded
 */
export function readTransferEncoding(raw: string, encodings: string[], log: AnomalyLog): void {
  const lower = raw.toLowerCase();
  if (ENCODINGS.has(lower)) {
    add(encodings, lower);
    return;
  }
  const word = parseParameters(raw).value.replace(/^"|"$/g, '').trim().toLowerCase();
  if (word === '') {
    if (raw !== '') log.add('malformed-transfer-encoding', raw);
  } else {
    add(encodings, word);
    log.add(ENCODINGS.has(word) ? 'malformed-transfer-encoding' : 'unknown-transfer-encoding', raw);
  }
  const text = lower.includes('=?') ? decodeWords(lower) : lower;
  for (const known of ['base64', 'quoted-printable', 'uuencode']) if (text.includes(known)) add(encodings, known);
}

function add(encodings: string[], encoding: string): void {
  if (encodings.length < MAX_ENCODINGS && !encodings.includes(encoding)) encodings.push(encoding);
}

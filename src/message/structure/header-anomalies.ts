import { parseAddresses } from '../addresses.js';
import { rawValue } from '../decode/header-text.js';
import type { HeaderField } from '../types.js';
import type { AnomalyLog } from './anomaly-log.js';

/** Fields that may stand once in a message (RFC 5322 3.6, RFC 2045 3). */
const SINGLE_IN_MESSAGE: ReadonlySet<string> = new Set([
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'subject',
  'date',
  'message-id',
  'in-reply-to',
  'references',
  'mime-version',
]);
const SINGLE_IN_PART: ReadonlySet<string> = new Set([
  'content-type',
  'content-transfer-encoding',
  'content-disposition',
  'content-id',
]);

/** Notes fields that stand more often than they may: readers differ on which one counts. */
export function noteRepeatedFields(fields: readonly HeaderField[], isMessage: boolean, log: AnomalyLog): void {
  let seen: Set<string> | undefined;
  for (const { key } of fields) {
    if (!SINGLE_IN_PART.has(key) && !(isMessage && SINGLE_IN_MESSAGE.has(key))) continue;
    seen ??= new Set();
    if (seen.has(key)) log.add(`duplicate-${key}`);
    seen.add(key);
  }
}

/** Oddities of the message's own header: 8-bit characters, no From or several senders in it. */
export function noteMessageHeader(bytes: Buffer, fields: readonly HeaderField[], log: AnomalyLog): void {
  let from = false;
  for (const { key, name, value } of fields) {
    if (key === 'from') from = true;
    if (hasHighByte(bytes, value.start, Math.min(value.end, value.start + 2000))) log.add('eight-bit-header', name);
    if (key !== 'from') continue;
    const raw = rawValue(bytes, value);
    if (hasControl(raw)) log.add('control-character', name);
    if (/[,;]/.test(raw) && parseAddresses(raw).length > 1) log.add('multiple-from');
  }
  if (!from) log.add('missing-from');
}

function hasHighByte(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    if ((bytes[at] ?? 0) > 0x7f) return true;
  }
  return false;
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
  }
  return false;
}

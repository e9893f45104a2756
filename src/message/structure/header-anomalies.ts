import type { AnomalyName } from '../anomalies.js';
import { parseAddresses, readAddressList } from '../addresses.js';
import { decodeRaw, rawValue } from '../decode/header-text.js';
import { decodeWords } from '../decode/words.js';
import { isPlain, tricksIn } from '../trick-characters.js';
import type { HeaderField } from '../types.js';
import type { AnomalyLog } from './anomaly-log.js';
import { hasOverlong } from './overlong.js';

/** Fields that may stand once in a message (RFC 5322 3.6, RFC 2045 3). */
const SINGLE_IN_MESSAGE: ReadonlyMap<string, AnomalyName> = new Map([
  ['from', 'duplicate-from'],
  ['sender', 'duplicate-sender'],
  ['reply-to', 'duplicate-reply-to'],
  ['to', 'duplicate-to'],
  ['cc', 'duplicate-cc'],
  ['bcc', 'duplicate-bcc'],
  ['subject', 'duplicate-subject'],
  ['date', 'duplicate-date'],
  ['message-id', 'duplicate-message-id'],
  ['in-reply-to', 'duplicate-in-reply-to'],
  ['references', 'duplicate-references'],
  ['mime-version', 'duplicate-mime-version'],
]);
const SINGLE_IN_PART: ReadonlyMap<string, AnomalyName> = new Map([
  ['content-type', 'duplicate-content-type'],
  ['content-transfer-encoding', 'duplicate-content-transfer-encoding'],
  ['content-disposition', 'duplicate-content-disposition'],
  ['content-id', 'duplicate-content-id'],
]);
/** Fields that people read, or that programs answer to. */
const ADDRESSES: ReadonlySet<string> = new Set(['from', 'sender', 'reply-to', 'to', 'cc']);
/** Characters of one value that are looked at. */
const MAX_LOOK = 64 * 1024;

/** Notes fields that stand more often than they may: readers differ on which one counts. */
export function noteRepeatedFields(fields: readonly HeaderField[], isMessage: boolean, log: AnomalyLog): void {
  let seen: Set<string> | undefined;
  for (const { key } of fields) {
    const anomaly = SINGLE_IN_PART.get(key) ?? (isMessage ? SINGLE_IN_MESSAGE.get(key) : undefined);
    if (anomaly === undefined) continue;
    seen ??= new Set();
    if (seen.has(key)) log.add(anomaly);
    seen.add(key);
  }
}

/** Oddities of the message's own header: odd characters, no From or several senders in it. */
export function noteMessageHeader(bytes: Buffer, fields: readonly HeaderField[], log: AnomalyLog): void {
  let from = false;
  for (const { key, name, value } of fields) {
    if (hasHighByte(bytes, value.start, Math.min(value.end, value.start + 2000))) {
      log.add('eight-bit-header', name);
      if (hasOverlong(bytes.subarray(value.start, Math.min(value.end, value.start + 2000))))
        log.add('overlong-utf8', name);
    }
    const isAddress = ADDRESSES.has(key);
    if (!isAddress && key !== 'subject') continue;
    const raw = rawValue(bytes, value).slice(0, MAX_LOOK);
    noteTricks(raw, name, isAddress, log);
    if (key !== 'from' && key !== 'sender') continue;
    if (key === 'from') from = true;
    const { list, malformed } = readAddressList(raw);
    if (list.length > 1) log.add(key === 'from' ? 'multiple-from' : 'multiple-sender');
    if (key === 'from' && (malformed || list.length === 0)) log.add('malformed-from');
  }
  if (!from) log.add('missing-from');
}

/** Characters that make a name or an address look like another one; in encoded words as well. */
function noteTricks(raw: string, field: string, isAddress: boolean, log: AnomalyLog): void {
  if (isPlain(raw) && !raw.includes('=?')) return;
  const text = decodeRaw(raw);
  for (const trick of tricksIn(text, false)) log.add(trick, field);
  if (raw.includes('=?')) for (const trick of tricksIn(decodeWords(text), false)) log.add(trick, field);
  if (!isAddress) return;
  for (const { address } of parseAddresses(raw)) {
    if (!isPlain(address)) for (const trick of tricksIn(address, true)) log.add(trick, field);
  }
}

function hasHighByte(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    if ((bytes[at] ?? 0) > 0x7f) return true;
  }
  return false;
}

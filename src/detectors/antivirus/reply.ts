import { DetectorError } from '../failure.js';
import type { DatabaseInfo } from '../types.js';

/** What clamd says about one stream. */
export type ScanReply =
  | { readonly kind: 'clean' }
  | { readonly kind: 'found'; readonly threat: string }
  /** The stream is larger than clamd's StreamMaxLength. */
  | { readonly kind: 'limit' }
  /** clamd could not scan it; its own words, for the log alone. */
  | { readonly kind: 'failed'; readonly reason: string };

/** What a threat's name means: heuristics (clamd.conf AlertEncrypted, AlertOLE2Macros, AlertExceedsMax) are no malware. */
export type ThreatStatus = 'infected' | 'encrypted' | 'macro' | 'limit';

const NOT_A_VERDICT = 'the engine answered something that is no verdict';

/**
 * Reads the reply to INSTREAM (clamd(8)).
 * @param text without the number of the session's command and without the final NUL
 * @throws DetectorError when it is no such reply
 */
export function parseScanReply(text: string): ScanReply {
  if (text === 'stream: OK') return { kind: 'clean' };
  const found = /^stream: ([^\x00-\x1f\x7f]+) FOUND$/.exec(text)?.[1];
  if (found !== undefined) return { kind: 'found', threat: threatName(found) };
  if (/^(?:stream: )?INSTREAM size limit exceeded\.? ERROR$/i.test(text)) return { kind: 'limit' };
  if (/ ERROR$|^UNKNOWN COMMAND$/.test(text)) return { kind: 'failed', reason: text };
  throw new DetectorError(NOT_A_VERDICT);
}

/** Without the sum and size that ExtendedDetectionInfo puts behind it. */
function threatName(text: string): string {
  return text.replace(/\([0-9a-f]{32}:\d+\)$/i, '').trim() || text;
}

export function statusOf(threat: string): ThreatStatus {
  if (/^Heuristics\.Encrypted\./i.test(threat)) return 'encrypted';
  if (/^Heuristics\.OLE2\.ContainsMacros/i.test(threat)) return 'macro';
  if (/^Heuristics\.Limits\.Exceeded/i.test(threat)) return 'limit';
  return 'infected';
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * Reads the reply to VERSION: `ClamAV 1.0.7/27000/Sat Nov 21 10:00:00 2026`. The date is in clamd's time zone, which it
 * does not say; that of this machine is taken.
 * @returns undefined when clamd names no databases, as with signatures of one's own alone
 * @throws DetectorError when it is no such reply
 */
export function parseVersion(text: string): DatabaseInfo | undefined {
  const match = /^ClamAV ([^/\x00-\x1f\x7f]{1,64})(?:\/(\d{1,9})\/([\w :]{1,40}))?$/.exec(text.trim());
  if (match === null) throw new DetectorError('the engine answered something that is no version');
  const [, , version, date] = match;
  if (version === undefined || date === undefined) return undefined;
  const parts = /^\w{3} +(\w{3}) +(\d{1,2}) +(\d\d):(\d\d):(\d\d) +(\d{4})$/.exec(date.trim());
  const month = MONTHS.indexOf(parts?.[1] ?? '');
  if (parts === null || month < 0) throw new DetectorError('the engine answered a date that cannot be read');
  const [, , day, hours, minutes, seconds, year] = parts.map(Number);
  return { version, date: new Date(year ?? 0, month, day, hours, minutes, seconds) };
}

import { decodeCharset } from '../decode/charset.js';
import { decodeRaw, rawValue } from '../decode/header-text.js';
import { decodeWords } from '../decode/words.js';
import type { HeaderField } from '../types.js';
import type { AnomalyLog } from './anomaly-log.js';
import { type ParsedValue, parseParameters } from './parameters.js';

/** One way in which a reader may understand the Content-Type of a part. */
export interface Reading {
  readonly type: string;
  /** The boundary as bytes, one character each; absent when none is given. */
  readonly boundary?: string;
}

/** What the Content-* fields of a part say. */
export interface ContentFields {
  readonly type: string;
  readonly params: ReadonlyMap<string, string>;
  readonly disposition: string;
  readonly filename?: string;
  readonly encoding: string;
  /** The first one is what `type` says; more where fields or parameters are repeated. */
  readonly readings: readonly Reading[];
}

const MAX_READINGS = 4;
const NO_PARAMS: ReadonlyMap<string, string> = new Map();
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

/**
 * Reads Content-Type, Content-Disposition and Content-Transfer-Encoding. Where a field stands twice the first one
 * counts, and the others are further readings.
 * @param defaultType media type where none is given: message/rfc822 inside multipart/digest (RFC 2046 5.1.5)
 */
export function readContentFields(
  bytes: Buffer,
  fields: readonly HeaderField[],
  defaultType: string,
  log: AnomalyLog,
): ContentFields {
  let first: { readonly type: string; readonly params: ReadonlyMap<string, string> } | undefined;
  let disposition: string | undefined;
  let dispositionParams = NO_PARAMS;
  let encoding: string | undefined;
  const readings: Reading[] = [];
  for (const { key, value } of fields) {
    if (!key.startsWith('content-')) continue;
    if (key === 'content-type') {
      const parsed = parseField(rawValue(bytes, value), 'Content-Type', log);
      const type = mediaType(parsed.value, defaultType, log);
      addReadings(readings, type, parsed);
      first ??= { type, params: decodeParams(parsed, 'Content-Type', log) };
    } else if (key === 'content-disposition') {
      if (disposition !== undefined) continue;
      const parsed = parseField(rawValue(bytes, value), 'Content-Disposition', log);
      disposition = parsed.value.toLowerCase();
      dispositionParams = decodeParams(parsed, 'Content-Disposition', log);
    } else if (key === 'content-transfer-encoding' && encoding === undefined) {
      encoding = transferEncoding(rawValue(bytes, value));
      if (!ENCODINGS.has(encoding)) log.add('unknown-transfer-encoding', encoding);
    }
  }
  const { type, params } = first ?? { type: defaultType, params: NO_PARAMS };
  if (readings.length === 0) readings.push({ type });
  const filename = dispositionParams.get('filename') ?? params.get('name');
  noteNames(dispositionParams.get('filename'), params.get('name'), log);
  return {
    type,
    params,
    disposition: disposition ?? '',
    ...(filename === undefined ? {} : { filename }),
    encoding: encoding === undefined || encoding === '' ? '7bit' : encoding,
    readings,
  };
}

/** The name of an encoding without comments, quotes and what follows it. */
export function transferEncoding(raw: string): string {
  return parseParameters(raw).value.replace(/^"|"$/g, '').trim().toLowerCase();
}

function parseField(raw: string, field: string, log: AnomalyLog): ParsedValue {
  const parsed = parseParameters(raw);
  if (parsed.malformed) log.add('malformed-parameter', field);
  return parsed;
}

function mediaType(value: string, defaultType: string, log: AnomalyLog): string {
  const type = value.toLowerCase();
  if (/^[^\s/;]+\/[^\s/;]+$/.test(type)) return type;
  log.add('malformed-content-type', value);
  return type.startsWith('multipart') ? 'multipart/mixed' : defaultType;
}

function addReadings(readings: Reading[], type: string, parsed: ParsedValue): void {
  let found = false;
  for (const [name, value] of parsed.params) {
    if (name !== 'boundary' || readings.length >= MAX_READINGS) continue;
    found = true;
    const boundary = value.trimEnd();
    if (boundary !== '') addReading(readings, { type, boundary });
  }
  const extended = found ? undefined : extendedBoundary(parsed);
  if (extended !== undefined && extended !== '') addReading(readings, { type, boundary: extended });
  else if (!found && readings.length < MAX_READINGS) addReading(readings, { type });
}

function addReading(readings: Reading[], reading: Reading): void {
  if (!readings.some((one) => one.type === reading.type && one.boundary === reading.boundary)) readings.push(reading);
}

/** A boundary in the form of RFC 2231, which no client writes and some read. */
function extendedBoundary(parsed: ParsedValue): string | undefined {
  const segments = parsed.params.filter(([name]) => name.startsWith('boundary*'));
  return segments.length === 0 ? undefined : joinSegments(segments).toString('latin1');
}

/** Parameters with RFC 2231 continuations joined and everything decoded; of repeated ones the first counts. */
function decodeParams(parsed: ParsedValue, field: string, log: AnomalyLog): ReadonlyMap<string, string> {
  if (parsed.params.length === 0) return NO_PARAMS;
  const out = new Map<string, string>();
  let extended: Map<string, (readonly [string, string])[]> | undefined;
  for (const [name, value] of parsed.params) {
    const star = name.indexOf('*');
    if (star > 0) {
      extended ??= new Map();
      const base = name.slice(0, star);
      const segments = extended.get(base);
      if (segments === undefined) extended.set(base, [[name, value]]);
      else segments.push([name, value]);
      continue;
    }
    const decoded = decodeWords(decodeRaw(value));
    const known = out.get(name);
    if (known === undefined) out.set(name, decoded);
    else log.add(known === decoded ? 'duplicate-parameter' : 'conflicting-parameters', `${field} ${name}`);
  }
  for (const [base, segments] of extended ?? []) {
    const decoded = decodeExtended(segments);
    const known = out.get(base);
    if (known !== undefined && extensionOf(known) !== extensionOf(decoded)) {
      log.add('conflicting-parameters', `${field} ${base}`);
    }
    if (!out.has(base) || decoded !== '') out.set(base, decoded);
  }
  return out;
}

function decodeExtended(segments: readonly (readonly [string, string])[]): string {
  const first = [...segments].sort(bySegment)[0];
  const parts = first?.[0].endsWith('*') === true ? first[1].split("'", 2) : [];
  const charset = parts.length === 2 ? (parts[0] ?? '') : '';
  const decoded = decodeCharset(joinSegments(segments), charset);
  // Some clients put encoded words into continuations, against RFC 2231.
  return decodeWords(decoded);
}

function joinSegments(segments: readonly (readonly [string, string])[]): Buffer {
  const pieces = [...segments].sort(bySegment).map(([name, value], index) => {
    if (!name.endsWith('*')) return Buffer.from(value, 'latin1');
    const quote = index === 0 ? value.indexOf("'", value.indexOf("'") + 1) : -1;
    return percentDecode(quote < 0 ? value : value.slice(quote + 1));
  });
  return Buffer.concat(pieces);
}

function bySegment(a: readonly [string, string], b: readonly [string, string]): number {
  return segmentNumber(a[0]) - segmentNumber(b[0]);
}

function segmentNumber(name: string): number {
  const number = Number.parseInt(name.slice(name.indexOf('*') + 1), 10);
  return Number.isNaN(number) ? -1 : number;
}

function percentDecode(text: string): Buffer {
  return Buffer.from(
    text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}

function noteNames(filename: string | undefined, name: string | undefined, log: AnomalyLog): void {
  if (filename === undefined || name === undefined || filename === name) return;
  if (extensionOf(filename) !== extensionOf(name)) log.add('conflicting-names', `${filename} / ${name}`);
}

function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot < 0
    ? ''
    : name
        .slice(dot + 1)
        .trim()
        .toLowerCase();
}

import { decodeRaw, rawValue } from '../decode/header-text.js';
import { decodeWords } from '../decode/words.js';
import type { HeaderField } from '../types.js';
import type { AnomalyLog } from './anomaly-log.js';
import { decodeExtended, extendedParams } from './extended-params.js';
import { fallbackNames, FileNames } from './file-names.js';
import { type ParsedValue, parseParameters } from './parameters.js';
import { addReadings, type Reading } from './readings.js';
import { readTransferEncoding } from './transfer-encodings.js';

/** What the Content-* fields of a part say. */
export interface ContentFields {
  readonly type: string;
  readonly params: ReadonlyMap<string, string>;
  readonly disposition: string;
  readonly filename?: string;
  /** Further names by which readers may show the part. */
  readonly otherNames: readonly string[];
  /** Further charsets that readers may decode a text by. */
  readonly otherCharsets: readonly string[];
  readonly encoding: string;
  /** Further encodings that readers may undo. */
  readonly otherEncodings: readonly string[];
  /** The first one is what `type` says; more where fields or parameters are repeated. */
  readonly readings: readonly Reading[];
  /** A Content-Type field that is none: what the body is has to be guessed. */
  readonly unreadableType: boolean;
}

const NO_PARAMS: ReadonlyMap<string, string> = new Map();
const NO_NAMES: readonly string[] = [];
/** Charsets that one part is read by, at most: who gives more is noted for the conflict. */
const MAX_CHARSETS = 4;

/** Charsets in which text looks like something else to whoever does not know them. */
const TRICKY_CHARSETS =
  /^(x-|unicode-1-1-|cs)*(utf-?7|utf-?16|utf-?32|ucs-?[24]|scsu|bocu|hz-gb|ibm(037|1047|500)|cp037)/;

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
  const encodings: string[] = [];
  const readings: Reading[] = [];
  const charsets: string[] = [];
  const names = new FileNames();
  let unreadableType = false;
  let hints = false;
  for (const { key, value } of fields) {
    if (!key.startsWith('content-')) continue;
    if (key === 'content-type') {
      const parsed = parseField(rawValue(bytes, value), 'Content-Type', log);
      const type = mediaType(parsed.value, defaultType, log);
      unreadableType ||= type !== parsed.value.toLowerCase();
      addReadings(readings, type, parsed);
      names.addField(parsed);
      const params = decodeParams(parsed, 'Content-Type', log);
      noteType(type, params, log);
      addCharsets(charsets, parsed, params);
      first ??= { type, params };
    } else if (key === 'content-disposition') {
      const parsed = parseField(rawValue(bytes, value), 'Content-Disposition', log);
      names.addField(parsed);
      const params = decodeParams(parsed, 'Content-Disposition', log);
      if (disposition !== undefined) continue;
      disposition = parsed.value.toLowerCase();
      dispositionParams = params;
    } else if (key === 'content-transfer-encoding') {
      readTransferEncoding(rawValue(bytes, value), encodings, log);
    } else if (key === 'content-name' || key === 'content-location' || key === 'content-description') {
      hints = true;
    }
  }
  const { type, params } = first ?? { type: defaultType, params: NO_PARAMS };
  if (readings.length === 0) readings.push({ type });
  const filename = dispositionParams.get('filename') ?? params.get('name');
  noteNames(dispositionParams.get('filename'), params.get('name'), log);
  const known = hints && names.all.length === 0 ? fallbackNames(bytes, fields) : names.all;
  const otherNames = known.length === 0 ? NO_NAMES : known.filter((name) => name !== filename);
  return {
    type,
    params,
    disposition: disposition ?? '',
    ...(filename === undefined ? {} : { filename }),
    otherNames,
    otherCharsets: charsets.length < 2 ? NO_NAMES : charsets.filter((charset) => charset !== params.get('charset')),
    encoding: encodings[0] ?? '7bit',
    otherEncodings: encodings.length < 2 ? NO_NAMES : encodings.slice(1),
    readings,
    unreadableType,
  };
}

function parseField(raw: string, field: string, log: AnomalyLog): ParsedValue {
  const parsed = parseParameters(raw);
  if (parsed.malformed) log.add('malformed-parameter', field);
  return parsed;
}

function mediaType(value: string, defaultType: string, log: AnomalyLog): string {
  const type = value.toLowerCase();
  if (/^[^\s/;"'<>@,]+\/[^\s/;"'<>@,]+$/.test(type)) return type;
  log.add('malformed-content-type', value);
  const bare = type.replace(/["'<>,\s]/g, '');
  if (/^[^/]+\/[^/]+$/.test(bare)) return bare;
  return bare.startsWith('multipart') ? 'multipart/mixed' : defaultType;
}

/** Types and charsets that hide what they hold from whoever does not put it together. */
function noteType(type: string, params: ReadonlyMap<string, string>, log: AnomalyLog): void {
  if (type === 'message/partial') log.add('partial-message');
  else if (type === 'message/external-body') log.add('external-body');
  const charset = params.get('charset');
  if (charset !== undefined && TRICKY_CHARSETS.test(charset.toLowerCase())) log.add('unusual-charset', charset);
}

/** All charsets that one reader or another takes from a Content-Type field. */
function addCharsets(charsets: string[], parsed: ParsedValue, params: ReadonlyMap<string, string>): void {
  const taken = params.get('charset');
  // Without the parameter a repeated field may still mean another charset: the default one.
  const seen = taken === undefined ? [''] : [taken];
  for (const { name, value, also } of parsed.params) {
    if (name !== 'charset') continue;
    seen.push(decodeWords(decodeRaw(value)));
    if (also !== undefined) seen.push(also);
  }
  for (const charset of seen) {
    const isKnown = charsets.some((known) => known.toLowerCase() === charset.toLowerCase());
    if (!isKnown && charsets.length < MAX_CHARSETS) charsets.push(charset);
  }
}

/** Parameters with RFC 2231 continuations joined and everything decoded; of repeated ones the first counts. */
function decodeParams(parsed: ParsedValue, field: string, log: AnomalyLog): ReadonlyMap<string, string> {
  if (parsed.params.length === 0) return NO_PARAMS;
  const out = new Map<string, string>();
  let extended = false;
  for (const { name, value } of parsed.params) {
    if (name.indexOf('*') > 0) {
      extended = true;
      continue;
    }
    const decoded = decodeWords(decodeRaw(value));
    const known = out.get(name);
    if (known === undefined) out.set(name, decoded);
    else log.add(known === decoded ? 'duplicate-parameter' : 'conflicting-parameters', `${field} ${name}`);
  }
  if (!extended) return out;
  for (const [base, segments] of extendedParams(parsed.params)) {
    const [decoded = '', strict] = decodeExtended(segments);
    const known = out.get(base);
    if (strict !== undefined) log.add('broken-continuation', `${field} ${base}`);
    if (base === 'boundary') log.add('extended-boundary');
    if (known !== undefined && (base === 'charset' ? known !== decoded : extensionOf(known) !== extensionOf(decoded))) {
      log.add('conflicting-parameters', `${field} ${base}`);
    }
    if (!out.has(base) || decoded !== '') out.set(base, decoded);
  }
  return out;
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

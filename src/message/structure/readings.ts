import { decodeWords } from '../decode/words.js';
import { extendedParams, joinSegments } from './extended-params.js';
import type { ParsedValue } from './parameters.js';

/** One way in which a reader may understand the Content-Type of a part. */
export interface Reading {
  readonly type: string;
  /** The boundary as bytes, one character each; absent when none is given. */
  readonly boundary?: string;
  /** Read so by few: where no part is found in this way, nothing is wrong. */
  readonly unlikely?: true;
}

const MAX_READINGS = 8;

/** Adds the readings of one Content-Type field: one for each boundary that a reader may see in it. */
export function addReadings(readings: Reading[], type: string, parsed: ParsedValue): void {
  const plain = parsed.params.filter(({ name }) => name === 'boundary');
  const multipart = type.startsWith('multipart/');
  let found = false;
  for (const { value } of plain) {
    found = true;
    add(readings, multipart ? { type, boundary: value.trimEnd() } : { type });
  }
  const extended = extendedBoundary(parsed);
  if (extended !== undefined) {
    if (!found) add(readings, multipart ? { type, boundary: extended } : { type });
    found = true;
  }
  if (!found) {
    add(readings, { type });
    return;
  }
  // A boundary says to some readers that there are parts, whatever the type says.
  const split = multipart ? type : 'multipart/mixed';
  const others = plain.flatMap(({ value, also }) => variants(value, also));
  if (extended !== undefined) others.push(extended);
  for (const boundary of others) {
    if (boundary !== '') add(readings, { type: split, boundary, unlikely: true });
  }
}

/** A boundary in the form of RFC 2231, which no client writes and some read. */
function extendedBoundary(parsed: ParsedValue): string | undefined {
  if (!parsed.params.some(({ name }) => name.startsWith('boundary*'))) return undefined;
  const segments = extendedParams(parsed.params).get('boundary');
  return segments === undefined ? undefined : joinSegments(segments).toString('latin1');
}

/** The value itself and what readers make of it that keep spaces, undo encoded words, or drop single quotes. */
function variants(value: string, also: string | undefined): string[] {
  const list = [value.trimEnd(), value.trim()];
  if (also !== undefined) list.push(also.trim());
  if (value.includes('=?')) list.push(decodeWords(value));
  if (value.length > 2 && value.startsWith("'") && value.endsWith("'")) list.push(value.slice(1, -1));
  return list;
}

function add(readings: Reading[], reading: Reading): void {
  if (readings.length >= MAX_READINGS) return;
  if (!readings.some((one) => one.type === reading.type && one.boundary === reading.boundary)) readings.push(reading);
}

import { decodeCharset } from '../decode/charset.js';
import { decodeWords } from '../decode/words.js';
import type { Parameter } from './parameters.js';

/**
 * The parameters of a field that are written in the way of RFC 2231 (`name*`, `name*0`, `name*1*` ...), by their plain
 * names, each with its segments in their order.
 */
export function extendedParams(params: readonly Parameter[]): ReadonlyMap<string, readonly Parameter[]> {
  const groups = new Map<string, Parameter[]>();
  for (const param of params) {
    const star = param.name.indexOf('*');
    if (star <= 0) continue;
    const base = param.name.slice(0, star);
    const group = groups.get(base);
    if (group === undefined) groups.set(base, [param]);
    else group.push(param);
  }
  for (const group of groups.values()) group.sort((a, b) => segmentNumber(a.name) - segmentNumber(b.name));
  return groups;
}

/**
 * The readings of a continued parameter: all segments joined, as lenient readers do it; and where segments are missing
 * or stand twice, those that a strict reader takes, which ends at the first gap.
 */
export function decodeExtended(segments: readonly Parameter[]): readonly string[] {
  const whole = decodeSegments(segments);
  const strict: Parameter[] = [];
  for (const segment of segments) {
    const number = Math.max(0, segmentNumber(segment.name));
    if (number === strict.length) strict.push(segment);
  }
  return strict.length === segments.length ? [whole] : [whole, decodeSegments(strict)];
}

/** The segments joined, as bytes, percent signs undone. */
export function joinSegments(segments: readonly Parameter[]): Buffer {
  const pieces = segments.map(({ name, value }, index) => {
    if (!name.endsWith('*')) return Buffer.from(value, 'latin1');
    const quote = index === 0 ? value.indexOf("'", value.indexOf("'") + 1) : -1;
    return Buffer.from(percentDecode(quote < 0 ? value : value.slice(quote + 1)), 'latin1');
  });
  return Buffer.concat(pieces);
}

/** Percent signs undone; one character for each byte. */
export function percentDecode(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function decodeSegments(segments: readonly Parameter[]): string {
  const first = segments[0];
  const parts = first?.name.endsWith('*') === true ? first.value.split("'", 2) : [];
  const charset = parts.length === 2 ? (parts[0] ?? '') : '';
  // Some clients put encoded words into continuations, against RFC 2231.
  return decodeWords(decodeCharset(joinSegments(segments), charset));
}

function segmentNumber(name: string): number {
  const number = Number.parseInt(name.slice(name.indexOf('*') + 1), 10);
  return Number.isNaN(number) ? -1 : number;
}

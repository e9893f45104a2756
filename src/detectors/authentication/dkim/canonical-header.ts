import type { ByteRange } from '../../../message/types.js';

export type Canonicalization = 'simple' | 'relaxed';

/** The fields of a header by name in lower case, each with its final CRLF, from the top. */
export type FieldRanges = ReadonlyMap<string, readonly ByteRange[]>;

const LF = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;

/** All lines that begin no continuation are fields here, so that what is counted is what signers count. */
export function fieldRanges(bytes: Buffer, { start, end }: ByteRange): FieldRanges {
  const fields = new Map<string, ByteRange[]>();
  let from = start;
  while (from < end) {
    let to = lineEnd(bytes, from, end);
    while (to < end && (bytes[to] === SPACE || bytes[to] === TAB)) to = lineEnd(bytes, to, end);
    const colon = bytes.subarray(from, to).indexOf(':');
    if (colon >= 0) {
      const name = canonicalName(bytes.toString('latin1', from, from + colon));
      const same = fields.get(name);
      if (same === undefined) fields.set(name, [{ start: from, end: to }]);
      else same.push({ start: from, end: to });
    }
    from = to;
  }
  return fields;
}

function lineEnd(bytes: Buffer, from: number, end: number): number {
  const feed = bytes.indexOf(LF, from);
  return feed < 0 || feed >= end ? end : feed + 1;
}

/**
 * The fields that `h=` names: of each name from the bottom up, nothing where there are no more (RFC 6376 5.4.2).
 * @param own start of the signature field itself, which no signature covers by name (RFC 6376 3.5)
 */
export function signedFields(fields: FieldRanges, names: readonly string[], own: number): ByteRange[] {
  const taken = new Map<string, number>();
  return names.flatMap((name) => {
    const all = fields.get(name) ?? [];
    let at = taken.get(name) ?? all.length - 1;
    if (all[at]?.start === own) at -= 1;
    taken.set(name, at - 1);
    const field = all[at];
    return field === undefined ? [] : [field];
  });
}

/** A field with its CRLF, as it is signed (RFC 6376 3.4.1, 3.4.2): white space is SP and HTAB, whatever the charset. */
export function canonicalField(field: Buffer, canonicalization: Canonicalization): string {
  const text = field.toString('latin1').replace(/\r?\n$/, '');
  return `${canonicalization === 'simple' ? text : relaxed(text)}\r\n`;
}

/** The signature field itself: without the value of `b=` and without a line end (RFC 6376 3.7). */
export function canonicalSignatureField(field: Buffer, canonicalization: Canonicalization): string {
  const text = field.toString('latin1').replace(/\r?\n$/, '');
  const colon = text.indexOf(':') + 1;
  const tags = text
    .slice(colon)
    .split(';')
    .map((tag) => tag.replace(/^([ \t\r\n]*b[ \t\r\n]*=)[^]*$/, '$1'));
  const emptied = text.slice(0, colon) + tags.join(';');
  return canonicalization === 'simple' ? emptied : relaxed(emptied);
}

function relaxed(text: string): string {
  const colon = text.indexOf(':');
  const name = canonicalName(text.slice(0, colon));
  const value = text
    .slice(colon + 1)
    .replace(/\r?\n/g, '')
    .replace(/[ \t]+/g, ' ');
  return `${name}:${value.slice(value.startsWith(' ') ? 1 : 0, value.endsWith(' ') ? -1 : undefined)}`;
}

/**
 * A name without the white space behind it, in lower case: ASCII letters alone, for of other bytes nobody knows what they
 * mean. From the end, since a pattern would go over a long run of white space from each of its places.
 */
function canonicalName(text: string): string {
  let end = text.length;
  while (text[end - 1] === ' ' || text[end - 1] === '\t') end -= 1;
  return text.slice(0, end).replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

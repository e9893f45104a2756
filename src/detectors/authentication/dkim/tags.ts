/** A tag-list (RFC 6376 3.2): values without white space around them; names are case-sensitive. */
export type TagList = ReadonlyMap<string, string>;

/** Characters of one tag-list that are looked at. */
const MAX_LENGTH = 32 * 1024;
const FWS = ' \t\r\n';

/** @returns undefined when it cannot be read, or a tag stands in it twice */
export function parseTagList(text: string): TagList | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const tags = new Map<string, string>();
  const specs = text.split(';');
  if (/^[ \t\r\n]*$/.test(specs.at(-1) ?? '')) specs.pop();
  for (const spec of specs) {
    const equals = spec.indexOf('=');
    if (equals < 0) return undefined;
    const name = trimmed(spec.slice(0, equals));
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name) || tags.has(name)) return undefined;
    tags.set(name, trimmed(spec.slice(equals + 1)));
  }
  return tags;
}

/** Without FWS around it. What else Unicode calls white space may be a part of a character: 0xA0 ends the UTF-8 of `à`. */
function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && FWS.includes(text.charAt(start))) start += 1;
  while (end > start && FWS.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** The parts of a list with colons, in lower case. */
export function colonList(value: string): string[] {
  return value
    .split(':')
    .map((item) => trimmed(item).toLowerCase())
    .filter((item) => item !== '');
}

/** The value without white space, as base64 stands in a field. */
export function packed(value: string | undefined): string {
  return (value ?? '').replace(/[ \t\r\n]+/g, '');
}

/** A tag-list (RFC 6376 3.2): values without white space around them; names are case-sensitive. */
export type TagList = ReadonlyMap<string, string>;

/** Characters of one tag-list that are looked at. */
const MAX_LENGTH = 32 * 1024;

/** @returns undefined when it cannot be read, or a tag stands in it twice */
export function parseTagList(text: string): TagList | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const tags = new Map<string, string>();
  const specs = text.split(';');
  if (/^[ \t\r\n]*$/.test(specs.at(-1) ?? '')) specs.pop();
  for (const spec of specs) {
    const equals = spec.indexOf('=');
    if (equals < 0) return undefined;
    const name = spec.slice(0, equals).trim();
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name) || tags.has(name)) return undefined;
    tags.set(name, spec.slice(equals + 1).trim());
  }
  return tags;
}

/** The parts of a list with colons, in lower case. */
export function colonList(value: string): string[] {
  return value
    .split(':')
    .map((item) => item.trim().toLowerCase())
    .filter((item) => item !== '');
}

/** The value without white space, as base64 stands in a field. */
export function packed(value: string | undefined): string {
  return (value ?? '').replace(/[ \t\r\n]+/g, '');
}

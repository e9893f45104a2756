/** An escape in JSON text: of NUL or of half a surrogate pair, or any other. */
const ESCAPE = /\\(u0000|ud[89a-f][0-9a-f]{2}|[^])/g;

/**
 * JSON text that PostgreSQL takes. Its jsonb refuses NUL and lone surrogates, both of which a hostile header can hold:
 * they become U+FFFD.
 */
export function toJsonb(value: unknown): string {
  const text = JSON.stringify(value);
  if (!text.includes('\\u')) return text;
  return text.replace(ESCAPE, (whole, kind: string) => (kind.length > 1 ? '\\ufffd' : whole));
}

/** Text that PostgreSQL takes: NUL becomes U+FFFD. */
export function toText(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
}

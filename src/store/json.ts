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

/**
 * An array of JSON texts as a parameter `jsonb`, in binary form: the texts are written once, to memory outside of the
 * JavaScript heap. Joined to one text they would be copied three times there, and grow old before they are sent.
 */
export function jsonbArray(texts: readonly string[]): Buffer {
  // The binary form is the number of its version, 1, and the text.
  const open = '\x01[';
  let size = open.length + Math.max(1, texts.length);
  for (const text of texts) size += Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(size);
  let at = bytes.write(open);
  for (const [i, text] of texts.entries()) {
    if (i > 0) at += bytes.write(',', at);
    at += bytes.write(text, at);
  }
  bytes.write(']', at);
  return bytes;
}

/** Text that PostgreSQL takes: NUL becomes U+FFFD. */
export function toText(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
}

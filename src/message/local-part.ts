/** A character of an atom (RFC 5321 4.1.2, with the extension of RFC 6531 3.3). */
export const ATEXT = /[\w!#$%&'*+\-/=?^`{|}~\u00a0-\ufffc]/;

const DOT_STRING = new RegExp(`^${ATEXT.source}+(?:\\.${ATEXT.source}+)*$`);

/**
 * An address with as little quoting in its local part as it can do with (RFC 5321 4.1.2): `"joe"@b.example` and
 * `"j\oe"@b.example` are `joe@b.example`, `"joe\ smith"@b.example` is `"joe smith"@b.example`. All forms of one mailbox
 * come out as the same text. What is no address with a quoted string before its last `@` stays as it is.
 */
export function leastQuoted(address: string): string {
  if (!address.startsWith('"')) return address;
  const at = address.lastIndexOf('@');
  if (at < 2 || address[at - 1] !== '"') return address;
  const inside = address.slice(1, at - 1);
  // Quoted pairs apart, neither a quote nor a backslash can stand in quotes.
  if (/["\\]/.test(inside.replace(/\\[^]/g, ''))) return address;
  const content = inside.replace(/\\([^])/g, '$1');
  const local = DOT_STRING.test(content) ? content : `"${content.replace(/["\\]/g, '\\$&')}"`;
  return local + address.slice(at);
}

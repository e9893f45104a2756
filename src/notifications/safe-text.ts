/** Explicit embeddings and overrides, isolates, and the implicit marks (UAX 9). */
const BIDI_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const ISOLATES = /[\u2066-\u2069]/g;
const NEEDS_ISOLATION =
  /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const PLAIN = /^[\x20-\x7e]*$/;
const FIRST_STRONG_ISOLATE = '\u2068';
const POP_ISOLATE = '\u2069';

/**
 * A value from a message as one harmless line: line ends and tabs become spaces, other control characters and
 * characters that cannot be seen vanish, lone surrogates become U+FFFD, and it ends at the bound.
 * @param bound in code points
 */
export function oneLine(value: string, bound: number): string {
  if (value.length <= bound && PLAIN.test(value)) return value.trim();
  const line = value
    .slice(0, bound * 4)
    .replace(/[\r\n\t\u0085\u2028\u2029\v\f]+/g, ' ')
    .replace(/[\p{Cc}\u200b\u2060\ufeff\u{e0000}-\u{e007f}]/gu, '')
    .replace(/\p{Cs}/gu, '\ufffd')
    .trim();
  if (line.length <= bound) return line;
  const points = Array.from(line);
  return points.length <= bound ? line : `${points.slice(0, bound - 1).join('')}…`;
}

/** For running text: what is written from right to left, or turns the direction, cannot reach beyond the value. */
export function isolated(value: string): string {
  if (PLAIN.test(value)) return value;
  const bare = value.replace(ISOLATES, '');
  return NEEDS_ISOLATION.test(bare) || bare !== value ? `${FIRST_STRONG_ISOLATE}${bare}${POP_ISOLATE}` : value;
}

/**
 * For a header field: no characters that turn the direction, and nothing that a reader would take for an encoded word
 * (RFC 2047 2) and decode. Encoding is left to the composer.
 */
export function headerSafe(value: string): string {
  return value.replace(BIDI_CONTROLS, '').replace(/=(?=\?)/g, '= ');
}

/**
 * Makes links in a text from a message such that no mail client turns them into links:
 * `https://example.com/x` becomes `hxxps://example[.]com/x`, `evil.example/login` becomes `evil[.]example/login`.
 */
export function defang(text: string): string {
  if (!/[.:]/.test(text)) return text;
  return defangMarked(text).replace(
    /(^|[^\w.[\]-])([\w-]{1,63}(?:\.[\w-]{1,63}){0,10}\.[a-z]{2,24}(?=[/?#]))/gi,
    (_, before: string, host: string) => before + dotted(host),
  );
}

/**
 * As `defang`, but leaves `invoice.zip/setup.exe` alone, which is how an object in an archive is named. It does not count
 * what stands before a scheme or `www.`: some clients make a link of it in the midst of a word.
 */
export function defangMarked(text: string): string {
  if (!/[.:]/.test(text)) return text;
  return text
    .replace(/(h)tt(ps?)(:\/\/|:\\\\)([^\s/?#\\]*)/gi, (_, h: string, ps: string, slashes: string, host: string) =>
      [h, 'xx', ps, slashes, dotted(host)].join(''),
    )
    .replace(/(f)t(ps?:\/\/)([^\s/?#\\]*)/gi, (_, f: string, rest: string, host: string) =>
      [f, 'x', rest, dotted(host)].join(''),
    )
    .replace(/(?<!@)www\.[\w-]+(?:\.[\w-]+)*/gi, dotted);
}

function dotted(host: string): string {
  return host.replace(/(?<!\[)\./g, '[.]');
}

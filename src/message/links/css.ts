/** Addresses in one style sheet. */
const MAX_ADDRESSES = 200;
const MAX_LENGTH = 4096;

/** Addresses in `url(...)` and `@import` of a style sheet or a style attribute; escapes are undone. Linear. */
export function cssAddresses(given: string): readonly string[] {
  if (!/url|import|\\/i.test(given)) return [];
  const css = given.includes('\\') ? unescape(given) : given;
  const found: string[] = [];
  const pattern = /(?:url\(|@import)\s{0,16}(["']?)/gi;
  for (let hit = pattern.exec(css); hit !== null && found.length < MAX_ADDRESSES; hit = pattern.exec(css)) {
    const quote = hit[1] ?? '';
    const start = pattern.lastIndex;
    const piece = css.slice(start, start + MAX_LENGTH);
    const end = quote === '' ? piece.search(/[\s)"'(]/) : piece.indexOf(quote);
    if (end > 0) found.push(piece.slice(0, end));
    if (end > 0) pattern.lastIndex = start + end;
  }
  return found;
}

/** CSS Syntax 4.3.7. */
function unescape(css: string): string {
  return css.replace(
    /\\(?:([0-9a-f]{1,6})\s?|([^\n\r\f]))/gi,
    (_, hex: string | undefined, char: string | undefined) => {
      if (hex === undefined) return char ?? '';
      const code = Number.parseInt(hex, 16);
      return code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)
        ? '\ufffd'
        : String.fromCodePoint(code);
    },
  );
}

/** Field codes beyond this are not looked at, in one part of a document. */
const MAX_CODES = 1024 * 1024;

/**
 * Whether field codes of a document start a program: a DDE link (ECMA-376 part 1, 17.16.5.15; DDEAUTO does so when the
 * document is opened), or text that is put together from the numbers of its letters, which serves to hide one.
 * @param codes of all fields, one a line
 */
export function startsProgram(codes: string): boolean {
  return /(?:^|[^a-z])dde(?:auto)?(?:[^a-z]|$)/im.test(codes) || /(?:^|[^a-z])quote\s+(?:\d{1,3}\s+){3}/im.test(codes);
}

/** The field codes in a part of WordprocessingML, the pieces of each put together; one field a line. */
export function fieldCodes(xml: string): string {
  if (!/instrText|fldSimple/i.test(xml)) return '';
  const pieces: string[] = [];
  let length = 0;
  const found = xml.matchAll(
    /<(?:\w{1,20}:)?instrText(?:\s[^>]{0,200})?>([^<]*)<|\binstr\s*=\s*(?:"([^"]*)"|'([^']*)')|fldCharType\s*=\s*["']begin/g,
  );
  for (const [, text, double, single] of found) {
    const attribute = double ?? single;
    const piece = text ?? (attribute === undefined ? '\n' : `\n${attribute}\n`);
    pieces.push(piece);
    length += piece.length;
    if (length > MAX_CODES) break;
  }
  return withoutReferences(pieces.join(''));
}

/** XML allows no names but five; letters may stand by their numbers. */
function withoutReferences(text: string): string {
  return text.replace(/&#(?:x([0-9a-f]{1,6})|(\d{1,7}));/gi, (whole, hex?: string, decimal?: string) => {
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

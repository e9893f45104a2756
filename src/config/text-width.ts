/** East Asian Wide and Fullwidth (Unicode Standard Annex 11), without the emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{20000}-\u{3fffd}]/u;
/** Drawn as a picture, by itself or because a variation selector says so. */
const PICTURE = /\p{Emoji_Presentation}|\u{fe0f}/u;
/** Drawn over what stands before it, or not at all. */
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cc}\p{Default_Ignorable_Code_Point}\u2028\u2029]+$/u;
const ASCII = /^[\x20-\x7e]*$/;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** What a reader sees as one character, with the columns of a terminal that it takes: 0, 1 or 2. */
export interface Glyph {
  readonly text: string;
  readonly width: number;
}

export function glyphsOf(text: string): Glyph[] {
  return Array.from(graphemes.segment(text), ({ segment }) => ({ text: segment, width: widthOfGlyph(segment) }));
}

/**
 * Columns that a text takes on a terminal: wide East Asian characters and emoji take two, combining and zero-width ones
 * none. Control characters count as nothing, a tab among them: where it leads depends on what stands before it.
 */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  return glyphsOf(text).reduce((columns, { width }) => columns + width, 0);
}

function widthOfGlyph(glyph: string): number {
  if (ASCII.test(glyph)) return glyph.length;
  if (NO_WIDTH.test(glyph)) return 0;
  return PICTURE.test(glyph) || WIDE.test(glyph) ? 2 : 1;
}

import { placeInText } from '../config/excerpt.js';
import type { Problem } from '../config/problems.js';

/** Characters that cannot be seen, or turn the direction of what follows, and so make two texts look alike. */
const INVISIBLE = /[\u00a0\u00ad\u034f\u061c\u115f\u1160\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufe00-\ufe0f\ufeff]/g;
const MAX_WARNINGS = 20;

/** Warns of each invisible character of a file. @param file path as the author would write it */
export function invisibleCharacters(file: string, text: string): Problem[] {
  const problems: Problem[] = [];
  for (const found of text.replace(/^\uFEFF/, ' ').matchAll(INVISIBLE)) {
    if (problems.length >= MAX_WARNINGS) break;
    const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    problems.push({
      severity: 'warning',
      place: { file, ...placeInText(text, found.index) },
      message: `an invisible character (U+${code}) stands here`,
      hint: 'it came with copied text: write the line anew',
    });
  }
  return problems;
}

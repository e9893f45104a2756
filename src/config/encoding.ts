import { isUtf8 } from 'node:buffer';
import { placeInText } from './excerpt.js';
import type { Place, Problem } from './problems.js';

/**
 * Says what is wrong with the bytes of a file that should be UTF-8 text; undefined when nothing is.
 * @param file path as the author would write it
 */
export function encodingProblem(file: string, bytes: Buffer): Problem | undefined {
  const start: Place = { file, line: 1, column: 1 };
  if (isUtf16(bytes))
    return {
      severity: 'error',
      place: start,
      message: 'the file is UTF-16 text and cannot be read',
      hint: 'save it as UTF-8 (in Windows Notepad: Save as, Encoding: UTF-8)',
    };
  const nul = bytes.indexOf(0);
  if (nul >= 0)
    return {
      severity: 'error',
      place: placeAt(file, bytes, nul),
      message: 'a NUL byte stands here: this is not a text file, or a damaged one',
      hint: 'restore it from a copy, or write it anew',
    };
  if (isUtf8(bytes)) return undefined;
  return {
    severity: 'error',
    place: placeAt(file, bytes, firstBadByte(bytes)),
    message:
      'the file is not UTF-8 text: the letter here is written in another encoding, such as Latin-1 (Windows-1252)',
    hint: 'save the file as UTF-8',
  };
}

/** With a byte order mark, or with NUL at every second place as plain text has it in UTF-16. */
function isUtf16(bytes: Buffer): boolean {
  const [first, second, third, fourth] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  return bytes.length >= 4 && ((first === 0 && third === 0) || (second === 0 && fourth === 0)) && first !== second;
}

/** By halves: the longest beginning that is UTF-8, but for a last character that is cut. */
function firstBadByte(bytes: Buffer): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (beginsWell(bytes, middle)) good = middle;
    else bad = middle;
  }
  return good;
}

function beginsWell(bytes: Buffer, length: number): boolean {
  for (let cut = 0; cut < 4; cut++) if (isUtf8(bytes.subarray(0, Math.max(0, length - cut)))) return true;
  return false;
}

/** What is not UTF-8 is shown as Latin-1, which every byte is. */
function placeAt(file: string, bytes: Buffer, at: number): Place {
  return { file, ...placeInText(bytes.toString('latin1'), at) };
}

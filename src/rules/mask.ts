import { isAscii } from '../message/ascii.js';
import { withoutUnseen } from '../message/trick-characters.js';

/** Masks longer than this are refused at load; it bounds the work for each character of a value. */
export const MAX_MASK_LENGTH = 1000;

/** A compiled mask. Values are handed in folded (see `fold`). */
export type MaskTest = (folded: string) => boolean;

/** Characters with other forms for the same: full width, ligatures, letters of mathematics. */
const COMPATIBLE = /[\u1100-\uffff]|[\ud800-\udfff]/;

/**
 * Form in which masks and values are compared: case, Unicode composition, invisible characters, and forms of characters
 * that look the same to a reader (full width, no-break spaces) do not count. White space with a tab in it, by which many
 * programs fold long header fields, is one space.
 */
export function fold(text: string): string {
  const lower = (text.includes('\t') ? text.replace(/[ \t]+/g, withoutTabs) : text).toLowerCase();
  if (isAscii(lower)) return lower;
  const plain = COMPATIBLE.test(lower) ? lower.normalize('NFKC').toLowerCase() : lower.normalize('NFC');
  return withoutUnseen(plain).replaceAll('\u00a0', ' ');
}

/** @param run of spaces and tabs: found as a whole, so that none is gone over from each of its places */
function withoutTabs(run: string): string {
  return run.includes('\t') ? ' ' : run;
}

/** Whether a mask or text has characters, and none of them is left in the form that is compared. */
export function foldsToNothing(mask: string): boolean {
  const letters = mask.replace(/[*?]/g, '');
  return letters !== '' && fold(letters) === '';
}

/** Whether a text has a `*` or `?`. */
export function hasWildcard(mask: string): boolean {
  return mask.includes('*') || mask.includes('?');
}

/**
 * Compiles a mask: `*` is any number of characters, line ends included, `?` is exactly one. The mask covers the whole
 * value. The time is linear in the value for a given mask: each piece between stars is found once, leftmost.
 */
export function compileMask(mask: string): MaskTest {
  if (!hasWildcard(mask)) {
    const wanted = fold(mask);
    return (value) => value === wanted;
  }
  // A star or question mark of full width is a letter like others: it is one of ASCII only when it is folded.
  const pieces = mask.split('*').map((piece) => toPiece(piece.split('?').map(fold)));
  const first = pieces[0];
  const last = pieces.at(-1);
  if (first === undefined || last === undefined) return () => true;
  if (pieces.length === 1) return (value) => first.matchAt(value, 0) === value.length;
  const middle = pieces.slice(1, -1).filter((piece) => !piece.isEmpty);
  return (value) => {
    let position = first.matchAt(value, 0);
    if (position < 0) return false;
    const end = last.matchBefore(value, value.length);
    if (end < position) return false;
    for (const piece of middle) {
      position = piece.find(value, position);
      if (position < 0 || position > end) return false;
    }
    return true;
  };
}

/** A run of a mask without stars. Positions are indexes of UTF-16 units; -1 is "no". */
interface Piece {
  readonly isEmpty: boolean;
  /** Where the piece ends when it stands at `position`. */
  matchAt(value: string, position: number): number;
  /** Where the piece begins when it ends at `position`. */
  matchBefore(value: string, position: number): number;
  /** Where the leftmost occurrence at or behind `position` ends. */
  find(value: string, position: number): number;
}

/** @param texts what stands before, between and behind the question marks of the piece */
function toPiece(texts: readonly string[]): Piece {
  const [text = '', ...more] = texts;
  return more.length > 0 ? wildPiece(texts) : plainPiece(text);
}

function plainPiece(text: string): Piece {
  return {
    isEmpty: text === '',
    matchAt: (value, position) => (value.startsWith(text, position) ? position + text.length : -1),
    matchBefore: (value, position) => (value.endsWith(text, position) ? position - text.length : -1),
    find: (value, position) => {
      const at = value.indexOf(text, position);
      return at < 0 ? -1 : at + text.length;
    },
  };
}

/** Stands for a `?` among the characters of a piece. */
const ANY_ONE = '';

/** `?` takes a whole code point, so that it is one character also where that is two UTF-16 units. */
function wildPiece(texts: readonly string[]): Piece {
  const characters = texts.flatMap((text, i) => (i === 0 ? Array.from(text) : [ANY_ONE, ...Array.from(text)]));
  const matchAt = (value: string, start: number): number => {
    let position = start;
    for (const character of characters) {
      if (position >= value.length) return -1;
      const width = widthAt(value, position);
      if (character !== ANY_ONE && !value.startsWith(character, position)) return -1;
      position += character === ANY_ONE ? width : character.length;
    }
    return position;
  };
  return {
    isEmpty: false,
    matchAt,
    matchBefore: (value, end) => {
      let position = end;
      for (const character of characters.toReversed()) {
        const width = character === ANY_ONE ? widthBefore(value, position) : character.length;
        position -= width;
        if (position < 0 || (character !== ANY_ONE && !value.startsWith(character, position))) return -1;
      }
      return position;
    },
    find: (value, start) => {
      for (let position = start; position <= value.length; position += widthAt(value, position)) {
        const end = matchAt(value, position);
        if (end >= 0) return end;
      }
      return -1;
    },
  };
}

function widthAt(value: string, position: number): number {
  return (value.codePointAt(position) ?? 0) > 0xffff ? 2 : 1;
}

function widthBefore(value: string, position: number): number {
  return position >= 2 && (value.codePointAt(position - 2) ?? 0) > 0xffff ? 2 : 1;
}

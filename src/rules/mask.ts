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
 * that look the same to a reader (full width, no-break spaces) do not count.
 */
export function fold(text: string): string {
  const lower = text.toLowerCase();
  if (isAscii(lower)) return lower;
  const plain = COMPATIBLE.test(lower) ? lower.normalize('NFKC').toLowerCase() : lower.normalize('NFC');
  return withoutUnseen(plain).replaceAll('\u00a0', ' ');
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
  const wanted = fold(mask);
  if (!hasWildcard(wanted)) return (value) => value === wanted;
  const pieces = wanted.split('*').map(toPiece);
  const first = pieces[0];
  const last = pieces.at(-1);
  if (first === undefined || last === undefined) return () => true;
  if (pieces.length === 1) return (value) => first.matchAt(value, 0) === value.length;
  const middle = pieces.slice(1, -1).filter((piece) => piece.text !== '');
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
  readonly text: string;
  /** Where the piece ends when it stands at `position`. */
  matchAt(value: string, position: number): number;
  /** Where the piece begins when it ends at `position`. */
  matchBefore(value: string, position: number): number;
  /** Where the leftmost occurrence at or behind `position` ends. */
  find(value: string, position: number): number;
}

function toPiece(text: string): Piece {
  return text.includes('?') ? wildPiece(text) : plainPiece(text);
}

function plainPiece(text: string): Piece {
  return {
    text,
    matchAt: (value, position) => (value.startsWith(text, position) ? position + text.length : -1),
    matchBefore: (value, position) => (value.endsWith(text, position) ? position - text.length : -1),
    find: (value, position) => {
      const at = value.indexOf(text, position);
      return at < 0 ? -1 : at + text.length;
    },
  };
}

/** `?` takes a whole code point, so that it is one character also where that is two UTF-16 units. */
function wildPiece(text: string): Piece {
  const characters = Array.from(text);
  const matchAt = (value: string, start: number): number => {
    let position = start;
    for (const character of characters) {
      if (position >= value.length) return -1;
      const width = widthAt(value, position);
      if (character !== '?' && !value.startsWith(character, position)) return -1;
      position += character === '?' ? width : character.length;
    }
    return position;
  };
  return {
    text,
    matchAt,
    matchBefore: (value, end) => {
      let position = end;
      for (const character of characters.toReversed()) {
        const width = character === '?' ? widthBefore(value, position) : character.length;
        position -= width;
        if (position < 0 || (character !== '?' && !value.startsWith(character, position))) return -1;
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

import { Mark } from '../mark.js';

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const DASH = 0x2d;

/** What one delimiter line costs of the work allowance, in bytes searched. */
const HIT_COST = 64;
/** Loose lines that are kept per multipart. */
const MAX_LOOSE = 64;

const OTHER_FIELDS = /^(?:[!-9;-~]{1,80}[ \t]*:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*){1,30}content-[a-z-]+[ \t]*:/i;

/** A bound on the bytes searched for one message, so that repeated readings cannot multiply without end. */
export class WorkAllowance {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** False when the allowance is used up. */
  spend(bytes: number): boolean {
    this.#left -= bytes;
    return this.#left > 0;
  }
}

/** A delimiter line of a multipart (RFC 2046 5.1.1). */
export interface Delimiter {
  /** Where the part before it ends: at the CRLF that belongs to the delimiter. */
  readonly before: number;
  /** Where the part behind it starts. */
  readonly next: number;
  readonly closing: boolean;
}

/** A line that starts like a delimiter and goes on with other text. */
export interface LooseLine extends Delimiter {
  /** What follows the boundary on the line, without trailing white space. */
  readonly rest: string;
}

export interface Delimiters {
  readonly strict: readonly Delimiter[];
  readonly loose: readonly LooseLine[];
  /** The allowance ended before the search did. */
  readonly exhausted: boolean;
}

/** Finds the delimiter lines of a boundary in a range with the native search, touching nothing else. */
export function findDelimiters(
  bytes: Buffer,
  start: number,
  end: number,
  boundary: string,
  work: WorkAllowance,
): Delimiters {
  const strict: Delimiter[] = [];
  const loose: LooseLine[] = [];
  // The first delimiter may stand at the very start of the body: then its line feed ends the header.
  const from = start > 0 && bytes[start - 1] === LF ? start - 1 : start;
  const mark = new Mark(`\n--${boundary}`);
  const view = bytes.subarray(from, end);
  let exhausted = !work.spend(end - start);
  let at = mark.indexIn(view);
  while (at >= 0) {
    if (exhausted || !work.spend(HIT_COST)) {
      exhausted = true;
      break;
    }
    const feed = from + at;
    const behind = feed + mark.length;
    const lineFeed = bytes.indexOf(LF, behind);
    const next = lineFeed < 0 || lineFeed >= end ? end : lineFeed + 1;
    const before = Math.max(start, feed > from && bytes[feed - 1] === CR ? feed - 1 : feed);
    const dashed = bytes[behind] === DASH && bytes[behind + 1] === DASH && behind + 2 <= end;
    if (isPadding(bytes, behind, next)) strict.push({ before, next, closing: false });
    else if (dashed && isPadding(bytes, behind + 2, next)) strict.push({ before, next, closing: true });
    else if (boundary !== '' && loose.length < MAX_LOOSE) {
      const rest = bytes.toString('latin1', behind, Math.min(next, behind + 256)).trimEnd();
      loose.push({ before, next, closing: false, rest });
    }
    // The line feed of this line may begin the next delimiter.
    at = next >= end && bytes[end - 1] !== LF ? -1 : mark.indexIn(view, next - 1 - from);
  }
  return { strict, loose, exhausted };
}

/**
 * The boundary that the text of a range seems to use: the first line that starts with two dashes and is followed by a
 * Content-* field. For multiparts whose declared boundary is missing or never used, and for text around the parts.
 */
export function guessBoundary(bytes: Buffer, start: number, end: number, work: WorkAllowance): string | undefined {
  const from = start > 0 && bytes[start - 1] === LF ? start - 1 : start;
  if (end - from < 12 || !work.spend(end - from)) return undefined;
  const view = bytes.subarray(from, end);
  for (let at = view.indexOf('\n--'); at >= 0; at = view.indexOf('\n--', at + 1)) {
    if (!work.spend(HIT_COST)) return undefined;
    const lineFeed = view.indexOf(LF, at + 1);
    if (lineFeed < 0) return undefined;
    if (lineFeed - at > 200) continue;
    if (!startsPart(view, lineFeed + 1)) continue;
    const line = view.toString('latin1', at + 3, lineFeed).trimEnd();
    if (line !== '') return line;
  }
  return undefined;
}

/** Whether a Content-* field stands here, behind at most a few other fields. */
export function startsPart(view: Buffer, start: number): boolean {
  if (view.toString('latin1', start, start + 8).toLowerCase() === 'content-') return true;
  // Text behind a line of dashes seldom starts with a field: the cheap look comes first.
  const head = view.toString('latin1', start, start + 84);
  if (!/^[!-9;-~]{1,80}[ \t]*:/.test(head)) return false;
  return OTHER_FIELDS.test(view.toString('latin1', start, start + 2048));
}

function isPadding(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at];
    if (byte !== LF && byte !== CR && byte !== SPACE && byte !== TAB) return false;
  }
  return true;
}

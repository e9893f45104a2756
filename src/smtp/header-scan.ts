import { bearsId } from './authserv-id.js';

const MAX_MARK = 200;
const MAX_RECEIVED_LOOK = 2000;

/** Start of a field that matters here; anything that begins with our own prefix counts, with a colon or without. */
const FIELD = /^(?:(received)[ \t]*:|x-gatepost-|(authentication-results)[ \t]*:)/gim;

/** How the fields that this host writes are known. */
export interface OwnHost {
  /** Matches a Received field (RFC 5321 4.4) whose `by` names the host. */
  readonly received: RegExp;
  /** As authserv-id of Authentication-Results (RFC 8601 2.5). */
  readonly hostname: string;
}

export interface HeaderScan {
  /** The block without the fields that only we may write, in pieces. */
  readonly pieces: readonly Buffer[];
  /** Number of Received fields. */
  readonly received: number;
  /** How many of them were written by this host. */
  readonly own: number;
  /** Value of the first X-Gatepost-Notification or X-Gatepost-Event field, unfolded. */
  readonly ownMark?: string;
  /** How often it went through a gateway of ours already, by our own marks. */
  readonly passes: number;
}

/**
 * Looks through a header block in canonical form (CRLF only), with or without the empty line at its end.
 * @param writtenHere how fields of this host are known (see `writtenBy`)
 */
export function scanHeader(block: Buffer, writtenHere: OwnHost): HeaderScan {
  const text = block.toString('latin1');
  const pieces: Buffer[] = [];
  let kept = 0;
  let received = 0;
  let own = 0;
  let ownMark: string | undefined;
  let passes = 0;
  for (const match of text.matchAll(FIELD)) {
    const start = match.index;
    const end = fieldEnd(text, start);
    if (match[1] !== undefined) {
      received += 1;
      if (writtenHere.received.test(text.slice(start, Math.min(end, start + MAX_RECEIVED_LOOK)))) own += 1;
      continue;
    }
    if (match[2] !== undefined) {
      if (!bearsId(text.slice(start + match[0].length, end), writtenHere.hostname)) continue;
    } else {
      const field = text.slice(start, Math.min(end, start + 2 * MAX_MARK));
      ownMark ??= markIn(field);
      passes = Math.max(passes, passesIn(field));
    }
    if (start > kept) pieces.push(block.subarray(kept, start));
    kept = end;
  }
  if (kept === 0) pieces.push(block);
  else if (kept < block.length) pieces.push(block.subarray(kept));
  return { pieces, received, own, passes, ...(ownMark === undefined ? {} : { ownMark }) };
}

export function writtenBy(hostname: string): OwnHost {
  const escaped = hostname.replace(/[^A-Za-z0-9]/g, '\\$&');
  return { received: new RegExp(`\\sby\\s+${escaped}(?=[\\s;(]|$)`, 'i'), hostname };
}

/** The offset behind the field that starts here, its folded lines included. */
function fieldEnd(text: string, start: number): number {
  let at = text.indexOf('\r\n', start);
  while (at >= 0) {
    const next = text[at + 2];
    if (next !== ' ' && next !== '\t') return at + 2;
    at = text.indexOf('\r\n', at + 2);
  }
  return text.length;
}

function markIn(field: string): string | undefined {
  const match = /^x-gatepost-(?:notification|event)[ \t]*:([^]*)$/i.exec(field);
  return match?.[1]?.replace(/\s+/g, ' ').trim().slice(0, MAX_MARK);
}

/** Each message bears our ID, and from its second pass on the number of passes. */
function passesIn(field: string): number {
  if (/^x-gatepost-id[ \t]*:/i.test(field)) return 1;
  return Number(/^x-gatepost-passes[ \t]*:\s*(\d{1,4})\s*$/i.exec(field)?.[1] ?? 0);
}

const EMPTY_LINE = Buffer.from('\r\n\r\n');

/** Finds the empty line at the end of a header block that comes in pieces of canonical form. */
export class HeaderEnd {
  /** How many bytes of CRLFCRLF the bytes so far end with. The start of the data counts as the start of a line. */
  #matched = 2;

  /** @returns the offset behind the empty line, or -1 when it does not end in this piece */
  find(piece: Buffer): number {
    let at = 0;
    while (this.#matched > 0 && at < piece.length) {
      if (piece[at] !== EMPTY_LINE[this.#matched]) {
        this.#matched = 0;
        break;
      }
      at += 1;
      this.#matched += 1;
      if (this.#matched === EMPTY_LINE.length) return at;
    }
    if (this.#matched > 0) return -1;
    const found = piece.indexOf(EMPTY_LINE, at);
    if (found >= 0) return found + EMPTY_LINE.length;
    for (let length = Math.min(EMPTY_LINE.length - 1, piece.length - at); length > 0; length -= 1) {
      if (piece.compare(EMPTY_LINE, 0, length, piece.length - length) === 0) {
        this.#matched = length;
        break;
      }
    }
    return -1;
  }
}

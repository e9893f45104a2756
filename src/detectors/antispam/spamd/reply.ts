import { DetectorError } from '../../failure.js';
import type { Verdict } from '../engine.js';

const MAX_SYMBOLS = 500;

/** EX_UNAVAILABLE and others of sysexits.h, in words. */
const CODES: ReadonlyMap<number, string> = new Map([
  [64, 'it does not understand the request'],
  [65, 'it does not understand the message'],
  [66, 'it cannot read the message'],
  [69, 'it is unavailable'],
  [70, 'an internal error'],
  [74, 'an input or output error'],
  [75, 'a temporary failure'],
  [76, 'a protocol error'],
  [78, 'an error in its configuration'],
  [79, 'a timeout of its own'],
]);

/**
 * Reads what spamd answers to SYMBOLS: a status line, headers with `Spam: True ; 7.1 / 5.0`, an empty line, and names of
 * the rules that held, separated by commas.
 * @throws DetectorError when it is no verdict
 */
export function parseReply(text: string): Verdict {
  const end = /\r?\n\r?\n/.exec(text);
  const head = end === null ? text : text.slice(0, end.index);
  const body = end === null ? '' : text.slice(end.index + end[0].length);
  statusOf(head);
  const line =
    /^Spam:[ \t]*(?:True|False|Yes|No)[ \t]*;[ \t]*(-?\d{1,7}(?:\.\d{1,6})?)[ \t]*\/[ \t]*(-?\d{1,7}(?:\.\d{1,6})?)[ \t\r]*$/im.exec(
      head,
    );
  if (end === null || line === null) throw new DetectorError('spamd answered something that is no verdict');
  const length = /^Content-length:[ \t]*(\d{1,9})/im.exec(head)?.[1];
  if (length !== undefined && body.length < Number(length)) throw new DetectorError('spamd broke off its answer');
  return {
    score: Number(line[1]),
    required: Number(line[2]),
    symbols: body
      .split(/[\s,]+/, MAX_SYMBOLS)
      .filter((name) => /^[A-Za-z_][A-Za-z0-9_]{0,79}$/.test(name))
      .map((name) => ({ name })),
    notes: [],
  };
}

/**
 * Checks the status line, `SPAMD/1.1 0 EX_OK`.
 * @returns its text, such as `PONG`
 * @throws DetectorError unless the code is 0
 */
export function statusOf(head: string): string {
  const match = /^SPAMD\/\d{1,3}\.\d{1,3} (\d{1,5}) ([^\r\n]{0,200})/.exec(head);
  if (match === null) throw new DetectorError('spamd answered something that is no verdict');
  const code = Number(match[1]);
  if (code !== 0) throw new DetectorError(`spamd refused: ${CODES.get(code) ?? `code ${code}`}`);
  return match[2] ?? '';
}

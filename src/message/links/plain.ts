import { parse } from 'tldts';

/** Characters of one address in running text. */
const MAX_LENGTH = 4096;
const MAX_HOST = 253;

const SCHEMES: readonly string[] = ['https', 'http', 'ftp', 'wss', 'ws', 'file'];
/** Top-level domains that are file name extensions as well: such a name alone is no link. */
const FILE_LIKE: ReadonlySet<string> = new Set('zip mov app name data foo'.split(' '));
/** Characters that nobody sees and that clients leave out; searching for each is faster than for the class. */
const HIDDEN: readonly string[] = ['\u00ad', '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff'];
const INVISIBLE = /[\u00ad\u200b-\u200d\u2060\ufeff]/g;
const CLOSING: ReadonlyMap<string, string> = new Map([
  [')', '('],
  [']', '['],
  ['}', '{'],
]);

/**
 * Addresses in running text, in the way mail clients make links of them: with a scheme, with www. in front, names under
 * a public top-level domain with a path behind, or under one of at least three letters. Linear.
 * @param max how many are looked for
 * @param bare without it only those with a scheme: names with dots are something else in programs
 */
export function findAddresses(given: string, max: number, bare = true): readonly string[] {
  const text = HIDDEN.some((char) => given.includes(char)) ? given.replace(INVISIBLE, '') : given;
  const found: string[] = [];
  let at = 0;
  let scheme = nextScheme(text, 0);
  let dot = bare ? text.indexOf('.') : -1;
  while (found.length < max) {
    if (scheme >= 0 && scheme < at) scheme = nextScheme(text, at);
    if (dot >= 0 && dot < at) dot = text.indexOf('.', at);
    if (scheme < 0 && dot < 0) break;
    const hit = scheme >= 0 && (dot < 0 || scheme < dot) ? withScheme(text, scheme, at) : bareHost(text, dot, at);
    if (hit.raw !== undefined) found.push(hit.raw);
    at = hit.next;
  }
  return found;
}

interface Hit {
  readonly raw?: string;
  /** Where to go on. */
  readonly next: number;
}

/** Position of `://` or `:\\`. */
function nextScheme(text: string, from: number): number {
  for (let at = text.indexOf(':', from); at >= 0; at = text.indexOf(':', at + 1)) {
    const first = text.charCodeAt(at + 1);
    if ((first === 0x2f || first === 0x5c) && text.charCodeAt(at + 2) === first) return at;
  }
  return -1;
}

function withScheme(text: string, colon: number, floor: number): Hit {
  const before = text.slice(Math.max(floor, colon - 5), colon).toLowerCase();
  const scheme = SCHEMES.find((one) => before.endsWith(one));
  if (scheme === undefined) return { next: colon + 3 };
  const start = colon - scheme.length;
  const bracketed = text.charCodeAt(start - 1) === 0x3c ? inBrackets(text, start) : undefined;
  if (bracketed !== undefined) return bracketed;
  const end = endOfAddress(text, start);
  const raw = trimEnd(text.slice(start, end));
  return raw.length > scheme.length + 3 ? { raw, next: end } : { next: Math.max(end, colon + 3) };
}

/** `<https://...>` may go over several lines (RFC 3986 appendix C). */
function inBrackets(text: string, start: number): Hit | undefined {
  const piece = text.slice(start, start + MAX_LENGTH);
  const close = piece.search(/[<>"]/);
  if (close < 0 || piece.charCodeAt(close) !== 0x3e) return undefined;
  const inner = piece.slice(0, close);
  // Blanks within a line are no line break: it is a sentence in brackets.
  if (/\S[^\S\r\n]+\S/.test(inner)) return undefined;
  return { raw: inner.replace(/\s+/g, ''), next: start + close + 1 };
}

function bareHost(text: string, dot: number, floor: number): Hit {
  if (!isHostCode(text.charCodeAt(dot - 1)) || !isHostCode(text.charCodeAt(dot + 1))) return { next: dot + 1 };
  let start = dot;
  const low = Math.max(floor, dot - MAX_HOST);
  while (start > low && isHostCode(text.charCodeAt(start - 1))) start -= 1;
  let end = dot;
  const high = Math.min(text.length, start + MAX_HOST);
  while (end < high && (isHostCode(text.charCodeAt(end)) || text.charCodeAt(end) === 0x2e)) end += 1;
  const behind = text.charAt(end);
  // An address of mail, a path, or a part of a word that is no host name.
  if (behind === '@' || behind === '_' || /[@/\\_=%&+]/.test(text.charAt(start - 1))) return { next: end };
  while (end > start && !isHostCode(text.charCodeAt(end - 1))) end -= 1;
  const host = text.slice(start, end);
  const hasPath = /[/?#:]/.test(behind) && (behind !== ':' || /^:\d/.test(text.slice(end, end + 2)));
  if (!isLinked(host, behind === '/')) return { next: Math.max(end, dot + 1) };
  const stop = hasPath ? endOfAddress(text, start) : end;
  return { raw: trimEnd(text.slice(start, stop)), next: Math.max(stop, dot + 1) };
}

function isLinked(host: string, hasPath: boolean): boolean {
  if (/^www\d{0,3}\.[^.]+\.[^.]/i.test(host)) return true;
  const { isIcann, publicSuffix, domain } = parse(host.toLowerCase(), { extractHostname: false });
  if (isIcann !== true || publicSuffix === null || domain === null) return false;
  const top = publicSuffix.slice(publicSuffix.lastIndexOf('.') + 1);
  return hasPath || (top.length > 2 && !FILE_LIKE.has(top));
}

function endOfAddress(text: string, start: number): number {
  const high = Math.min(text.length, start + MAX_LENGTH);
  let at = start;
  while (at < high && !endsAddress(text.charCodeAt(at))) at += 1;
  return at;
}

function endsAddress(code: number): boolean {
  return (
    code <= 0x20 ||
    code === 0x22 ||
    code === 0x3c ||
    code === 0x3e ||
    code === 0x60 ||
    (code >= 0x7f && code <= 0xa0) ||
    code === 0xab ||
    code === 0xbb ||
    (code >= 0x2000 && code <= 0x200a) ||
    (code >= 0x2018 && code <= 0x201f) ||
    code === 0x3000
  );
}

/** What ends a sentence around an address is not part of it; a closing bracket is when it was opened inside. */
function trimEnd(address: string): string {
  let end = address.length;
  const excess = new Map<string, number>();
  for (const [close, open] of CLOSING) excess.set(close, count(address, close) - count(address, open));
  for (; end > 0; end -= 1) {
    const last = address.charAt(end - 1);
    const left = excess.get(last);
    if (left === undefined ? !/[.,;:!?'*_~|\u2026]/.test(last) : left <= 0) break;
    if (left !== undefined) excess.set(last, left - 1);
  }
  return address.slice(0, end);
}

function count(text: string, char: string): number {
  let found = 0;
  for (let at = text.indexOf(char); at >= 0; at = text.indexOf(char, at + 1)) found += 1;
  return found;
}

/** Letters and digits of any script, and dashes. */
function isHostCode(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    (code > 0xbf && !endsAddress(code) && code !== 0xfffd)
  );
}

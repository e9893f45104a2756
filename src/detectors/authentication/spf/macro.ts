import ipaddr from 'ipaddr.js';
import { SpfSyntaxError, type MacroPart, type MacroString, type SpfQuestion } from './types.js';

const MACRO = /^%\{([slodiphcrtv])(\d{0,3})(r?)([-.+,/_=]*)\}/i;
const LITERAL = /^[\x21-\x24\x26-\x7e]+/;
/** Only in an explanation (RFC 7208 7.2). */
const EXPLANATION_ONLY = 'crt';

/**
 * Parses a macro-string (RFC 7208 7.1).
 * @throws SpfSyntaxError
 */
export function parseMacroString(text: string): MacroString {
  const parts: MacroPart[] = [];
  let rest = text;
  while (rest !== '') {
    const literal = LITERAL.exec(rest)?.[0];
    if (literal !== undefined) {
      parts.push({ kind: 'text', text: literal });
      rest = rest.slice(literal.length);
      continue;
    }
    const fixed = { '%%': '%', '%_': ' ', '%-': '%20' }[rest.slice(0, 2)];
    if (fixed !== undefined) {
      parts.push({ kind: 'text', text: fixed });
      rest = rest.slice(2);
      continue;
    }
    const match = MACRO.exec(rest);
    if (match === null) throw new SpfSyntaxError('a macro that cannot be read');
    const [whole, letter = '', digits = '', reverse, delimiters] = match;
    if (digits !== '' && Number(digits) === 0) throw new SpfSyntaxError('a macro that keeps no part');
    if (EXPLANATION_ONLY.includes(letter.toLowerCase()))
      throw new SpfSyntaxError('a macro that only an explanation may bear');
    parts.push({
      kind: 'macro',
      letter: letter.toLowerCase(),
      escape: letter >= 'A' && letter <= 'Z',
      keep: Number(digits),
      reverse: reverse !== '',
      delimiters: delimiters === undefined || delimiters === '' ? '.' : delimiters,
    });
    rest = rest.slice(whole.length);
  }
  return parts;
}

/**
 * Parses a domain-spec (RFC 7208 7.1): it ends in a macro or in a top label behind a dot.
 * @throws SpfSyntaxError
 */
export function parseDomainSpec(text: string): MacroString {
  const parts = parseMacroString(text);
  const last = parts.at(-1);
  if (last === undefined) throw new SpfSyntaxError('a domain that is missing');
  // `%%`, `%_` and `%-` end a domain-spec as well: macro-expand is all of these.
  const endsInMacro = last.kind === 'macro' || /%[%_-]$/.test(text);
  if (!endsInMacro && !/\.(?:[a-z0-9]*[a-z][a-z0-9]*|[a-z0-9]+-[a-z0-9-]*[a-z0-9])\.?$/i.test(last.text))
    throw new SpfSyntaxError('a domain without a top label');
  return parts;
}

/** Expands a macro-string. `validated` looks up the name that `%{p}` means, when it is needed. */
export async function expand(
  parts: MacroString,
  domain: string,
  question: SpfQuestion,
  validated: () => Promise<string>,
): Promise<string> {
  let result = '';
  for (const part of parts) {
    if (part.kind === 'text') {
      result += part.text;
      continue;
    }
    const value = part.letter === 'p' ? await validated() : valueOf(part.letter, domain, question);
    const transformed = transform(value, part);
    result += part.escape ? escapeUrl(transformed) : transformed;
  }
  return result;
}

/** Expands a domain-spec to a name that can be looked up: at most 253 characters, left labels dropped (RFC 7208 7.3). */
export async function expandDomain(...given: Parameters<typeof expand>): Promise<string> {
  let name = (await expand(...given)).replace(/\.$/, '');
  while (name.length > 253) {
    const dot = name.indexOf('.');
    if (dot < 0) return name;
    name = name.slice(dot + 1);
  }
  return name;
}

function valueOf(letter: string, domain: string, { ip, sender, helo }: SpfQuestion): string {
  switch (letter) {
    case 's':
      return `${sender.local}@${sender.domain}`;
    case 'l':
      return sender.local;
    case 'o':
      return sender.domain;
    case 'd':
      return domain;
    case 'i':
      return dottedAddress(ip);
    case 'v':
      return ip.includes(':') ? 'ip6' : 'in-addr';
    default:
      return helo;
  }
}

/** `192.0.2.1`, or the 32 nibbles of an IPv6 address with dots between them (RFC 7208 7.3). */
export function dottedAddress(ip: string): string {
  const bytes = ipaddr.parse(ip).toByteArray();
  if (bytes.length === 4) return bytes.join('.');
  return bytes.flatMap((byte) => [(byte >> 4).toString(16), (byte & 15).toString(16)]).join('.');
}

function transform(value: string, { keep, reverse, delimiters }: Extract<MacroPart, { kind: 'macro' }>): string {
  let pieces: string[] = [];
  let piece = '';
  for (const character of value) {
    if (delimiters.includes(character)) {
      pieces.push(piece);
      piece = '';
    } else piece += character;
  }
  pieces.push(piece);
  if (reverse) pieces = pieces.reverse();
  if (keep > 0) pieces = pieces.slice(-keep);
  return pieces.join('.');
}

/** Escapes all but unreserved characters (RFC 3986 2.3). */
function escapeUrl(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

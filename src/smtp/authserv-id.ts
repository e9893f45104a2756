import { domainToASCII } from 'node:url';

/**
 * Whether the value of an Authentication-Results field claims to be written by the host: its authserv-id (RFC 8601
 * 2.2), behind comments and folds, as a token or in quotes, in any case. A value that cannot be read counts when the
 * host's name stands anywhere in it: what another reader would make of it is not known.
 */
export function bearsId(value: string, hostname: string): boolean {
  const id = authservId(value);
  if (id === undefined) return value.toLowerCase().includes(hostname.toLowerCase());
  // The header is read byte by byte; an internationalized one is UTF-8 (RFC 6532).
  return plain(Buffer.from(id, 'latin1').toString('utf8')) === plain(hostname);
}

/** The authserv-id, or undefined when the value does not begin with one. */
export function authservId(value: string): string | undefined {
  const start = skipComments(value, 0);
  if (start === undefined) return undefined;
  const rest = value.slice(start, start + 1024);
  const quoted = /^"((?:[^"\\]|\\[^])*)"/.exec(rest)?.[1];
  if (quoted !== undefined) return quoted.replace(/\r\n/g, '').replace(/\\([^])/g, '$1');
  return /^[^\s;()"]+/.exec(rest)?.[0];
}

/** The offset behind white space and comments, which may be nested (RFC 5322 3.2.2); undefined when one is not closed. */
function skipComments(value: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < value.length; at += 1) {
    const character = value[at];
    if (character === '(') depth += 1;
    else if (character === ')' && depth > 0) depth -= 1;
    else if (character === '\\' && depth > 0) at += 1;
    else if (depth === 0 && !/\s/.test(character ?? '')) return at;
  }
  return undefined;
}

/** Names that mean the same host: any case, with or without a final dot, U-labels as A-labels. */
function plain(name: string): string {
  const lower = name.trim().toLowerCase().replace(/\.$/, '');
  return /^[\x20-\x7e]*$/.test(lower) ? lower : domainToASCII(lower);
}

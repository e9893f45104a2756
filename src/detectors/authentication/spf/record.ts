import { isIPv4, isIPv6 } from 'node:net';
import { parseDomainSpec, parseMacroString } from './macro.js';
import { SpfSyntaxError, type DualCidr, type Mechanism, type Qualifier, type SpfRecord } from './types.js';

/** Records larger than this are wrong whatever they say; RFC 7208 3.4 recommends 450 bytes. */
const MAX_RECORD = 8192;
const MODIFIER = /^([a-z][a-z0-9._-]*)=(.*)$/i;
const DIRECTIVE = /^([-+?~]?)([a-z0-9]+)(?=[:/]|$)(.*)$/i;

/** Whether a TXT record is an SPF record (RFC 7208 4.5). */
export function isSpfRecord(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text);
}

/**
 * Parses a record that `isSpfRecord` takes (RFC 7208 4.6.1, 12): any error in it spoils all of it.
 * @throws SpfSyntaxError
 */
export function parseSpfRecord(text: string): SpfRecord {
  if (text.length > MAX_RECORD) throw new SpfSyntaxError('a record that is too long');
  if (/[^\x20-\x7e]/.test(text)) throw new SpfSyntaxError('a record with characters outside ASCII');
  const mechanisms: Mechanism[] = [];
  let redirect: SpfRecord['redirect'];
  let explained = false;
  for (const term of text.split(' ').slice(1)) {
    if (term === '') continue;
    const modifier = MODIFIER.exec(term);
    if (modifier === null) {
      mechanisms.push(parseDirective(term));
      continue;
    }
    const [, name = '', value = ''] = modifier;
    switch (name.toLowerCase()) {
      case 'redirect':
        if (redirect !== undefined) throw new SpfSyntaxError('two redirect modifiers');
        redirect = parseDomainSpec(value);
        break;
      case 'exp':
        if (explained) throw new SpfSyntaxError('two exp modifiers');
        explained = true;
        parseDomainSpec(value);
        break;
      default:
        // What is unknown is passed over, but has to be a macro-string. Letters of explanations may stand in it.
        parseMacroString(value.replace(/%\{[crt]/gi, '%{d'));
    }
  }
  return { mechanisms, ...(redirect === undefined ? {} : { redirect }) };
}

function parseDirective(term: string): Mechanism {
  const match = DIRECTIVE.exec(term);
  if (match === null) throw new SpfSyntaxError('a term that cannot be read');
  const [, sign = '', name = '', rest = ''] = match;
  const qualifier = qualifierOf(sign);
  switch (name.toLowerCase()) {
    case 'all':
      if (rest !== '') throw new SpfSyntaxError('`all` with something behind it');
      return { type: 'all', qualifier };
    case 'include':
      return { type: 'include', qualifier, domain: parseDomainSpec(argument(rest)) };
    case 'exists':
      return { type: 'exists', qualifier, domain: parseDomainSpec(argument(rest)) };
    case 'a':
      return { type: 'a', qualifier, ...parseHost(rest) };
    case 'mx':
      return { type: 'mx', qualifier, ...parseHost(rest) };
    case 'ptr':
      return { type: 'ptr', qualifier, ...(rest === '' ? {} : { domain: parseDomainSpec(argument(rest)) }) };
    case 'ip4':
      return { type: 'ip4', qualifier, ...parseNetwork(argument(rest), isIPv4, 32) };
    case 'ip6':
      return { type: 'ip6', qualifier, ...parseNetwork(argument(rest), isIPv6, 128) };
    default:
      throw new SpfSyntaxError('an unknown mechanism');
  }
}

function qualifierOf(sign: string): Qualifier {
  return sign === '-' || sign === '~' || sign === '?' ? sign : '+';
}

/** What stands behind the colon. */
function argument(rest: string): string {
  if (!rest.startsWith(':') || rest === ':') throw new SpfSyntaxError('a mechanism without its argument');
  return rest.slice(1);
}

/** `[":" domain-spec] [dual-cidr-length]` (RFC 7208 5.3). */
function parseHost(rest: string): { readonly domain?: SpfRecord['redirect'] & object; readonly cidr: DualCidr } {
  const match = /^(.*?)(?:\/(\d+))?(?:\/\/(\d+))?$/.exec(rest);
  const [, domain = '', v4, v6] = match ?? [];
  const cidr = { v4: prefix(v4, 32), v6: prefix(v6, 128) };
  return domain === '' ? { cidr } : { domain: parseDomainSpec(argument(domain)), cidr };
}

function parseNetwork(
  text: string,
  is: (address: string) => boolean,
  longest: number,
): { readonly address: string; readonly prefix: number } {
  const [, address = '', length] = /^([^/]*)(?:\/(.*))?$/.exec(text) ?? [];
  if (!is(address) || address.includes('%')) throw new SpfSyntaxError('an address that is none');
  return { address, prefix: prefix(length, longest) };
}

/** A prefix length without leading zeros. */
function prefix(text: string | undefined, longest: number): number {
  if (text === undefined) return longest;
  if (!/^(?:0|[1-9]\d{0,2})$/.test(text) || Number(text) > longest)
    throw new SpfSyntaxError('a prefix length that is none');
  return Number(text);
}

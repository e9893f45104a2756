import { isIP } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parse } from 'tldts';
import { excerptOf } from '../../config/excerpt.js';
import type { Problem } from '../../config/problems.js';
import { parseTarget } from '../../message/links/parse.js';
import { asciiHost, withParents } from './names.js';
import { HashSetBuilder, hashSetHas, type HashSet } from './url-hash.js';

/** A list of blocked hosts and addresses, ready to be asked. Plain data; the hashes are shared by all threads. */
export interface UrlList {
  /** Base name of the file. */
  readonly name: string;
  readonly hashes: HashSet;
  readonly entries: number;
  /** ms since the epoch at which the file was last changed. */
  readonly modified: number;
}

export interface ParsedList {
  readonly hashes: HashSet;
  readonly entries: number;
  readonly problems: readonly Problem[];
}

/** Lines after which others get a turn: a long list is read while mail comes in. */
const TURN = 20_000;
const MAX_PROBLEMS = 10;
const MAX_LINE = 8192;
/** Names in a hosts file that are no blocked ones. */
const LOCAL_NAMES: ReadonlySet<string> = new Set(
  'localhost localhost.localdomain local broadcasthost ip6-localhost ip6-loopback ip6-localnet ip6-mcastprefix ip6-allnodes ip6-allrouters ip6-allhosts 0.0.0.0'.split(
    ' ',
  ),
);

/**
 * Reads a list: a host, a domain or an address a line, or lines of a hosts file; `#` starts a comment. A line that is
 * none of these is a warning with its place.
 * @param file path as the author would write it, for the problems
 */
export async function parseUrlList(text: string, file: string): Promise<ParsedList> {
  const builder = new HashSetBuilder();
  const problems: Problem[] = [];
  let entries = 0;
  let bad = 0;
  let number = 0;
  for (let start = 0; start < text.length;) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    number += 1;
    const keys = keysOfLine(text.slice(start, Math.min(end, start + MAX_LINE)));
    if (typeof keys === 'string') {
      bad += 1;
      if (problems.length < MAX_PROBLEMS)
        problems.push({
          severity: 'warning',
          place: { file, line: number, column: 1, ...excerptOf(text.slice(start, end).trimEnd(), 1) },
          message: keys,
          hint: 'write one host, domain or address a line; this line has no effect',
        });
    } else {
      for (const key of keys) builder.add(key);
      entries += keys.length;
    }
    start = end + 1;
    if (number % TURN === 0) await nextTurn();
  }
  if (bad > MAX_PROBLEMS)
    problems.push({ severity: 'warning', message: `${file}: ${bad} lines are no hosts, domains or addresses` });
  if (entries === 0 && bad > 0)
    problems.push({ severity: 'error', message: `${file} is no list of hosts, domains or addresses` });
  return { hashes: builder.build(), entries, problems };
}

/** Keys of what a line names, or what is wrong with it. */
function keysOfLine(line: string): readonly string[] | string {
  const text = withoutComment(line);
  if (text === '') return [];
  if (isPlainHost(text)) return hostKeys(text);
  const words = text.split(/\s+/);
  const [first = '', ...names] = words;
  if (names.length > 0) {
    if (isIP(first) === 0) return `"${first.slice(0, 60)} ..." is no host, domain or address`;
    const hosts = names.map((name) => name.toLowerCase()).filter((name) => !LOCAL_NAMES.has(name));
    const keys: string[] = [];
    for (const host of hosts) {
      const key = hostKeys(host);
      if (typeof key === 'string') return key;
      keys.push(...key);
    }
    return keys;
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || text.includes('/')) return addressKeys(text);
  // `||example.org^`, `*.example.org` and `.example.org` mean the domain.
  return hostKeys(text.replace(/^(?:\|\||\*\.|\.)/, '').replace(/\^$/, ''));
}

function withoutComment(line: string): string {
  let text = line;
  // A byte order mark is what Windows editors put in front.
  if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
  if (text.startsWith('#') || text.startsWith('!') || text.startsWith(';')) return '';
  if (text.includes('#')) {
    // Behind an address `#` may be a part of it.
    const comment = /\s#/.exec(text);
    if (comment !== null) text = text.slice(0, comment.index);
  }
  return text.trim();
}

/** A name in the form in which almost all lines stand: no further reading is needed. */
function isPlainHost(text: string): boolean {
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.[a-z][a-z0-9-]*[a-z]$/.test(text) && !text.startsWith('xn--');
}

function hostKeys(given: string): readonly string[] | string {
  const host = isPlainHost(given) || isIP(given) !== 0 ? given : asciiHost(given.replace(/^\[|\]$/g, ''));
  if (LOCAL_NAMES.has(host)) return [];
  if (host === '' || (!host.includes('.') && !host.includes(':')) || /[\s/]/.test(host))
    return `"${given.slice(0, 60)}" is no host, domain or address`;
  if (isShort(host) && isIP(host) === 0 && isSuffix(host)) return `"${host}" would take all domains under it`;
  return [host];
}

/** Only short names with one or two dots can be public suffixes: all others need no look at the list of these. */
function isShort(host: string): boolean {
  return host.length <= 12 && host.indexOf('.') === host.lastIndexOf('.');
}

function isSuffix(host: string): boolean {
  return parse(host, { extractHostname: false, validateHostname: false }).domain === null;
}

function addressKeys(text: string): readonly string[] | string {
  const target = parseTarget(text);
  if (target === undefined || target.domain === '') return `"${text.slice(0, 60)}" is no address`;
  // An address without a path means the whole host.
  return [/^[^/]*\/\/[^/]*\/?$/.test(target.url) ? target.domain : addressKey(target.url)];
}

/** An address without scheme, user and fragment. */
export function addressKey(url: string): string {
  const start = url.indexOf('//') + 2;
  const hash = url.indexOf('#', start);
  const rest = url.slice(start, hash < 0 ? undefined : hash);
  const slash = rest.indexOf('/');
  const at = rest.lastIndexOf('@', slash < 0 ? rest.length : slash);
  return at < 0 ? rest : rest.slice(at + 1);
}

/** Whether the list names the host, a domain above it, or the address, with its query or without. */
export function listTakes(list: UrlList, domain: string, url: string): boolean {
  if (isIP(domain) !== 0) {
    if (hashSetHas(list.hashes, domain)) return true;
  } else if (withParents(domain).some((name) => hashSetHas(list.hashes, name))) return true;
  const key = addressKey(url);
  if (hashSetHas(list.hashes, key)) return true;
  const query = key.indexOf('?');
  return query >= 0 && hashSetHas(list.hashes, key.slice(0, query));
}

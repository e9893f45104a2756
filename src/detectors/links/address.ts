import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Link } from '../../message/types.js';
import { organization } from './names.js';
import type { LinkFinding } from './verdict.js';

/** Networks that are nobody's on the Internet: links to printers, monitors and build servers. */
const INSIDE: ReadonlySet<string> = new Set([
  'private',
  'loopback',
  'linkLocal',
  'uniqueLocal',
  'carrierGradeNat',
  'unspecified',
]);

/** Schemes of the system that were made to run something. */
const DANGEROUS: ReadonlySet<string> = new Set(
  'search-ms search ms-msdt ms-officecmd ms-appinstaller vbscript jscript ms-its its mk hcp shell'.split(' '),
);

/** Media types that run scripts when they are opened. */
const ACTIVE_DATA =
  /^data:\s*(?:text\/(?:html|xml|xsl|javascript)|image\/svg|application\/(?:xml|javascript|[\w.-]{1,60}\+xml))/i;

/** What pages use for a link that does nothing. */
const IDLE_SCRIPT =
  /^javascript:\s*(?:(?:void\s*\(?\s*0?\s*\)?|window\.print\(\)|print\(\)|history\.(?:back\(\)|go\(-1\))|return\s+false|false|0|%20)?\s*;?\s*)*$/i;

/** What the address itself shows, whatever name stands in it. */
export function checkAddress(link: Link, trusts: (host: string) => boolean): LinkFinding | undefined {
  const { url, domain, raw } = link;
  const scheme = url.slice(0, url.indexOf(':')).toLowerCase();
  // Mail programs of Windows open `\\host\file` as a file; browsers make `https:` of it.
  const isFile = scheme === 'file' || /^\s*\\\\/.test(raw);
  // A name of the local network is a share at work; anything else gets the reader's password hash.
  if (isFile && domain.includes('.') && !trusts(domain) && !isInside(domain))
    return malicious('the link opens a file on another server');
  if (scheme === 'http' || scheme === 'https' || scheme === 'ftp') return web(link, scheme);
  if (DANGEROUS.has(scheme)) return malicious(`a link of the kind ${scheme}:`);
  if (scheme === 'javascript' && link.kind !== 'script' && !IDLE_SCRIPT.test(url))
    return malicious('the link runs a script');
  if (scheme === 'data' && ACTIVE_DATA.test(url) && link.kind !== 'css')
    return malicious('the link holds a page of its own');
  return undefined;
}

function web({ url, raw, domain }: Link, scheme: string): LinkFinding | undefined {
  const user = userOf(url);
  if (user !== undefined && scheme !== 'ftp') {
    const reason = 'another name stands before the @ of the address';
    if (/[a-z0-9-](?:\.|%2e)[a-z]/i.test(user)) return { status: 'phishing', reason };
    return { status: 'suspicious-link', reason: 'a user name stands in the address' };
  }
  if (isIP(domain) === 0) return undefined;
  if (!isPlainAddress(raw, domain)) return { status: 'phishing', reason: 'the address hides an IP address' };
  return isInside(domain) ? undefined : malicious('an IP address stands in place of a name');
}

/** What stands before the @ of the authority. */
function userOf(url: string): string | undefined {
  const start = url.indexOf('//');
  if (start < 0) return undefined;
  const authority = url.slice(start + 2).split(/[/?#]/, 1)[0] ?? '';
  const at = authority.lastIndexOf('@');
  return at < 0 ? undefined : authority.slice(0, at);
}

/** Whether the IP address is written as it usually is: 0x7f.1 and 2130706433 are meant to be overlooked. */
function isPlainAddress(raw: string, address: string): boolean {
  if (address.includes(':')) return raw.includes('[');
  return raw.includes(address);
}

function isInside(host: string): boolean {
  if (isIP(host) === 0) return false;
  return INSIDE.has(ipaddr.process(host).range());
}

/** A form that sends a password to somebody else. */
export function checkForm(link: Link, trusts: (host: string) => boolean): LinkFinding | undefined {
  if (link.password !== true || link.domain === '' || trusts(link.domain)) return undefined;
  return { status: 'phishing', reason: `a form sends a password to ${organization(link.domain)}` };
}

function malicious(reason: string): LinkFinding {
  return { status: 'malicious-link', reason };
}

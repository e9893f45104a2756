import { domainToASCII, domainToUnicode } from 'node:url';
import { parse } from 'tldts';

/** What can be registered, and under what: `example` and `co.uk` of `www.example.co.uk`. */
export interface Registrable {
  readonly domain: string;
  readonly label: string;
  readonly suffix: string;
}

const OPTIONS = { extractHostname: false, validateHostname: false, allowPrivateDomains: true } as const;
const MAX_KEPT = 10_000;
const kept = new Map<string, Registrable | undefined>();

/**
 * The registrable domain of a host by the public suffix list, its private part included; an unknown top-level domain
 * counts as a suffix. Undefined for IP addresses, single names and suffixes themselves.
 * @param host in lower case and ASCII form
 */
export function registrable(host: string): Registrable | undefined {
  if (kept.has(host)) return kept.get(host);
  const { domain, domainWithoutSuffix, publicSuffix, isIp } = parse(host, OPTIONS);
  const found =
    domain === null || domainWithoutSuffix === null || publicSuffix === null || isIp === true
      ? undefined
      : { domain, label: domainWithoutSuffix, suffix: publicSuffix };
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(host, found);
  return found;
}

/** The registrable domain, or the host itself where there is none. */
export function organization(host: string): string {
  return registrable(host)?.domain ?? host;
}

/** Lower case, ASCII form, no dots around; empty when it is no host name. */
export function asciiHost(text: string): string {
  return domainToASCII(text.trim().toLowerCase()).replace(/^\.+|\.+$/g, '');
}

/** A label or host as people see it. */
export function shownForm(host: string): string {
  if (!host.includes('xn--')) return host;
  const shown = domainToUnicode(host);
  return shown === '' ? host : shown;
}

/** The host and each domain above it that has at least two labels: `a.b.c` and `b.c`. */
export function withParents(host: string): string[] {
  const names = [host];
  for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
    const parent = host.slice(dot + 1);
    if (!parent.includes('.')) break;
    names.push(parent);
  }
  return names;
}

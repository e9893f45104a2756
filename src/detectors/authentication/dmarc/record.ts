import { DnsFailure, type Dns } from '../dns.js';
import { organizationalDomain } from '../names.js';
import type { DmarcPolicy } from '../types.js';

export interface DmarcRecord {
  /** What holds for the domain that was asked for: `sp` of the organizational domain's record for one below it. */
  readonly policy: DmarcPolicy;
  readonly strictDkim: boolean;
  readonly strictSpf: boolean;
  /** Share of failing messages that the policy is meant for, 0 to 100. */
  readonly percent: number;
}

/** Characters of one record that are looked at. */
const MAX_LENGTH = 32 * 1024;
const POLICIES: readonly string[] = ['none', 'quarantine', 'reject'] satisfies DmarcPolicy[];

/**
 * Policy discovery (RFC 7489 6.6.3): the record of the domain, else of its organizational domain.
 * @returns undefined where DMARC does not apply
 * @throws DnsFailure
 */
export async function findDmarcRecord(domain: string, dns: Dns): Promise<DmarcRecord | undefined> {
  const own = await recordsAt(domain, dns);
  if (own.length > 0) return own.length === 1 ? parseDmarcRecord(own[0] ?? '', false) : undefined;
  const organization = organizationalDomain(domain);
  if (organization === domain) return undefined;
  const above = await recordsAt(organization, dns);
  return above.length === 1 ? parseDmarcRecord(above[0] ?? '', true) : undefined;
}

async function recordsAt(domain: string, dns: Dns): Promise<readonly string[]> {
  const name = `_dmarc.${domain}`;
  if (name.length > 253) throw new DnsFailure('the domain is too long');
  return (await dns.txt(name)).filter((text) => /^v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/.test(text));
}

/**
 * Reads a record that begins with its version. Its policies alone can spoil it: errors elsewhere are passed over, and
 * what they leave out has its default (RFC 7489 6.3).
 * @param below the domain that was asked for is one below the record's
 */
export function parseDmarcRecord(text: string, below: boolean): DmarcRecord | undefined {
  const tags = readTags(text);
  const p = policyOf(tags.get('p'));
  const sp = tags.has('sp') ? policyOf(tags.get('sp')) : p;
  const valid = p !== undefined && sp !== undefined;
  // RFC 7489 6.6.3 step 6: a record without a usable policy that asks for reports is one that only watches.
  if (!valid && !/^mailto:.+@/i.test(tags.get('rua') ?? '')) return undefined;
  const percent = tags.get('pct') ?? '100';
  return {
    policy: !valid ? 'none' : below ? sp : p,
    strictDkim: tags.get('adkim')?.toLowerCase() === 's',
    strictSpf: tags.get('aspf')?.toLowerCase() === 's',
    percent: /^\d{1,3}$/.test(percent) ? Math.min(Number(percent), 100) : 100,
  };
}

/** Values by name, without white space around them: the first of each name; parts that are no `name=value` are not. */
function readTags(text: string): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  for (const part of text.slice(0, MAX_LENGTH).split(';')) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(equals, 0)).trim();
    if (/^[A-Za-z][A-Za-z0-9_]*$/.test(name) && !tags.has(name)) tags.set(name, part.slice(equals + 1).trim());
  }
  return tags;
}

function policyOf(text: string | undefined): DmarcPolicy | undefined {
  const lower = text?.toLowerCase();
  return POLICIES.find((policy): policy is DmarcPolicy => policy === lower);
}

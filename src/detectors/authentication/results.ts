import type { Finding, MethodResult } from '../types.js';
import { isAligned } from './dmarc/evaluate.js';
import type { SenderOutcome } from './spf/check-sender.js';
import type { ArcOutcome, AuthResult, DmarcOutcome, SignatureOutcome } from './types.js';

const MODULE = 'authentication';
/** Signatures that are named in a finding. */
const MAX_NAMED = 5;

export function spfFinding({ result, identity, domain, reason }: SenderOutcome, sender: string): Finding {
  const property = identity === 'helo' ? { 'smtp.helo': domain } : { 'smtp.mailfrom': sender };
  return {
    module: MODULE,
    status: 'spf',
    name: result,
    detail: domain === '' ? reason : `${identity}=${domain}: ${reason}`,
    results: [{ method: 'spf', result, properties: property }],
  };
}

/**
 * One finding for all signatures: a valid one is enough. The detail of a pass names the domains that passed as
 * `d=DOMAIN`, those of From first, and no others: who asks whether a domain stands behind the message reads it there.
 */
export function dkimFinding(signatures: readonly SignatureOutcome[], from: readonly string[]): Finding {
  const aligned = (one: SignatureOutcome): boolean => from.some((domain) => isAligned(one.domain, domain, false));
  const ordered = [...signatures.filter(aligned), ...signatures.filter((one) => !aligned(one))];
  const passed = ordered.filter((one) => one.result === 'pass');
  const [telling] = passed.length > 0 ? passed : ordered.toSorted((a, b) => rank(a.result) - rank(b.result));
  if (telling === undefined) {
    const none: MethodResult = { method: 'dkim', result: 'none', properties: {} };
    return { module: MODULE, status: 'dkim', name: 'none', detail: 'the message is not signed', results: [none] };
  }
  const domains = [...new Set(passed.map((one) => one.domain))].slice(0, MAX_NAMED).map((domain) => `d=${domain}`);
  return {
    module: MODULE,
    status: 'dkim',
    name: telling.result,
    detail: passed.length > 0 ? domains.join(', ') : `${telling.domain || 'a signature'}: ${telling.reason}`,
    results: ordered.slice(0, MAX_NAMED).map(({ result, domain, selector, mark }) => ({
      method: 'dkim',
      result,
      properties: {
        ...(domain === '' ? {} : { 'header.d': domain }),
        ...(selector === '' ? {} : { 'header.s': selector }),
        ...(mark === '' ? {} : { 'header.b': mark }),
      },
    })),
  };
}

/** Which result speaks for a message without a valid signature: what may still become a pass, then what is wrong. */
const RANK: readonly AuthResult[] = ['temperror', 'fail', 'permerror', 'neutral', 'none'];

function rank(result: AuthResult): number {
  return RANK.indexOf(result);
}

export function dmarcFinding({ result, domain, policy, reason }: DmarcOutcome): Finding {
  const properties = domain === '' ? {} : { 'header.from': domain };
  return {
    module: MODULE,
    status: 'dmarc',
    name: result,
    detail: domain === '' ? reason : `${domain}: ${reason}`,
    ...(policy === undefined ? {} : { policy }),
    results: [{ method: 'dmarc', result, properties }],
  };
}

export function arcFinding({ result, instances, reason }: ArcOutcome): Finding {
  const detail = reason === '' ? (instances === 0 ? 'there is no chain' : `${instances} sets`) : reason;
  return {
    module: MODULE,
    status: 'arc',
    name: result,
    detail,
    results: [{ method: 'arc', result, properties: {} }],
  };
}

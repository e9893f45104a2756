import type { Finding } from '../detectors/types.js';
import { isEventName } from '../events/registry.js';
import { canonicalDomain } from '../message/ascii.js';
import { domainOf, type Envelope, type IntakeReport } from '../message/envelope.js';
import { parseTraceId } from '../message/trace-id.js';
import type { MessageFacts } from '../pipeline/types.js';
import type { Group } from '../rules/types.js';
import { addressOf, isDeliverable, isInternal, isSameAddress, localPartOf } from './mailbox.js';

/** Whether people outside our domains are told: `notifications.external`. */
export type ExternalPolicy = 'never' | 'authenticated' | 'always';

/** What the guard needs to know of the message. */
export interface GuardedMessage {
  readonly envelope: Envelope;
  readonly facts: MessageFacts;
  readonly findings: readonly Finding[];
  readonly intake?: IntakeReport;
}

export interface GuardSettings {
  /** `notifications.from`, with or without a display name. */
  readonly from: string;
  readonly domains: readonly string[];
  readonly external: ExternalPolicy;
}

/** Local parts that answer by machine: RFC 2142 5 and the usual sender of bounces. */
const MACHINES = new Set(['postmaster', 'mailer-daemon']);

/**
 * Why an address is not told about a message, or undefined when it may be told. Asked before anything that sends mail.
 * Lists that an admin configured (`general`, `additional`) are told whatever the message is, except about our own
 * notifications that come back, and except at our own sender address.
 */
export function whyNotTold(
  address: string,
  group: Group,
  message: GuardedMessage,
  settings: GuardSettings,
): string | undefined {
  const { envelope, facts, intake } = message;
  if (group === 'sender') {
    if (envelope.sender === '') return 'the message has the null sender: it is automatic';
    if (facts.automatic !== undefined) return `the message is automatic: ${facts.automatic}`;
    if (intake?.ownMark !== undefined) return 'the message bears the mark of our own notifications';
  }
  if (isOwnNotification(message)) return 'the message is one of our own notifications that came back';
  if (!isDeliverable(address)) return 'not an address that mail can be sent to';
  if (isSameAddress(address, addressOf(settings.from))) return 'it is our own sender address';
  const internal = isInternal(address, settings.domains);
  if (group === 'sender' && !internal && MACHINES.has(localPartOf(address).toLowerCase()))
    return `${localPartOf(address).toLowerCase()} of another domain is not told as sender`;
  if (internal || group === 'general' || group === 'additional') return undefined;
  return whyExternalNotTold(group, message, settings.external);
}

/**
 * One that went through our own server and came back by it. A stranger can write the mark too and must not silence the
 * lists with it: so the client has to be one that may relay.
 */
export function isOwnNotification({ envelope, intake }: GuardedMessage): boolean {
  return intake?.ownMark !== undefined && isOurs(intake.ownMark) && envelope.sender === '' && envelope.trusted;
}

/** What we write into marks: a trace ID, the ID of a summary, or the names of events. */
function isOurs(mark: string): boolean {
  if (parseTraceId(mark) !== undefined || /^[a-z][0-9a-f]{39}$/.test(mark)) return true;
  return mark.split(/[\s,]+/).every(isEventName);
}

function whyExternalNotTold(group: Group, message: GuardedMessage, policy: ExternalPolicy): string | undefined {
  if (policy === 'always') return undefined;
  if (policy === 'never') return 'people outside our domains are not told (notifications.external: never)';
  // Only a client that may relay can have aimed a message at a recipient outside.
  if (group === 'recipients' && message.envelope.trusted) return undefined;
  if (senderIsAuthenticated(message)) return undefined;
  return 'neither SPF, DKIM nor DMARC passed for the domain of the sender (notifications.external: authenticated)';
}

/**
 * Whether the domain of the envelope sender stands behind the message. A signature of another domain proves nothing:
 * with it a stranger could aim our mail. SPF is about that domain by itself; a DKIM finding has to name it as
 * `d=DOMAIN` in its detail; DMARC is about the domain of From, which has to be the same.
 */
export function senderIsAuthenticated({ envelope, facts, findings }: GuardedMessage): boolean {
  const domain = canonicalDomain(domainOf(envelope.sender));
  if (domain === '') return false;
  return findings.some((finding) => {
    if (finding.module !== 'authentication' || finding.name !== 'pass') return false;
    if (finding.status === 'spf') return true;
    if (finding.status === 'dkim') return signedDomains(finding.detail ?? '').includes(domain);
    if (finding.status !== 'dmarc' || facts.from.length !== 1) return false;
    return canonicalDomain(domainOf(facts.from[0]?.address ?? '')) === domain;
  });
}

function signedDomains(detail: string): string[] {
  return [...detail.matchAll(/(?:^|[\s,;(.])d=([^\s,;()]+)/gi)].map((match) => canonicalDomain(match[1] ?? ''));
}

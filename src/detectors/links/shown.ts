import { domainOf, type Envelope } from '../../message/envelope.js';
import { parseTarget } from '../../message/links/parse.js';
import { findAddresses } from '../../message/links/plain.js';
import type { Link, Message } from '../../message/types.js';
import { asciiHost, organization, registrable, shownForm, withParents } from './names.js';
import { nestedTargets } from './redirects.js';
import type { LinkFinding } from './verdict.js';
import { REWRITERS, TRACKERS } from './words.js';

/** When a link whose text names another domain is phishing; docs/links.md says what each means. */
export type Strictness = 'off' | 'protected' | 'normal' | 'strict';

/** Of the links of a newsletter so many lead through one service. */
const MIN_UNIFORM = 3;
const UNIFORM_SHARE = 0.6;

/** Compares what links show with where they lead, for one message. */
export class ShownNames {
  readonly #message: Message;
  readonly #envelope: Envelope;
  readonly #strictness: Strictness;
  readonly #trusts: (host: string) => boolean;
  #senders: ReadonlySet<string> | undefined;
  #isList: boolean | undefined;

  constructor(message: Message, envelope: Envelope, strictness: Strictness, trusts: (host: string) => boolean) {
    this.#message = message;
    this.#envelope = envelope;
    this.#strictness = strictness;
    this.#trusts = trusts;
  }

  check(link: Link): LinkFinding | undefined {
    if (link.kind !== 'href' || this.#strictness === 'off' || link.domain === '') return undefined;
    const shown = shownHost(link.text);
    if (shown === undefined) return undefined;
    const wanted = organization(shown);
    const target = leadsTo(link);
    const reached = organization(target);
    if (wanted === reached) return undefined;
    const guarded = this.#trusts(shown);
    if (guarded ? this.#isOurMailing(target) : !this.#isReal(shown, target)) return undefined;
    return {
      status: 'phishing',
      reason: `the text shows ${shownForm(shown)}, the link leads to ${shownForm(target)}`,
    };
  }

  /** A name of ours is shown: right when it leads to another name of ours, or through the service of a mailing. */
  #isOurMailing(target: string): boolean {
    if (this.#trusts(target)) return true;
    return this.#strictness !== 'strict' && isTracker(target) && this.#listMail();
  }

  /** The name of a stranger is shown: mailings lead through services that count, and firms have several names. */
  #isReal(shown: string, target: string): boolean {
    if (this.#strictness === 'protected') return false;
    if (this.#strictness === 'strict') return true;
    if (ofOneFirm(shown, target)) return false;
    if (isTracker(target)) return false;
    return !(this.#listMail() && (this.#sendersOf().has(organization(target)) || this.#uniform(organization(target))));
  }

  #listMail(): boolean {
    const message = this.#message;
    this.#isList ??=
      ['list-id', 'list-unsubscribe', 'feedback-id', 'list-post'].some((name) => message.header(name).length > 0) ||
      message.header('precedence').some((value) => /^\s*(bulk|list)\b/i.test(value));
    return this.#isList;
  }

  /** Domains that the mail says it comes from. */
  #sendersOf(): ReadonlySet<string> {
    if (this.#senders === undefined) {
      const hosts = [domainOf(this.#envelope.sender)];
      for (const field of ['from', 'sender', 'reply-to'])
        for (const { address } of this.#message.addresses(field)) hosts.push(domainOf(address));
      for (const value of this.#message.header('list-id')) hosts.push(/<([^<>]{1,253})>/.exec(value)?.[1] ?? '');
      for (const value of this.#message.header('list-unsubscribe'))
        for (const raw of findAddresses(value.slice(0, 4000), 10, false)) hosts.push(parseTarget(raw)?.domain ?? '');
      for (const value of this.#message.header('dkim-signature'))
        hosts.push(/(?:^|;)\s{0,16}d\s{0,16}=\s{0,16}([^\s;]{1,253})/.exec(value)?.[1] ?? '');
      this.#senders = new Set(hosts.map((host) => organization(asciiHost(host))).filter((host) => host !== ''));
    }
    return this.#senders;
  }

  /** Whether most links of the message lead there: one that counts leads all of them through itself. */
  #uniform(domain: string): boolean {
    let all = 0;
    let there = 0;
    for (const { kind, domain: host } of this.#message.links().list) {
      if (kind !== 'href' || host === '') continue;
      all += 1;
      if (organization(host) === domain) there += 1;
    }
    return there >= MIN_UNIFORM && there / all >= UNIFORM_SHARE;
  }
}

/** Host where the link ends: services that check links have the true address in their own. */
function leadsTo({ url, domain }: Link): string {
  if (!withParents(domain).some((name) => REWRITERS.has(name))) return domain;
  return nestedTargets(url)[0]?.domain ?? proofpoint(url) ?? domain;
}

/** urldefense.proofpoint.com/v2/url?u=https-3A__example.org_ */
function proofpoint(url: string): string | undefined {
  const hit = /[?&]u=(https?)-3A__([^_&]{1,253})/i.exec(url);
  if (hit === null) return undefined;
  return parseTarget(`${hit[1] ?? 'http'}://${(hit[2] ?? '').replace(/-([0-9a-f]{2})/gi, '%$1')}/`)?.domain;
}

/** Endings under which firms have their names side by side; everybody can have theirs under the others. */
const USUAL_SUFFIX = /^(?:com|net|org|eu|(?:com?|org|net|gov|ac)\.[a-z]{2}|[a-z]{2})$/;

/** `shop.com` and `shop.de`. */
function ofOneFirm(shown: string, target: string): boolean {
  const one = registrable(shown);
  const other = registrable(target);
  if (one === undefined || other?.label !== one.label) return false;
  return USUAL_SUFFIX.test(one.suffix) && USUAL_SUFFIX.test(other.suffix);
}

function isTracker(host: string): boolean {
  return withParents(host).some((name) => TRACKERS.has(name));
}

/**
 * Host that the text of a link names: when it has an address with a scheme in it, or is a host name (with a path
 * perhaps) as a whole.
 */
export function shownHost(text: string): string | undefined {
  if (text.length < 4 || !/[.:\u2024\u3002\uff0e]/.test(text)) return undefined;
  const [first, ...more] = findAddresses(text, 4, false);
  if (first !== undefined) return more.length > 0 ? undefined : hostOrNone(first);
  const bare = text.replace(/^[\s"'<([{«»\u201c\u2022>-]+|[\s"'>)\]}«»\u201d.,;:!?]+$/g, '');
  if (/\s/.test(bare) || bare.includes('@')) return undefined;
  const [host, ...others] = findAddresses(bare, 2);
  if (host !== bare || others.length > 0) return isReservedName(bare) ? hostOrNone(bare) : undefined;
  return hostOrNone(host);
}

/** Names of RFC 2606 and those of private networks are no public ones, and are shown all the same. */
function isReservedName(text: string): boolean {
  return /^(?:[a-z0-9-]{1,63}\.){1,8}(?:example|test|local|internal|invalid)(?:[/?#:]|$)/i.test(text);
}

function hostOrNone(raw: string): string | undefined {
  const domain = parseTarget(raw)?.domain ?? '';
  return domain.includes('.') ? domain : undefined;
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import { BroadcastChannel } from 'node:worker_threads';
import type { Link } from '../../message/types.js';
import { CachingDns } from '../authentication/dns.js';
import type {
  CreateContext,
  DatabaseInfo,
  Detector,
  DetectorInput,
  DetectorModule,
  Finding,
  PrepareContext,
  WatchContext,
} from '../types.js';
import { checkAddress, checkForm } from './address.js';
import { canBeAsked, DnsLists } from './dns-lists.js';
import { isListData, loadLists, type ListData } from './list-files.js';
import { contentOf, ListWatcher, type ChannelMessage } from './list-watch.js';
import { Lookalikes } from './lookalikes.js';
import { asciiHost, withParents } from './names.js';
import { nestedTargets } from './redirects.js';
import { linkSettings, type LinkSettings } from './settings.js';
import { ShownNames } from './shown.js';
import { listTakes, type UrlList } from './url-list.js';
import { LINK_STATUSES, type LinkFinding, type LinkStatus } from './verdict.js';
import { SHORTENERS } from './words.js';

/** Findings of one message: whoever sends more has said enough. */
const MAX_FINDINGS = 50;
const MAX_NAME = 500;
const MAX_REASONS = 4;
/** Links after which the thread's loop gets a turn, so that a timeout or an abort can take effect. */
const TURN = 1_000;

/** Finds links that lead elsewhere than they seem to, imitate known names, or are on lists of bad ones. */
export const links: DetectorModule<LinkSettings> = {
  name: 'links',
  settings: linkSettings,
  statuses: LINK_STATUSES,
  prepare: async (given: LinkSettings, context: PrepareContext) => await loadLists(given.lists, context),
  create: (given: LinkSettings, context: CreateContext): Detector => new LinkDetector(given, context),
  watch: (given: LinkSettings, context: WatchContext) =>
    isListData(context.data) ? new ListWatcher(given.lists, context.data, context) : undefined,
};

class LinkDetector implements Detector {
  readonly #settings: LinkSettings;
  readonly #lookalikes: Lookalikes;
  readonly #shorteners: ReadonlySet<string>;
  readonly #trusts: (host: string) => boolean;
  readonly #resolver: CachingDns | undefined;
  readonly #dns: DnsLists | undefined;
  readonly #channel: BroadcastChannel | undefined;
  #lists: readonly UrlList[] = [];

  constructor(given: LinkSettings, { data, domains }: CreateContext) {
    this.#settings = given;
    const lookalikes = new Lookalikes(domains ?? [], given.protect, given.allow);
    this.#lookalikes = lookalikes;
    this.#trusts = (host) => lookalikes.trusts(host);
    this.#shorteners = new Set([...SHORTENERS, ...given.shorteners.map(asciiHost)]);
    if (given.dns !== undefined) {
      this.#resolver = new CachingDns(given.dns.servers);
      const dns = new DnsLists(given.dns, this.#resolver);
      this.#dns = dns;
      this.health = async (signal) => await dns.probe(signal);
    }
    if (isListData(data)) this.#channel = this.#follow(data);
  }

  async inspect(input: DetectorInput): Promise<readonly Finding[]> {
    const { message, envelope } = input;
    const { list, complete } = message.links();
    if (list.length > 0) input.signal.throwIfAborted();
    const report = new Report();
    const shown = new ShownNames(message, envelope, this.#settings.mismatch, this.#trusts);
    for (const [index, link] of list.entries()) {
      if (index % TURN === TURN - 1) {
        await nextTurn();
        input.signal.throwIfAborted();
      }
      if (link.kind === 'src' || link.kind === 'css' || link.kind === 'script') report.add(link, this.#loaded(link));
      else {
        report.add(link, this.#followed(link));
        report.add(link, shown.check(link));
      }
      if (this.#lists.length > 0) report.add(link, this.#listed(link));
      if (report.full) break;
    }
    if (this.#dns !== undefined) await this.#askDns(this.#dns, list, report, input.signal);
    if (!complete) report.fail('limit', 'the message has more links than are looked at');
    return report.findings;
  }

  /** Whether the DNS lists answer; there is nothing else that could be away. */
  readonly health?: (signal: AbortSignal) => Promise<void>;

  readonly databasesAtHand = true;

  /** Lists have a version and a date; without any there is nothing that can be outdated. */
  databases(): Promise<DatabaseInfo | undefined> {
    if (this.#lists.length === 0) return Promise.resolve(undefined);
    const entries = this.#lists.reduce((sum, list) => sum + list.entries, 0);
    const oldest = Math.min(...this.#lists.map(({ modified }) => modified));
    const { maxListAge } = this.#settings;
    return Promise.resolve({
      version: `${entries} entries in ${this.#lists.map(({ name }) => name).join(', ')}`,
      date: new Date(oldest),
      ...(maxListAge === undefined ? {} : { maxAge: maxListAge }),
    });
  }

  close(): Promise<void> {
    this.#channel?.close();
    this.#resolver?.close();
    return Promise.resolve();
  }

  /** What is wrong with an address that a reader goes to. */
  #followed(link: Link): LinkFinding | undefined {
    const found = checkAddress(link, this.#trusts) ?? checkForm(link, this.#trusts);
    if (found !== undefined && found.status !== 'suspicious-link') return found;
    const imitation = link.domain === '' ? undefined : this.#lookalikes.check(link.domain);
    if (imitation !== undefined) return imitation;
    if (found !== undefined) return found;
    if (withParents(link.domain).some((name) => this.#shorteners.has(name)))
      return { status: 'shortener', reason: 'the address is a short one that says nothing of where it leads' };
    if (link.kind === 'refresh') return { status: 'suspicious-link', reason: 'the page goes there by itself' };
    return undefined;
  }

  /** What is loaded is not followed: of it only scripts and pages in disguise count. */
  #loaded(link: Link): LinkFinding | undefined {
    if (link.domain !== '') return undefined;
    return checkAddress(link, this.#trusts);
  }

  #listed(link: Link): LinkFinding | undefined {
    const targets = [link, ...nestedTargets(link.url)];
    for (const { name, hashes, ...rest } of this.#lists) {
      if (targets.some(({ domain, url }) => listTakes({ name, hashes, ...rest }, domain, url)))
        return { status: 'malicious-link', reason: `it is on the list ${name}` };
    }
    return undefined;
  }

  async #askDns(dns: DnsLists, list: readonly Link[], report: Report, signal: AbortSignal): Promise<void> {
    const byHost = new Map<string, Link>();
    for (const link of list) {
      for (const { domain } of [link, ...nestedTargets(link.url)])
        if (!byHost.has(domain) && canBeAsked(domain) && !this.#trusts(domain)) byHost.set(domain, link);
    }
    const { listed, failed, cut } = await dns.ask([...byHost.keys()], signal);
    for (const [host, zone] of listed) {
      const link = byHost.get(host);
      if (link !== undefined) report.add(link, { status: 'malicious-link', reason: `it is on the list ${zone}` });
    }
    if (failed) report.fail('error', 'a DNS list did not answer');
    if (cut) report.fail('limit', 'the message has more domains than are looked up in DNS lists');
  }

  /** Takes lists that are announced later. */
  #follow(data: ListData): BroadcastChannel {
    this.#lists = data.lists;
    const channel = new BroadcastChannel(data.channel);
    channel.onmessage = (event: unknown) => {
      const message = contentOf(event);
      if (message?.kind === 'lists') this.#lists = message.lists;
    };
    // It alone keeps no program running.
    channel.unref();
    const question: ChannelMessage = { kind: 'ask' };
    channel.postMessage(question);
    return channel;
  }
}

/** Findings of one message: of each address and status one, with all its reasons. */
class Report {
  readonly #places = new Map<
    string,
    { readonly link: Link; readonly status: LinkStatus; readonly reasons: string[] }
  >();
  readonly #failures: Finding[] = [];

  get full(): boolean {
    return this.#places.size >= MAX_FINDINGS;
  }

  get findings(): readonly Finding[] {
    const found = [...this.#places.values()].map(({ link, status, reasons }) => ({
      module: 'links',
      status,
      name: link.url.slice(0, MAX_NAME),
      ...(link.object === undefined ? {} : { object: link.object }),
      detail: reasons.join('; '),
    }));
    return [...found, ...this.#failures];
  }

  add(link: Link, found: LinkFinding | undefined): void {
    if (found === undefined) return;
    const key = `${found.status} ${link.object ?? ''} ${link.url}`;
    const place = this.#places.get(key);
    if (place === undefined) {
      if (!this.full) this.#places.set(key, { link, status: found.status, reasons: [found.reason] });
    } else if (place.reasons.length < MAX_REASONS && !place.reasons.includes(found.reason)) {
      place.reasons.push(found.reason);
    }
  }

  fail(status: 'error' | 'limit', detail: string): void {
    this.#failures.push({ module: 'links', status, detail });
  }
}

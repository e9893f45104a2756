import type { EventReporter } from '../events/types.js';
import { canonicalDomain } from '../message/ascii.js';
import { domainOf } from '../message/envelope.js';
import type { Log } from '../telemetry/log.js';
import { Breaker, type Absence } from './breaker.js';
import { eachOf } from './each.js';
import { sendInOrder } from './failover.js';
import { replyLine } from './reply.js';
import type { HopResult, HopState, NextHop, OutgoingMail } from './types.js';

/** Where a recipient's mail goes: one hop, or several of which the first that works is taken. */
export interface Destination {
  /** Name of the first hop. */
  readonly name: string;
  /** Names of all its hops. */
  readonly hops: readonly string[];
  /** Whether a mail is worth trying at once. */
  readonly available: boolean;
  /** Never rejects. */
  send(mail: OutgoingMail): Promise<HopResult>;
  /** An attempt takes longer than a client waits: counts as a failure. */
  slow(): void;
  /** Mail waits for it since before: it is probed, and `onBack` called when it answers. */
  suspect(): void;
}

export interface DestinationsOptions {
  readonly nextHop: readonly string[];
  /** By recipient domain. */
  readonly routes: Readonly<Record<string, string>>;
  readonly open: (url: string) => NextHop;
  /** The hop of that name takes mail again. */
  readonly onBack: (hop: string, absence: Absence) => void;
  readonly log: Log;
  /** Time between two probes of a hop that failed, ms. */
  readonly probeInterval?: number;
  /** Where `next-hop-unavailable` is reported. */
  readonly reporter?: EventReporter;
}

/** Hops that are looked at together. */
const AT_ONCE = 8;

interface Guarded {
  readonly hop: NextHop;
  readonly breaker: Breaker;
}

/** All next hops of the gateway: the default, those of `routes`, and those that rules name. */
export class Destinations {
  readonly #options: DestinationsOptions;
  readonly #hops = new Map<string, Guarded>();
  readonly #byUrls = new Map<string, Destination>();
  readonly #routes = new Map<string, string>();

  /** @throws HopUrlError */
  constructor(options: DestinationsOptions) {
    this.#options = options;
    for (const [domain, url] of Object.entries(options.routes)) {
      this.#routes.set(routeKey(domain), url);
      this.#of([url]);
    }
    this.#of(options.nextHop);
  }

  /**
   * @param route the next hop that a rule names
   * @throws HopUrlError of the route
   */
  of(address: string, route?: string): Destination {
    const url = route ?? this.#routes.get(routeKey(domainOf(address)));
    return this.#of(url === undefined ? this.#options.nextHop : [url]);
  }

  /** Names of all hops, for the banner. */
  get names(): readonly string[] {
    return [...this.#hops.values()].map(({ hop }) => hop.name);
  }

  /** How each of them stands. */
  get states(): readonly HopState[] {
    return [...this.#hops.values()].map(({ hop, breaker }) => ({
      name: hop.name,
      state: breaker.open ? 'open' : breaker.well ? 'ok' : 'failing',
      failures: breaker.failures,
    }));
  }

  /** Looks at all of them, also at those that no mail goes to at the moment. Never rejects. */
  async check(): Promise<void> {
    await eachOf([...this.#hops.values()], AT_ONCE, async ({ breaker }) => await breaker.check());
  }

  async close(): Promise<void> {
    for (const { hop, breaker } of this.#hops.values()) {
      breaker.close();
      await hop.close();
    }
  }

  #of(urls: readonly string[]): Destination {
    const key = urls.join('\n');
    const known = this.#byUrls.get(key);
    if (known !== undefined) return known;
    const made = destination(urls.map((url) => this.#guarded(url)));
    this.#byUrls.set(key, made);
    return made;
  }

  #guarded(url: string): Guarded {
    const known = this.#hops.get(url);
    if (known !== undefined) return known;
    const { open, onBack, log, probeInterval, reporter } = this.#options;
    const hop = open(url);
    const breaker = new Breaker({
      name: hop.name,
      probe: () => hop.probe(),
      onBack: (absence) => onBack(hop.name, absence),
      onDown: (reason) =>
        reporter?.raise('next-hop-unavailable', {
          subject: hop.name,
          detail: `it does not take mail: ${reason}; mail for it waits in the spool`,
        }),
      onUp: () => reporter?.resolve('next-hop-unavailable', hop.name),
      log,
      ...(probeInterval === undefined ? {} : { interval: probeInterval }),
    });
    const guarded = { hop, breaker };
    this.#hops.set(url, guarded);
    return guarded;
  }
}

function destination(hops: readonly Guarded[]): Destination {
  const firstOpen = (): Guarded | undefined => hops.find(({ breaker }) => !breaker.open);
  const name = hops[0]?.hop.name ?? '';
  return {
    name,
    hops: hops.map(({ hop }) => hop.name),
    get available() {
      return firstOpen() !== undefined;
    },
    slow: () => firstOpen()?.breaker.failed(),
    suspect: () => {
      for (const { breaker } of hops) breaker.suspect();
    },
    send: async (mail) => await sendInOrder(usable(hops), mail),
  };
}

/** Those worth a try when it is their turn; what becomes of it counts for their health. */
function* usable(hops: readonly Guarded[]): Iterable<Pick<NextHop, 'name' | 'send'>> {
  for (const { hop, breaker } of hops) {
    if (breaker.open) continue;
    yield {
      name: hop.name,
      async send(mail) {
        const result = await hop.send(mail);
        if (result.ownLack === true) return result;
        if (result.hopFailed) breaker.failed(reasonOf(result));
        else breaker.succeeded();
        return result;
      },
    };
  }
}

function reasonOf({ recipients }: HopResult): string {
  const said = recipients.find(({ state }) => state === 'deferred') ?? recipients[0];
  return said === undefined ? 'it failed' : replyLine(said.reply);
}

/** What has no form in A-labels is only the same as itself. */
function routeKey(domain: string): string {
  return canonicalDomain(domain) || domain.toLowerCase();
}

import type { DetectorHealth } from '../../detectors/health.js';
import { isEventName, type EventName } from '../../events/registry.js';
import type { EventService } from '../../events/types.js';

const DAY = 86_400_000;
/** Times of the limit from which outdated databases are critical. */
const CRITICAL = 3;
/** Scans in a row that must fail before a module counts as failing though its engine answers. */
const SCANS = 3;

/** Modules whose engine is a service of reputation: the rest of the module works without it. */
const REPUTATION: ReadonlySet<string> = new Set(['links', 'external']);
const OUTDATED: Readonly<Record<string, EventName>> = {
  antivirus: 'antivirus-databases-outdated',
  antispam: 'antispam-databases-outdated',
  links: 'antiphishing-databases-outdated',
};
/** Databases of other modules are signatures of harm. */
const OTHER_DATABASES: EventName = 'antivirus-databases-outdated';

const ALL: readonly EventName[] = [
  'detector-unavailable',
  'reputation-unavailable',
  ...new Set(Object.values(OUTDATED)),
];

const MODULE_EVENTS: ReadonlySet<string> = new Set(ALL);

/** Turns what is known of the engines into events. */
export class EngineEvents {
  readonly #events: EventService;
  /** Failed scans in a row, by module. */
  readonly #failed = new Map<string, number>();

  constructor(events: EventService) {
    this.#events = events;
  }

  /** An engine was checked. */
  checked(health: DetectorHealth): void {
    this.#availability(health);
    this.#databases(health);
  }

  /** All engines have been checked once. @param modules those that are configured */
  firstRound(modules: readonly string[]): void {
    this.#events.checked(ALL);
    this.retain(modules);
  }

  /** Other modules run from now on: what was said of those that are gone is over. */
  retain(modules: readonly string[]): void {
    const gone = this.#events.active.filter(
      ({ event, subject }) => MODULE_EVENTS.has(event) && !modules.includes(subject),
    );
    for (const { event, subject } of gone) if (isEventName(event)) this.#events.resolve(event, subject);
    for (const module of this.#failed.keys()) if (!modules.includes(module)) this.#failed.delete(module);
  }

  /** A message was scanned. @param reason why that failed */
  scanned(module: string, status: string, reason: string | undefined): void {
    if (status !== 'error' && status !== 'timeout') {
      if (this.#failed.delete(module)) this.#events.resolve(unavailable(module), module);
      return;
    }
    const failed = (this.#failed.get(module) ?? 0) + 1;
    this.#failed.set(module, failed);
    if (failed >= SCANS)
      this.#events.raise(unavailable(module), {
        subject: module,
        detail: `${failed} scans in a row have failed${reason === undefined ? '' : `: ${reason}`}`,
      });
  }

  #availability({ module, state, reason, lastSuccess }: DetectorHealth): void {
    if (state === 'down')
      this.#events.raise(unavailable(module), {
        subject: module,
        detail: `the engine does not answer: ${reason ?? 'no reason given'}`,
        ...(lastSuccess === undefined ? {} : { lastSuccess }),
      });
    // An engine that answers may still fail each scan.
    else if ((this.#failed.get(module) ?? 0) < SCANS) this.#events.resolve(unavailable(module), module);
  }

  #databases({ module, databases }: DetectorHealth): void {
    const event = OUTDATED[module] ?? OTHER_DATABASES;
    if (databases?.outdated !== true) {
      this.#events.resolve(event, module);
      return;
    }
    const { version, date, age, maxAge = Infinity } = databases;
    this.#events.raise(event, {
      subject: module,
      severity: age > maxAge * CRITICAL ? 'critical' : 'error',
      detail: `the databases are ${Math.floor(age / DAY)} days old (${version}, ${date.toISOString()}): look why they are not updated`,
      lastSuccess: date,
    });
  }
}

function unavailable(module: string): EventName {
  return REPUTATION.has(module) ? 'reputation-unavailable' : 'detector-unavailable';
}

import { EVENTS, isEventName } from '../../events/registry.js';
import type { EventCondition } from '../../store/types.js';

/** A condition as commands print it. */
export interface EventView {
  readonly event: string;
  readonly group: string;
  readonly severity: string;
  readonly node: string;
  readonly subject: string;
  readonly first: Date;
  readonly last: Date;
  readonly lastSuccess?: Date;
  readonly resolvedAt?: Date;
  readonly detail: string;
}

export function eventView(condition: EventCondition): EventView {
  const { event, severity, node, subject, first, last, lastSuccess, resolvedAt, detail } = condition;
  return {
    event,
    group: isEventName(event) ? EVENTS[event].group : 'other',
    severity,
    node,
    subject,
    first,
    last,
    ...(lastSuccess === undefined ? {} : { lastSuccess }),
    ...(resolvedAt === undefined ? {} : { resolvedAt }),
    detail,
  };
}

/** Says how one part stands: any JSON, without secrets. One that fails or is late is shown as such. */
export type StatusProvider = () => unknown;

/** How long a part may take to say how it stands, ms. */
const PATIENCE = 2000;

/** What `gatepost status` shows: one section for each part, in the order in which they were added. */
export class StatusBoard {
  readonly #providers = new Map<string, StatusProvider>();

  /** Adds a section, or takes another's place. */
  provide(section: string, provider: StatusProvider): void {
    this.#providers.set(section, provider);
  }

  async snapshot(): Promise<Readonly<Record<string, unknown>>> {
    const sections = [...this.#providers].map(async ([name, provider]) => [name, await inTime(provider)] as const);
    return Object.fromEntries(await Promise.all(sections));
  }
}

async function inTime(provider: StatusProvider): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve({ unknown: 'no answer in time' }), PATIENCE);
  });
  const asked = Promise.resolve()
    .then(provider)
    .catch((error: unknown) => ({ unknown: error instanceof Error ? error.message : 'it failed' }));
  const answer = await Promise.race([asked, late]);
  clearTimeout(timer);
  return answer;
}

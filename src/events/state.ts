import { randomUUID } from 'node:crypto';
import { isWorse } from '../store/severities.js';
import type { EventCondition, EventTransition } from '../store/types.js';
import { definitionOf, EVENTS, type EventName } from './registry.js';
import type { Raised, Severity } from './types.js';

/** Conditions that one node keeps: far more than there are parts. What comes beyond is not taken. */
const MAX_CONDITIONS = 1000;
/** Transitions of one condition that wait for the store; of a condition that flaps the middle is left out. */
const MAX_WAITING = 20;
const MAX_SUBJECT = 200;
const MAX_DETAIL = 1000;

/** What is to be written to the store. */
export interface Batch {
  readonly transitions: readonly EventTransition[];
  readonly occurrences: readonly EventCondition[];
}

/** A condition that holds. */
export interface KeptCondition extends EventCondition {
  /** The worst severity that it has had, where that is not its present one. */
  readonly worst?: Severity;
}

/** The state as it lies in a file between two runs. */
export interface KeptState {
  readonly conditions: readonly KeptCondition[];
  readonly waiting: readonly EventTransition[];
}

interface Held {
  condition: EventCondition;
  /** The worst severity that it has had. */
  worst: Severity;
  /** Seen in this run; until then it is a condition of the time before the start. */
  confirmed: boolean;
  /** An occurrence that the store does not know of yet. */
  touched: boolean;
}

/** The conditions of one node, and what of them the store does not have yet. Time is handed in. */
export class EventState {
  readonly #node: string;
  readonly #held = new Map<string, Held>();
  /** Events whose parts have made their first round. */
  readonly #checked = new Set<string>();
  #waiting: EventTransition[] = [];

  constructor(node: string, kept: KeptState = { conditions: [], waiting: [] }) {
    this.#node = node;
    for (const { worst, ...condition } of kept.conditions.slice(0, MAX_CONDITIONS))
      this.#held.set(keyOf(condition), {
        condition,
        worst: worst ?? condition.severity,
        confirmed: false,
        touched: false,
      });
    this.#waiting = [...kept.waiting];
  }

  /** Conditions that hold, oldest first. */
  get active(): readonly EventCondition[] {
    return [...this.#held.values()].map(({ condition }) => condition).sort((a, b) => Number(a.first) - Number(b.first));
  }

  /** Whether anything waits to be written. */
  get dirty(): boolean {
    return this.#waiting.length > 0 || [...this.#held.values()].some(({ touched }) => touched);
  }

  get hasTransitions(): boolean {
    return this.#waiting.length > 0;
  }

  get kept(): KeptState {
    const conditions = this.active.map((condition): KeptCondition => {
      const worst = this.#held.get(keyOf(condition))?.worst ?? condition.severity;
      return worst === condition.severity ? condition : { ...condition, worst };
    });
    return { conditions, waiting: this.#waiting };
  }

  /** @returns `new`; `worse` when it held and is more severe than ever; `known`; `refused` when there are too many conditions */
  raise(event: EventName, raised: Raised, now: Date): 'new' | 'worse' | 'known' | 'refused' {
    const key = { event, node: raised.node ?? this.#node, subject: clean(raised.subject ?? '', MAX_SUBJECT) };
    const held = this.#held.get(keyOf(key));
    const lastSuccess = raised.lastSuccess ?? held?.condition.lastSuccess;
    const condition: EventCondition = {
      ...key,
      severity: raised.severity ?? EVENTS[event].severity,
      detail: clean(raised.detail, MAX_DETAIL),
      first: held?.condition.first ?? now,
      last: now,
      ...(lastSuccess === undefined ? {} : { lastSuccess }),
    };
    if (held !== undefined) {
      Object.assign(held, { condition, confirmed: true, touched: true });
      if (!isWorse(condition.severity, held.worst)) return 'known';
      held.worst = condition.severity;
      this.#note('raised', condition);
      return 'worse';
    }
    if (this.#held.size >= MAX_CONDITIONS) return 'refused';
    this.#held.set(keyOf(key), { condition, worst: condition.severity, confirmed: true, touched: false });
    this.#note('raised', condition);
    return 'new';
  }

  /** @returns the condition that is over; undefined when it did not hold */
  resolve(event: string, now: Date, subject = '', node = this.#node): EventCondition | undefined {
    const key = keyOf({ event, node, subject: clean(subject, MAX_SUBJECT) });
    const held = this.#held.get(key);
    return held === undefined ? undefined : this.#end(key, held, now);
  }

  /** See EventService. @returns what is over by that */
  checked(events: readonly string[], now: Date): readonly EventCondition[] {
    for (const event of events) this.#checked.add(event);
    return this.#endWhere(now, ({ condition, confirmed }) => !confirmed && this.#checked.has(condition.event));
  }

  /** Nobody has spoken for these since the start: their part does not run any more. Those that lapse are left to that. */
  startIsOver(now: Date): readonly EventCondition[] {
    return this.#endWhere(
      now,
      ({ condition, confirmed }) => !confirmed && definitionOf(condition.event)?.lapses === undefined,
    );
  }

  /** Ends what has not occurred for so long that it counts as over. */
  lapse(now: Date): readonly EventCondition[] {
    return this.#endWhere(now, ({ condition }) => {
      const lapses = definitionOf(condition.event)?.lapses;
      return lapses !== undefined && now.getTime() - condition.last.getTime() >= lapses;
    });
  }

  /** Conditions that the store had before that time, as this node knows them. */
  storedBefore(time: Date): readonly EventCondition[] {
    const waiting = new Set(this.#waiting.map(({ condition }) => keyOf(condition)));
    return [...this.#held]
      .filter(([key, { touched, condition }]) => !touched && !waiting.has(key) && condition.last < time)
      .map(([, { condition }]) => condition);
  }

  /** Another node has ended them: nothing is left to be written. */
  forget(conditions: readonly EventCondition[]): void {
    for (const condition of conditions) {
      const held = this.#held.get(keyOf(condition));
      // It may have occurred again meanwhile.
      if (held?.condition === condition) this.#held.delete(keyOf(condition));
    }
  }

  /** Conditions that the store has of this node, and this run does not know: of a run whose file is lost. */
  adopt(stored: readonly EventCondition[], now: Date): void {
    const waiting = new Set(this.#waiting.map(({ condition }) => keyOf(condition)));
    for (const condition of stored) {
      const key = keyOf(condition);
      if (this.#held.has(key) || waiting.has(key) || this.#held.size >= MAX_CONDITIONS) continue;
      const held: Held = { condition, worst: condition.severity, confirmed: false, touched: false };
      this.#held.set(key, held);
      if (this.#checked.has(condition.event)) this.#end(key, held, now);
    }
  }

  /** What waits, oldest first. @param occurrences whether those are due as well */
  batch(max: number, occurrences: boolean): Batch {
    const transitions = this.#waiting.slice(0, max);
    const raising = new Set(this.#waiting.map(({ condition }) => keyOf(condition)));
    return {
      transitions,
      occurrences: occurrences
        ? [...this.#held].filter(([key, { touched }]) => touched && !raising.has(key)).map(([, h]) => h.condition)
        : [],
    };
  }

  /** The store has them. */
  written({ transitions, occurrences }: Batch): void {
    const ids = new Set(transitions.map(({ id }) => id));
    this.#waiting = this.#waiting.filter(({ id }) => !ids.has(id));
    for (const condition of occurrences) {
      const held = this.#held.get(keyOf(condition));
      // It may have occurred again meanwhile.
      if (held?.condition === condition) held.touched = false;
    }
  }

  #endWhere(now: Date, over: (held: Held) => boolean): readonly EventCondition[] {
    return [...this.#held].filter(([, held]) => over(held)).map(([key, held]) => this.#end(key, held, now));
  }

  #end(key: string, { condition, worst }: Held, now: Date): EventCondition {
    this.#held.delete(key);
    // Who was told of it at its worst is told that it is over.
    const ended = { ...condition, severity: worst, resolvedAt: now };
    this.#note('resolved', ended);
    return ended;
  }

  #note(change: EventTransition['change'], condition: EventCondition): void {
    this.#waiting.push({ id: randomUUID(), change, condition });
    const key = keyOf(condition);
    const same = this.#waiting.filter((each) => keyOf(each.condition) === key);
    if (same.length <= MAX_WAITING) return;
    // Two that follow each other: the condition is afterwards as it was before them.
    const left = new Set(same.slice(2, 4).map(({ id }) => id));
    this.#waiting = this.#waiting.filter(({ id }) => !left.has(id));
  }
}

function keyOf({ event, node, subject }: Pick<EventCondition, 'event' | 'node' | 'subject'>): string {
  return `${event}\n${node}\n${subject}`;
}

/** One line, without control characters, of bounded length. */
function clean(text: string, max: number): string {
  return text
    .slice(0, max * 2)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .toWellFormed()
    .trim()
    .slice(0, max);
}

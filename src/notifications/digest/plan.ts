import { addDays, dateAt, instantOf } from '../../config/wall-clock.js';
import type { Change, Mark } from '../../store/event-mail-types.js';
import type { EventCondition, RecordedTransition } from '../../store/types.js';

/** When mails about events are due. */
export interface EventSchedule {
  /** Minutes after midnight, on the clocks of the zone. */
  readonly at: number;
  /** IANA name: the control node's. */
  readonly timezone: string;
  /** ms between two mails about changes. */
  readonly changeInterval: number;
}

/** The mark of a set that is told for the first time: of what comes from now on. */
export function firstMark(seq: number, now: number, schedule: EventSchedule): Mark {
  return { seq, mailSeq: seq, day: lastDay(now, schedule).date };
}

/** The day whose daily moment is the last one that has passed, and that moment (ms since the epoch). */
export function lastDay(
  now: number,
  { at, timezone }: EventSchedule,
): { readonly date: string; readonly moment: number } {
  const today = dateAt(now, timezone);
  for (const date of [today, addDays(today, -1)]) {
    const moment = instantOf(date, at, timezone);
    if (moment <= now) return { date, moment };
  }
  const date = addDays(today, -2);
  return { date, moment: instantOf(date, at, timezone) };
}

/**
 * The moment of the daily mail that is due; undefined when there is none. One that was missed is made up once: of
 * several days it is the last. A zone that was changed to one further west brings no second mail for a day.
 */
export function dueDay(
  mark: Mark,
  now: number,
  schedule: EventSchedule,
): { readonly date: string; readonly moment: number } | undefined {
  const last = lastDay(now, schedule);
  return last.date > mark.day ? last : undefined;
}

/** When the next mail about changes may go out, ms since the epoch. */
export function changesFrom({ changeAt }: Mark, now: number, { changeInterval }: EventSchedule): number {
  // A clock that was set back must not keep the admins waiting for days.
  if (changeAt === undefined || changeAt > now) return 0;
  return changeAt + changeInterval;
}

/** The transitions as one entry for each condition: what was raised and resolved meanwhile is listed as such. */
export function summarize(transitions: readonly RecordedTransition[]): readonly Change[] {
  const byCondition = new Map<string, { readonly first: RecordedTransition; last: RecordedTransition }>();
  for (const transition of transitions) {
    const { event, node, subject } = transition.condition;
    const key = JSON.stringify([event, node, subject]);
    const known = byCondition.get(key);
    if (known === undefined) byCondition.set(key, { first: transition, last: transition });
    else known.last = transition;
  }
  return [...byCondition.values()].map(({ first, last }) => ({
    change:
      first !== last && last.change === 'resolved' && first.change === 'raised' ? 'raised-and-resolved' : last.change,
    condition: last.condition,
  }));
}

/** Whether the condition held at that moment, ms since the epoch. */
export function heldAt({ first, resolvedAt }: EventCondition, moment: number): boolean {
  return first.getTime() <= moment && (resolvedAt === undefined || resolvedAt.getTime() > moment);
}

import { createHash } from 'node:crypto';
import type { Severity } from '../../events/types.js';
import type { Change, EventMail, EventMailStore, Mark } from '../../store/event-mail-types.js';
import type { EventCondition, EventStore, RecordedTransition } from '../../store/types.js';
import { comparable } from '../mailbox.js';
import { isSevere } from '../severity.js';
import { changesFrom, dueDay, firstMark, heldAt, summarize, type EventSchedule } from './plan.js';

/** Who is told of events, in one mail. */
export interface EventRecipients {
  readonly to: readonly string[];
  readonly language: string;
}

export interface LookOptions {
  readonly events: Pick<EventStore, 'active' | 'resolved' | 'transitions' | 'lastTransition'>;
  readonly mails: EventMailStore;
  readonly recipients: readonly EventRecipients[];
  readonly schedule: EventSchedule;
  readonly minSeverity: Severity;
  /** The present, ms since the epoch. */
  readonly now: number;
}

/** The name of a set of recipients: the same for the same people and language, in any order. */
export function setKey({ to, language }: EventRecipients): string {
  const people = [...new Set(to.map((address) => address.toLowerCase()))].sort();
  return createHash('sha256')
    .update(JSON.stringify([language, people]))
    .digest('hex')
    .slice(0, 16);
}

/**
 * Looks once what is due, for every set of recipients, and writes it down. Any number of nodes may look at any time:
 * each mail is written by exactly one of them.
 * @returns the mails that this look has written
 */
export async function lookForMails(options: LookOptions): Promise<readonly EventMail[]> {
  const written: EventMail[] = [];
  const seen = new Set<string>();
  for (const recipients of options.recipients) {
    const set = setKey(recipients);
    if (recipients.to.length === 0 || seen.has(set)) continue;
    seen.add(set);
    written.push(...(await lookFor(set, recipients, options)));
  }
  return written;
}

async function lookFor(set: string, recipients: EventRecipients, options: LookOptions): Promise<readonly EventMail[]> {
  const { events, mails, now, schedule } = options;
  const known = await mails.mark(set);
  const before: Beginning = known === undefined ? await begin(options) : { mark: known, told: [] };
  const { mark } = before;
  const last = await events.lastTransition();
  const day = dueDay(mark, now, schedule);
  const changesDue = last > mark.seq && now >= changesFrom(mark, now, schedule);
  if (known !== undefined && day === undefined && !changesDue) return [];

  const draft = new Draft(set, recipients, options);
  const holding = await draft.holding();
  const news = changesDue ? await draft.changes(mark.seq) : { seq: mark.seq, changes: [] };
  const changes = { seq: news.seq, changes: unique([...news.changes, ...before.told]) };
  const made = [
    ...(changes.changes.length === 0 ? [] : [draft.changeMail(changes.seq, changes.changes, holding)]),
    ...(day === undefined ? [] : await draft.dailyMail(day, holding, mark.mailSeq)),
  ];
  const next: Mark = {
    ...mark,
    ...(changes.changes.length > 0 ? { changeAt: now } : {}),
    seq: changes.seq,
    day: day?.date ?? mark.day,
    mailSeq: made.length > 0 ? last : mark.mailSeq,
  };
  return (await mails.claim(set, known?.version ?? 0, next, made)) ? made : [];
}

interface Beginning {
  readonly mark: Mark;
  /** What is told at once. */
  readonly told: readonly Change[];
}

/**
 * The first set of all is told of everything since the start. One that comes later, such as after a change of the
 * configuration, is told of what holds, and from then on of changes.
 */
async function begin({ mails, events, now, schedule, minSeverity }: LookOptions): Promise<Beginning> {
  if (await mails.isFirst()) return { mark: firstMark(0, now, schedule), told: [] };
  const seq = await events.lastTransition();
  const holding = (await events.active()).filter(({ severity }) => isSevere(severity, minSeverity));
  return {
    mark: firstMark(seq, now, schedule),
    told: holding.map((condition) => ({ change: 'raised', condition })),
  };
}

/** Each person once, as first written. */
function people(to: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  return to.filter((address) => !seen.has(comparable(address)) && seen.add(comparable(address)));
}

/** The first entry of each condition. */
function unique(changes: readonly Change[]): readonly Change[] {
  const seen = new Set<string>();
  return changes.filter(({ condition: { event, node, subject } }) => {
    const key = JSON.stringify([event, node, subject]);
    return !seen.has(key) && seen.add(key);
  });
}

/** Makes the mails of one set. */
class Draft {
  readonly #set: string;
  readonly #recipients: EventRecipients;
  readonly #options: LookOptions;

  constructor(set: string, recipients: EventRecipients, options: LookOptions) {
    this.#set = set;
    this.#recipients = recipients;
    this.#options = options;
  }

  async holding(): Promise<readonly EventCondition[]> {
    return this.#severe(await this.#options.events.active());
  }

  /** What changed behind the mark, and the new mark. */
  async changes(after: number): Promise<{ readonly seq: number; readonly changes: readonly Change[] }> {
    const transitions: RecordedTransition[] = [];
    let seq = after;
    for (;;) {
      const more = await this.#options.events.transitions(seq);
      const [last] = more.slice(-1);
      if (last === undefined) break;
      seq = last.seq;
      transitions.push(...more);
    }
    const { minSeverity } = this.#options;
    const severe = transitions.filter(({ condition }) => isSevere(condition.severity, minSeverity));
    return { seq, changes: summarize(severe) };
  }

  changeMail(seq: number, changes: readonly Change[], conditions: readonly EventCondition[]): EventMail {
    return this.#mail('change', String(seq), {
      conditions,
      changes,
      resolved: changes.filter(({ change }) => change !== 'raised').map(({ condition }) => condition),
    });
  }

  /** None when nothing held at that moment. */
  async dailyMail(
    day: { readonly date: string; readonly moment: number },
    holding: readonly EventCondition[],
    mailSeq: number,
  ): Promise<readonly EventMail[]> {
    const { events } = this.#options;
    const ended = this.#severe(await events.resolved(new Date(day.moment)));
    const still = holding.filter((condition) => heldAt(condition, day.moment));
    const over = ended.filter((condition) => heldAt(condition, day.moment));
    if (still.length + over.length === 0) return [];
    const { changes } = await this.changes(mailSeq);
    const resolved = changes.filter(({ change }) => change !== 'raised').map(({ condition }) => condition);
    return [this.#mail('daily', day.date, { conditions: holding, changes: [], resolved })];
  }

  #mail(
    kind: EventMail['kind'],
    which: string,
    content: Pick<EventMail, 'conditions' | 'changes' | 'resolved'>,
  ): EventMail {
    const { now, schedule } = this.#options;
    return {
      id: `event-${kind}/${this.#set}/${which}`,
      ...this.#recipients,
      to: people(this.#recipients.to),
      kind,
      time: now,
      timezone: schedule.timezone,
      ...content,
    };
  }

  #severe(conditions: readonly EventCondition[]): readonly EventCondition[] {
    return conditions.filter(({ severity }) => isSevere(severity, this.#options.minSeverity));
  }
}

import { randomUUID } from 'node:crypto';
import type { Severity } from '../../events/types.js';
import { isWorse } from '../../store/severities.js';
import type { EventCondition, EventStore, RecordedTransition } from '../../store/types.js';
import type { EventMail, EventMailStore, Mark, StoredMark } from '../../store/event-mail-types.js';

/** The store of events as tests need it: all in memory, with a history that never forgets. */
export class MemoryEvents implements Pick<EventStore, 'active' | 'resolved' | 'transitions' | 'lastTransition'> {
  readonly all: RecordedTransition[] = [];
  readonly #holding = new Map<string, EventCondition>();
  readonly #worst = new Map<string, Severity>();
  readonly #ended: EventCondition[] = [];

  holds(event: string, node = 'gw1'): boolean {
    return this.#holding.has(`${event} ${node}`);
  }

  raise(event: string, time: number, severity: Severity = 'error', node = 'gw1'): void {
    const at = new Date(time);
    const before = this.#holding.get(`${event} ${node}`);
    const first = before?.first ?? at;
    const condition: EventCondition = { event, node, subject: '', severity, detail: 'x', first, last: at };
    this.#holding.set(`${event} ${node}`, condition);
    const worst = this.#worst.get(`${event} ${node}`);
    if (before !== undefined && worst !== undefined && !isWorse(severity, worst)) return;
    this.#worst.set(`${event} ${node}`, severity);
    this.#note('raised', condition);
  }

  resolve(event: string, time: number, node = 'gw1'): void {
    const condition = this.#holding.get(`${event} ${node}`);
    if (condition === undefined) throw new Error(`${event} does not hold`);
    this.#holding.delete(`${event} ${node}`);
    const severity = this.#worst.get(`${event} ${node}`) ?? condition.severity;
    this.#worst.delete(`${event} ${node}`);
    const ended = { ...condition, severity, resolvedAt: new Date(time) };
    this.#ended.push(ended);
    this.#note('resolved', ended);
  }

  /** Whether anything held at that moment. */
  heldAt(moment: number): boolean {
    return [...this.#holding.values(), ...this.#ended].some(
      ({ first, resolvedAt }) => first.getTime() <= moment && (resolvedAt?.getTime() ?? Infinity) > moment,
    );
  }

  active(): Promise<readonly EventCondition[]> {
    return Promise.resolve([...this.#holding.values()]);
  }

  resolved(since: Date): Promise<readonly EventCondition[]> {
    const found: EventCondition[] = [];
    // Newest first, and no further than needed.
    for (let i = this.#ended.length - 1; i >= 0; i--) {
      const condition = this.#ended[i];
      if (condition?.resolvedAt === undefined || condition.resolvedAt < since) break;
      found.push(condition);
    }
    return Promise.resolve(found);
  }

  transitions(after: number): Promise<readonly RecordedTransition[]> {
    return Promise.resolve(this.all.slice(after, after + 50));
  }

  lastTransition(): Promise<number> {
    return Promise.resolve(this.all.length);
  }

  #note(change: RecordedTransition['change'], condition: EventCondition): void {
    this.all.push({ seq: this.all.length + 1, id: randomUUID(), change, condition });
  }
}

/** Marks and mails in memory. Its calls may take turns, and its callers may die in them. */
export class MemoryMails implements EventMailStore {
  readonly written: EventMail[] = [];
  /** Numbers from 0 to 1: lets other callers in between. */
  yields: (() => number) | undefined;
  /** Numbers from 0 to 1: below a half the caller dies, before or after the work is done. */
  crashes: (() => number) | undefined;
  readonly #marks = new Map<string, StoredMark>();

  async mark(set: string): Promise<StoredMark | undefined> {
    await this.#turns();
    return this.#marks.get(set);
  }

  async isFirst(): Promise<boolean> {
    await this.#turns();
    return this.#marks.size === 0;
  }

  async claim(set: string, version: number, next: Mark, mails: readonly EventMail[]): Promise<boolean> {
    await this.#turns();
    const fate = this.crashes?.() ?? 1;
    if (fate < 0.25) throw new Error('died before the commit');
    const won = (this.#marks.get(set)?.version ?? 0) === version;
    if (won) {
      this.#marks.set(set, { ...next, version: version + 1 });
      this.written.push(...mails);
    }
    if (fate < 0.5) throw new Error('died after the commit');
    return won;
  }

  async #turns(): Promise<void> {
    const turns = Math.floor((this.yields?.() ?? 0) * 4);
    for (let i = 0; i < turns; i++) await Promise.resolve();
  }
}

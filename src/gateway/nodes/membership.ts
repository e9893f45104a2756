import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventService } from '../../events/types.js';
import { messageOf, StoreError } from '../../store/errors.js';
import type { NodeFacts, NodeIdentity, NodeRecord, NodeStore } from '../../store/node-types.js';
import type { EventCondition, EventStore } from '../../store/types.js';
import type { Log } from '../../telemetry/log.js';
import { changesOf, isControls, judgeNodes, JUDGE_TIMES, type JudgeTimes } from './judge.js';

/** Spans in ms. */
export interface MembershipTimes extends JudgeTimes {
  /** Between two signs of life. */
  readonly beat: number;
  /** How long the control node is that after its last sign. */
  readonly lease: number;
  /** How long a control node must have had the database before it counts another's silence. */
  readonly steady: number;
  /** How long a start waits for the database. */
  readonly patience: number;
}

export const MEMBERSHIP_TIMES: MembershipTimes = {
  ...JUDGE_TIMES,
  beat: 5_000,
  lease: 20_000,
  steady: 15_000,
  patience: 3_000,
};
/** A clock further from the database's is an event, ms. */
const MAX_SKEW = 5_000;
/** Nodes that were stopped are listed for so long, ms. */
const STOPPED_LISTED = 7 * 86_400_000;
const HOUR = 3_600_000;

export interface MembershipOptions {
  readonly nodes: NodeStore;
  readonly eventStore: Pick<EventStore, 'active' | 'write'>;
  readonly events: EventService;
  readonly identity: NodeIdentity;
  /** As they are now; the clock is measured here. */
  readonly facts: () => Omit<NodeFacts, 'clock'>;
  /** Another node has taken the name of this one, which is to take another; default: an event. */
  readonly onTaken?: () => void;
  readonly log: Log;
  /** The present, ms since the epoch. */
  readonly now?: () => number;
  readonly times?: Partial<MembershipTimes>;
}

/** Another node runs under this one's name. */
export class NameTakenError extends StoreError {
  readonly holder: NodeRecord;

  constructor(holder: NodeRecord) {
    const where = holder.port === 0 ? holder.address : `${holder.address}:${holder.port}`;
    super(
      'in-use',
      `A node named ${holder.name} runs already (${holder.roles.join(', ')} at ${where}, seen ${Math.round(holder.silence / 1000)}s ago). ` +
        'Set another `node.name` in the configuration of this one; each node needs its own.',
    );
    this.holder = holder;
  }
}

/** This node among the others: it says that it lives, and is the control node when it is its turn. */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #times: MembershipTimes;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #control = false;
  #entered = false;
  #failing = false;
  #taken = false;
  /** Since when every sign has reached the database; by the monotonic clock. */
  #steadySince: number | undefined;
  #pruned = 0;

  private constructor(options: MembershipOptions) {
    this.#options = options;
    this.#times = { ...MEMBERSHIP_TIMES, ...options.times };
  }

  /**
   * Enters this node. A database that does not answer does not stop the start: it is entered when it does.
   * @throws NameTakenError when another one runs under its name
   * @throws StoreError `too-new` when this version cannot work with the database: it would take what it never tells
   */
  static async open(options: MembershipOptions): Promise<Membership> {
    const membership = new Membership(options);
    const first = membership.#beat();
    const late = sleep(membership.#times.patience, 'late' as const, { ref: false });
    // A failure that comes late is met by the next sign.
    first.catch(() => undefined);
    try {
      await Promise.race([first, late]);
    } catch (error) {
      if (error instanceof NameTakenError || (error instanceof StoreError && error.code === 'too-new')) throw error;
      membership.#failed(error);
    }
    membership.#plan();
    return membership;
  }

  /** Whether this is the control node, as far as it knows. */
  get control(): boolean {
    return this.#control;
  }

  /** A sign of life now, such as when what it says of itself has changed. Never rejects. */
  async now(): Promise<void> {
    this.#running ??= this.#round().finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  /** Says goodbye: a node that was stopped is not missed. */
  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#running;
    if (!this.#entered) return;
    const { nodes, facts, identity, log } = this.#options;
    const left = nodes.leave(facts().name, identity).catch((error: unknown) => {
      log.warn({ reason: messageOf(error) }, 'the other nodes could not be told that this one stops');
    });
    await Promise.race([left, sleep(this.#times.patience, undefined, { ref: false })]);
  }

  #plan(): void {
    clearTimeout(this.#timer);
    if (this.#stop.signal.aborted) return;
    this.#timer = setTimeout(() => {
      void this.now().finally(() => this.#plan());
    }, this.#times.beat);
    this.#timer.unref();
  }

  async #round(): Promise<void> {
    try {
      await this.#beat();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #beat(): Promise<void> {
    const { nodes, events, identity, log } = this.#options;
    const { offset, error } = await nodes.clockOffset(this.#options.now);
    const facts: NodeFacts = { ...this.#options.facts(), clock: offset };
    const holder = await nodes.beat(facts, identity);
    if (holder !== undefined) throw new NameTakenError(holder);
    if (this.#stop.signal.aborted) return;
    if (this.#failing) log.info('the other nodes see this one again');
    if (this.#taken) events.resolve('cluster-misconfigured', 'name');
    if (!this.#entered) events.checked(['node-unavailable', 'settings-differ']);
    this.#entered = true;
    this.#failing = false;
    this.#taken = false;
    this.#steadySince ??= performance.now();
    this.#reportClock(offset, error);
    await this.#lead(facts);
  }

  #failed(error: unknown): void {
    const { events, log } = this.#options;
    this.#control = false;
    this.#steadySince = undefined;
    if (error instanceof NameTakenError && !this.#taken) {
      this.#taken = true;
      if (this.#entered && this.#options.onTaken !== undefined) this.#options.onTaken();
      else events.raise('cluster-misconfigured', { subject: 'name', detail: error.message });
    }
    if (!this.#failing)
      log.warn({ reason: messageOf(error) }, 'this node cannot tell the others that it runs: tried again');
    this.#failing = true;
  }

  #reportClock(offset: number, error: number): void {
    const { events } = this.#options;
    if (Math.abs(offset) - error > MAX_SKEW)
      events.raise('node-clock-skew', {
        detail:
          `the clock of this node is ${(Math.abs(offset) / 1000).toFixed(1)} s ${offset > 0 ? 'ahead of' : 'behind'} ` +
          "the database's: let both follow the same time servers (NTP)",
      });
    else if (Math.abs(offset) + error <= MAX_SKEW) {
      events.resolve('node-clock-skew');
      events.checked(['node-clock-skew']);
    }
  }

  /** What the control node does. All of it is in the database: whoever is next goes on. */
  async #lead(facts: NodeFacts): Promise<void> {
    const { nodes, identity, log, eventStore } = this.#options;
    const had = this.#control;
    this.#control = await nodes.lease(facts, identity, this.#times.lease);
    if (this.#control !== had)
      log.info({ node: facts.name }, this.#control ? 'this is the control node' : 'another is the control node now');
    if (!this.#control) return;
    const steady = this.#steadySince !== undefined && performance.now() - this.#steadySince >= this.#times.steady;
    const all = await nodes.list();
    // The database's clock: this node has just been seen.
    const now = all.find(({ name }) => name === facts.name)?.lastSeen ?? new Date();
    const active = await eventStore.active();
    const verdicts = judgeNodes(all, facts.name, now, steady, this.#times);
    const { raised, still, resolved } = changesOf(verdicts, active, now);
    const over = resolved.filter(
      ({ event, node }) => steady || event !== 'node-unavailable' || isBack(all, node, this.#times.silence),
    );
    for (const { event, node, detail } of raised) log.warn({ event, node, detail }, 'event raised');
    for (const { event, node } of over) log.info({ event, node }, 'event resolved');
    const orphans = active.filter((condition) => isOrphan(condition, all, now, this.#times.silence));
    for (const { event, node, subject } of orphans)
      log.info({ event, node, subject }, 'event of a forgotten node is over');
    await eventStore.write(
      [
        ...raised.map((condition) => ({ id: randomUUID(), change: 'raised' as const, condition })),
        ...over.map((condition) => ({ id: randomUUID(), change: 'resolved' as const, condition })),
        ...orphans.map((condition) => ({
          id: randomUUID(),
          change: 'resolved' as const,
          condition: { ...condition, resolvedAt: now },
        })),
      ],
      still,
    );
    if (performance.now() - this.#pruned < HOUR && this.#pruned !== 0) return;
    this.#pruned = performance.now();
    await nodes.prune(STOPPED_LISTED);
  }
}

/** A condition of a node that was forgotten: nobody will ever say that it is over. */
function isOrphan(condition: EventCondition, nodes: readonly NodeRecord[], now: Date, silence: number): boolean {
  if (isControls(condition) || nodes.some(({ name }) => name === condition.node)) return false;
  // A node that has just begun may tell of a condition before it is listed.
  return now.getTime() - condition.last.getTime() > silence;
}

/** Gone for good counts as well: nobody waits for it. */
function isBack(nodes: readonly NodeRecord[], name: string, silence: number): boolean {
  const node = nodes.find((each) => each.name === name);
  return node === undefined || node.stopped !== undefined || node.silence <= silence;
}

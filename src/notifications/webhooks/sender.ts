import type { Config } from '../../config/load.js';
import type { EventReporter } from '../../events/types.js';
import type { TraceId } from '../../message/trace-id.js';
import type { JobOutcome } from '../../queue/types.js';
import type { KeptJob } from '../../store/notification-book-types.js';
import type { Ledger, LedgerEntry } from '../../store/types.js';
import type { Log } from '../../telemetry/log.js';
import { whileHeld, type Hold, type Holds } from '../holds.js';
import { insist } from '../insist.js';
import type { Clock } from '../job.js';
import { isFinal } from '../../store/ledger.js';
import type { Webhook } from './hook.js';
import { postTo, type PostResult } from './post.js';
import { WEBHOOK_QUEUE, WEBHOOK_TEMPLATE, type WebhookCall } from './types.js';

export interface WebhookSenderOptions {
  readonly hooks: () => readonly Webhook[];
  readonly retry: () => Config['notifications']['retry'];
  readonly ledger: Ledger;
  readonly events?: EventReporter;
  readonly log: Log;
  readonly clock: Clock;
  /** Called when the ledger has a final state. Rejects when it is to be told again. */
  readonly onSettled: (call: WebhookCall) => Promise<void>;
  /** Keeps others from making the same call at the same time; default: there are none. */
  readonly holds?: Pick<Holds, 'take'>;
  /** How long the ledger is asked again and again to take an outcome, ms; default: once. */
  readonly insist?: number;
}

/** How long a job waits when the ledger is away or another run of it is under way. ms */
const LATER = 15_000;
/** How long a webhook that cannot be reached is left alone: what waits for it must not keep others from theirs. ms */
const PAUSE = 10_000;

/**
 * The worker's part: one POST for each call, recorded in the ledger. As with mails, a call is made again only when this
 * process dies between the answer and the ledger's commit; the receiver then sees the same `id`.
 */
export class WebhookSender {
  readonly #options: WebhookSenderOptions;
  readonly #running = new Set<string>();
  readonly #pausedUntil = new Map<string, number>();
  /** Those of them that are just being tried. */
  readonly #probed = new Set<string>();
  /** Outcomes that the ledger could not take yet. */
  readonly #unrecorded = new Map<string, LedgerEntry>();

  constructor(options: WebhookSenderOptions) {
    this.#options = options;
  }

  async handle(call: WebhookCall): Promise<JobOutcome> {
    const { log, clock } = this.#options;
    if (this.#running.has(call.id)) return { again: clock.now() + LATER };
    this.#running.add(call.id);
    try {
      return await this.#work(call);
    } catch (error) {
      log.warn({ id: call.id, webhook: call.to, err: error }, 'a call of a webhook waits: the store cannot be reached');
      return { again: clock.now() + LATER };
    } finally {
      this.#running.delete(call.id);
    }
  }

  async #work(call: WebhookCall): Promise<JobOutcome> {
    const { holds, clock } = this.#options;
    const outcome = this.#unrecorded.get(call.id);
    if (outcome !== undefined) return await this.#record(call, outcome);
    return await whileHeld(holds, call.id, clock, async (hold) => await this.#held(call, hold));
  }

  async #held(call: WebhookCall, hold: Hold): Promise<JobOutcome> {
    const { ledger, clock, retry } = this.#options;
    const known = await ledger.get(call.id);
    if (known !== undefined && isFinal(known)) return await this.#settled(call);
    const now = clock.now();
    const first = (known?.reopenedAt ?? known?.time)?.getTime() ?? now;
    const deadline = first + retry().lifetime;
    const paused = this.#pausedUntil.get(call.hook);
    const probe = paused !== undefined && now < deadline;
    if (probe) {
      // One at a time tries a webhook that says nothing: each may take all of its time.
      if (now < paused || this.#probed.has(call.hook)) return { again: Math.max(paused, now + PAUSE) };
      this.#probed.add(call.hook);
    }
    try {
      return await this.#call(call, known, deadline, hold);
    } finally {
      if (probe) this.#probed.delete(call.hook);
    }
  }

  async #call(call: WebhookCall, known: LedgerEntry | undefined, deadline: number, hold: Hold): Promise<JobOutcome> {
    const { ledger, clock } = this.#options;
    const now = clock.now();
    const entry = callEntry(call, known?.time ?? new Date(now), (known?.attempts ?? 0) + 1);
    // Written before the attempt: a ledger that cannot be written now could not be told of a success either.
    await ledger.put({ ...entry, ...(known?.lastReply === undefined ? {} : { lastReply: known.lastReply }) });
    return await this.#conclude(call, entry, await this.#attempt(call, hold), deadline);
  }

  async #attempt(call: WebhookCall, hold: Hold): Promise<PostResult> {
    const { hooks, clock } = this.#options;
    const hook = hooks().find(({ id }) => id === call.hook);
    if (hook === undefined)
      return { state: 'later', reply: 'no webhook of that address is configured on this node', away: true };
    const result = await postTo(hook, call.payload, clock.now(), hold.sure);
    if (result.away) this.#pausedUntil.set(hook.id, clock.now() + PAUSE);
    else this.#pausedUntil.delete(hook.id);
    return result;
  }

  async #conclude(call: WebhookCall, entry: LedgerEntry, result: PostResult, deadline: number): Promise<JobOutcome> {
    const { events, log, clock, ledger, retry } = this.#options;
    const about = { id: call.id, webhook: call.to, attempts: entry.attempts, reply: result.reply };
    const done = { ...entry, lastReply: result.reply };
    if (result.state === 'sent') {
      log.info(about, 'webhook told');
      events?.resolve('notification-undeliverable', call.to);
      return await this.#record(call, { ...done, state: 'sent' });
    }
    const now = clock.now();
    if (result.state === 'failed' || now >= deadline) {
      const reason = result.state === 'failed' ? 'refused by the receiver' : 'given up: its lifetime is over';
      log.error(about, 'webhook failed');
      events?.raise('notification-undeliverable', {
        subject: call.to,
        detail: `${reason}: ${call.to}: ${result.reply}`,
      });
      return await this.#record(call, { ...done, state: 'failed', reason });
    }
    const { delays } = retry();
    const delay = Math.max(delays[Math.min(entry.attempts, delays.length) - 1] ?? LATER, result.retryAfter ?? 0);
    const again = Math.min(now + delay, deadline);
    log.warn({ ...about, delay }, 'webhook not told yet');
    await ledger.put({ ...done, nextAttempt: new Date(again) });
    return { again };
  }

  /** Keeps the outcome in memory until the ledger has it. */
  async #record(call: WebhookCall, entry: LedgerEntry): Promise<JobOutcome> {
    this.#unrecorded.set(entry.id, entry);
    const { ledger, insist: patience = 0 } = this.#options;
    await insist(async () => await ledger.put(entry, keptCall(call)), patience);
    this.#unrecorded.delete(entry.id);
    return await this.#settled(call);
  }

  async #settled(call: WebhookCall): Promise<JobOutcome> {
    await this.#options.onSettled(call);
    return 'done';
  }
}

/** What is needed to make the call again. */
function keptCall({ id, hook, to, payload }: WebhookCall): KeptJob {
  const call: WebhookCall = { id, hook, to, payload };
  return { queue: WEBHOOK_QUEUE, job: JSON.stringify({ call }) };
}

/** The ledger's row of a call that waits. */
export function callEntry({ id, to, payload }: WebhookCall, time: Date, attempts = 0): LedgerEntry {
  return {
    id,
    kind: payload.kind === 'test' ? 'notice' : payload.kind,
    ...(payload.traceId === null ? {} : { traceId: payload.traceId as TraceId }),
    ...(payload.kind === 'rule' && payload.rules[0] !== undefined ? { rule: payload.rules[0].id } : {}),
    to,
    template: WEBHOOK_TEMPLATE,
    state: 'queued',
    attempts,
    messageId: '',
    time,
  };
}

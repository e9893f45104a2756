import type { Content } from '../message/source.js';
import { domainOf } from '../message/envelope.js';
import type { TraceId } from '../message/trace-id.js';
import type { JobHandler, JobOutcome } from '../queue/types.js';
import type { Asked, Recorded } from '../store/sending-types.js';
import { attempt, conclude, LATER, type AttemptOptions, type Tried } from './attempt.js';
import { composeNotification } from './compose.js';
import { isCollected } from './collect/choice.js';
import { whileHeld, type Hold } from './holds.js';
import { insist } from './insist.js';
import type { NotificationJob } from './job.js';
import { keptOf } from './kept.js';
import { queuedEntry } from './ledger-entry.js';
import type { SendingDesk } from './rate/desk.js';
import { templateOf } from './template-choice.js';
import type { Templates } from './templates/load.js';
import { renderTemplate } from './templates/render.js';
import { siteOf } from './templates/site.js';
import type { NotificationMail, OwedNotification } from './types.js';

export interface SenderOptions extends AttemptOptions {
  readonly desk: SendingDesk;
  readonly templates: Templates;
  /** The original, when it lies on this machine. */
  readonly original?: (traceId: TraceId) => Promise<Content | undefined>;
  /** Called when the ledger has a final state, or the store has what is owed. */
  readonly onSettled?: (id: string) => void;
}

/**
 * The worker's part: asks the store whether a mail may go, renders and sends one mail for each job, and writes the
 * ledger. A job that runs twice sends once; only when this process dies between the server's 250 and the ledger's commit
 * is a mail sent again. A notification that fails is recorded and logged, raises an event, and makes no other notification.
 */
export class NotificationSender {
  private readonly options: SenderOptions;
  private readonly running = new Set<string>();
  /** Outcomes that the ledger could not take yet: with them a mail that was sent is not sent again. */
  private readonly unrecorded = new Map<string, Recorded>();

  constructor(options: SenderOptions) {
    this.options = options;
  }

  readonly handle: JobHandler<NotificationJob> = async (job) => {
    const { log, clock } = this.options;
    const { id, traceId } = job.notification;
    if (this.running.has(id)) return { again: clock.now() + LATER };
    this.running.add(id);
    try {
      return await this.work(job);
    } catch (error) {
      log.warn({ id, traceId, err: error }, 'a notification waits: the ledger cannot be reached');
      return { again: clock.now() + LATER };
    } finally {
      this.running.delete(id);
    }
  };

  private async work(job: NotificationJob): Promise<JobOutcome> {
    const { holds, clock } = this.options;
    const { id } = job.notification;
    const known = this.unrecorded.get(id);
    if (known !== undefined) return await this.record(known);
    return await whileHeld(holds, id, clock, async (hold) => await this.held(job, hold));
  }

  private async held(job: NotificationJob, hold: Hold): Promise<JobOutcome> {
    const { desk } = this.options;
    const { id, traceId } = job.notification;
    // Written before the attempt: a ledger that cannot be written now could not be told of a success either.
    const admission = await desk.admit(this.question(job));
    if (admission.state === 'wait') return { again: admission.until };
    if (admission.state === 'over') return this.settled(id);
    const done = await attempt(async () => await this.compose(job), { id, traceId }, this.options, hold);
    const kept: Tried['kept'] = (_, state) => keptOf(job, state);
    const tried = { entries: [admission.entry], since: admission.since, kept };
    const concluded = conclude(tried, done, this.options);
    const [recorded] = concluded.recorded;
    if (recorded === undefined) return concluded.outcome;
    if (concluded.outcome === 'done') return await this.record(recorded);
    await desk.record(recorded);
    return concluded.outcome;
  }

  private question(job: NotificationJob): Asked {
    const { notification } = job;
    const { config, clock } = this.options;
    const { from, separate, interval } = config().notifications;
    const together = !separate && (notification.attach !== 'original' || job.original !== undefined);
    return {
      entry: queuedEntry(notification, from, clock.now()),
      address: notification.to.toLowerCase(),
      source: domainOf(notification.context.sender).toLowerCase(),
      ...ruleName(notification),
      ...(interval === 0 || !isCollected(notification)
        ? {}
        : { wait: together ? { how: 'together', body: JSON.stringify(job) } : { how: 'separate' } }),
    };
  }

  private async compose({ notification, original }: NotificationJob): Promise<NotificationMail> {
    const { templates, config, clock } = this.options;
    const { notifications } = config();
    const template = templateOf(notification, templates);
    if (template === undefined) throw new Error(`there is no template ${notification.template}`);
    const rendered = renderTemplate(template, notification.context, siteOf(config()));
    const content = notification.attach === 'original' ? await this.original(notification, original) : undefined;
    return await composeNotification(notification, rendered, notifications, clock.now(), content);
  }

  private async original({ traceId }: OwedNotification, inJob: string | undefined): Promise<Content | undefined> {
    const here = await this.options.original?.(traceId);
    if (here !== undefined || inJob === undefined) return here;
    const bytes = Buffer.from(inJob, 'base64');
    return { size: bytes.length, read: () => [bytes] };
  }

  /** Keeps the outcome in memory until the ledger has it. */
  private async record(outcome: Recorded): Promise<JobOutcome> {
    const { id } = outcome.entry;
    this.unrecorded.set(id, outcome);
    await insist(async () => await this.options.desk.record(outcome), this.options.insist ?? 0);
    this.unrecorded.delete(id);
    return this.settled(id);
  }

  private settled(id: string): JobOutcome {
    this.options.onSettled?.(id);
    return 'done';
  }
}

/** Name of the rule that the row in the ledger has the ID of. */
function ruleName(notification: OwedNotification): Pick<Asked, 'ruleName'> {
  if (notification.kind !== 'rule') return {};
  const { rule, context } = notification;
  const name = context.rules.find(({ id }) => id === rule)?.name ?? '';
  return name === '' || name === rule ? {} : { ruleName: name };
}

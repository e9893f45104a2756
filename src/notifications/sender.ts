import type { Config } from '../config/load.js';
import type { EventReporter } from '../events/types.js';
import type { Content } from '../message/source.js';
import type { TraceId } from '../message/trace-id.js';
import type { JobHandler, JobOutcome } from '../queue/types.js';
import type { Ledger, LedgerEntry } from '../store/types.js';
import type { Log } from '../telemetry/log.js';
import { composeNotification } from './compose.js';
import type { Clock, NotificationJob } from './job.js';
import { isFinal, queuedEntry } from './ledger-entry.js';
import { templateOf } from './template-choice.js';
import type { Templates } from './templates/load.js';
import { renderTemplate } from './templates/render.js';
import type { MailTransport, OwedNotification } from './types.js';

export interface SenderOptions {
  readonly settings: Pick<Config['notifications'], 'from' | 'messageId' | 'retry'>;
  /** First of `domains`, for `%mydomain%`. */
  readonly mydomain: string;
  readonly ledger: Ledger;
  readonly transport: MailTransport;
  readonly templates: Templates;
  readonly log: Log;
  readonly clock: Clock;
  /** The original, when it lies on this machine. */
  readonly original?: (traceId: TraceId) => Promise<Content | undefined>;
  /** Where `notification-undeliverable` is reported. */
  readonly events?: EventReporter;
  /** Called when the ledger has a final state. */
  readonly onSettled?: (id: string) => void;
}

/** How long a job waits when the ledger is away or another run of it is under way. ms */
const LATER = 15_000;
const MAX_REPLY = 300;

/** How one attempt went. */
type Attempt =
  | { readonly state: 'sent'; readonly reply: string }
  | { readonly state: 'failed'; readonly reply: string }
  | { readonly state: 'later'; readonly reply: string };

/**
 * The worker's part: renders and sends one mail for each job, and writes the ledger. A job that runs twice sends once;
 * only when this process dies between the server's 250 and the ledger's commit is a mail sent again. A notification that
 * fails is recorded and logged, raises an event, and makes no other notification.
 */
export class NotificationSender {
  private readonly options: SenderOptions;
  private readonly running = new Set<string>();
  /** Outcomes that the ledger could not take yet: with them a mail that was sent is not sent again. */
  private readonly unrecorded = new Map<string, LedgerEntry>();

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
    const { ledger, settings, clock } = this.options;
    const { notification } = job;
    const outcome = this.unrecorded.get(notification.id);
    if (outcome !== undefined) return await this.record(outcome);
    const known = await ledger.get(notification.id);
    if (known !== undefined && isFinal(known)) return this.settled(known.id);
    const first = known?.time.getTime() ?? clock.now();
    const entry = queuedEntry(notification, settings.from, first, (known?.attempts ?? 0) + 1);
    // Written before the attempt: a ledger that cannot be written now could not be told of a success either.
    await ledger.put({ ...entry, ...(known?.lastReply === undefined ? {} : { lastReply: known.lastReply }) });
    const attempt = await this.attempt(job);
    return await this.conclude(entry, attempt, first);
  }

  private async attempt(job: NotificationJob): Promise<Attempt> {
    const { transport, log } = this.options;
    const { notification } = job;
    try {
      const result = await transport.send(await this.compose(job));
      const [recipient] = result.recipients;
      const { code, enhanced, text } = recipient?.reply ?? { text: 'no answer about the recipient' };
      const reply = [code, enhanced, text]
        .filter((part) => part !== undefined)
        .join(' ')
        .slice(0, MAX_REPLY);
      if (recipient?.state === 'delivered') return { state: 'sent', reply };
      return { state: recipient?.state === 'refused' ? 'failed' : 'later', reply };
    } catch (error) {
      log.error({ id: notification.id, traceId: notification.traceId, err: error }, 'a notification cannot be made');
      return { state: 'later', reply: 'the mail could not be made' };
    }
  }

  private async compose({ notification, original }: NotificationJob): ReturnType<typeof composeNotification> {
    const { templates, mydomain, settings, clock } = this.options;
    const template = templateOf(notification, templates);
    if (template === undefined) throw new Error(`there is no template ${notification.template}`);
    const rendered = renderTemplate(template, notification.context, mydomain);
    const content = notification.attach === 'original' ? await this.original(notification, original) : undefined;
    return await composeNotification(notification, rendered, settings, clock.now(), content);
  }

  private async original({ traceId }: OwedNotification, inJob: string | undefined): Promise<Content | undefined> {
    const here = await this.options.original?.(traceId);
    if (here !== undefined || inJob === undefined) return here;
    const bytes = Buffer.from(inJob, 'base64');
    return { size: bytes.length, read: () => [bytes] };
  }

  private async conclude(entry: LedgerEntry, attempt: Attempt, first: number): Promise<JobOutcome> {
    const { settings, ledger, log, clock, transport } = this.options;
    const { id, traceId, template, group, attempts } = entry;
    const about = { id, traceId, template, group, attempts, server: transport.name, reply: attempt.reply };
    const done = { ...entry, lastReply: attempt.reply };
    if (attempt.state === 'sent') {
      log.info(about, 'notification sent');
      this.options.events?.resolve('notification-undeliverable', entry.to);
      return await this.record({ ...done, state: 'sent' });
    }
    const now = clock.now();
    const deadline = first + settings.retry.lifetime;
    if (attempt.state === 'failed' || now >= deadline) {
      log.error(about, 'notification failed');
      const reason = attempt.state === 'failed' ? 'refused by the server' : 'given up: its lifetime is over';
      // Mails about events make no event: a failing one would be told of by the next.
      if (entry.kind !== 'event')
        this.options.events?.raise('notification-undeliverable', {
          subject: entry.to,
          detail: `${reason}: ${transport.name} said: ${attempt.reply}`,
        });
      return await this.record({ ...done, state: 'failed', reason });
    }
    const { delays } = settings.retry;
    const delay = delays[Math.min(attempts, delays.length) - 1] ?? LATER;
    log.warn({ ...about, delay }, 'notification not sent yet');
    await ledger.put(done);
    return { again: Math.min(now + delay, Math.max(deadline, now)) };
  }

  /** Keeps the outcome in memory until the ledger has it. */
  private async record(entry: LedgerEntry): Promise<JobOutcome> {
    this.unrecorded.set(entry.id, entry);
    await this.options.ledger.put(entry);
    this.unrecorded.delete(entry.id);
    return this.settled(entry.id);
  }

  private settled(id: string): JobOutcome {
    this.options.onSettled?.(id);
    return 'done';
  }
}

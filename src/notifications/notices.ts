import type { Severity } from '../events/types.js';
import { newTraceId, type TraceId } from '../message/trace-id.js';
import type { Content } from '../message/source.js';
import type { Log } from '../telemetry/log.js';
import type { NotificationDispatcher } from './dispatcher.js';
import { notificationId } from './identity.js';
import type { Clock } from './job.js';
import { addressOf, comparable, isDeliverable } from './mailbox.js';
import { NoticeRate } from './notice-rate.js';
import { isSevere, severityOfNotice } from './severity.js';
import type {
  MessageContext,
  NoticeClass,
  NoticeContext,
  NotifiedNode,
  OwedNotice,
  ReportedRecipient,
} from './types.js';
import type { OwedCalls } from './webhooks/owed-calls.js';

/** Something that the mail admins want to know of. */
export interface Notice {
  readonly class: NoticeClass;
  /** What happened, one line for an admin; without secrets. */
  readonly errorDescription: string;
  /** What is known of the message or of the session. */
  readonly message?: Partial<Omit<MessageContext, 'node'>>;
  readonly reported?: readonly ReportedRecipient[];
  /** Lines of the session, secrets removed. */
  readonly transcript?: readonly string[];
  /** The message, whose header is attached. */
  readonly original?: Content;
}

/** Where the parts of the gateway tell the admins, by class. */
export interface NoticeReporter {
  /** Whether anybody is told about this class: what costs something is collected only then. */
  wants(about: NoticeClass): boolean;
  /**
   * Resolves when the notice is in the outbox, or is not sent: its class is off, there were too many (they are counted
   * and told with the next). Rejects when the outbox cannot be written.
   */
  tell(notice: Notice): Promise<void>;
}

/** Tells nobody. */
export const NO_NOTICES: NoticeReporter = { wants: () => false, tell: () => Promise.resolve() };

/** What of `notifications` notices go by. */
export interface NoticeSettings {
  readonly notices: Readonly<Record<NoticeClass, boolean>> & { readonly to: readonly string[] };
  readonly minSeverity: Severity;
  /** Never told. */
  readonly from: string;
}

export interface NoticesOptions {
  /** As they are in force. */
  readonly settings: () => NoticeSettings;
  readonly node: () => NotifiedNode;
  readonly dispatcher: Pick<NotificationDispatcher, 'put'>;
  /** What webhooks are owed by a notice. */
  readonly webhooks?: Pick<OwedCalls, 'any' | 'owed'>;
  readonly log: Log;
  readonly clock: Clock;
}

/** Texts of sessions come from strangers: lines of a transcript and their length in characters. */
const MAX_LINES = 60;
const MAX_LINE = 300;
const MAX_REPORTED = 50;

/** Notices to the admins: by the same outbox, queue and ledger as notifications of rules. */
export class Notices implements NoticeReporter {
  readonly #options: NoticesOptions;
  readonly #rate: NoticeRate<Notice>;

  constructor(options: NoticesOptions) {
    this.#options = options;
    this.#rate = new NoticeRate(options.clock, {
      send: (notice, omitted) =>
        void this.#put(notice, omitted).catch((error: unknown) =>
          options.log.error({ class: notice.class, err: error }, 'a notice could not be written to the outbox'),
        ),
      // One line, not one for each: strangers have a say in how many there are.
      full: (about) => options.log.info({ class: about }, 'too many notices of this class: they are counted'),
    });
  }

  wants(about: NoticeClass): boolean {
    const { notices, minSeverity } = this.#options.settings();
    const anybody = notices.to.length > 0 || this.#options.webhooks?.any === true;
    return notices[about] && anybody && isSevere(severityOfNotice(about), minSeverity);
  }

  async tell(notice: Notice): Promise<void> {
    if (!this.wants(notice.class)) return;
    const omitted = this.#rate.take(notice.class, withoutOriginal(notice));
    if (omitted !== undefined) await this.#put(notice, omitted);
  }

  /** What was counted and not told yet goes to the log. */
  close(): void {
    for (const [about, count] of this.#rate.close())
      this.#options.log.warn({ class: about, count }, 'notices were not sent, as there were too many');
  }

  async #put(notice: Notice, omitted: number): Promise<void> {
    const { settings, dispatcher, log, clock } = this.#options;
    const { notices, from } = settings();
    const traceId = notice.message?.messageId ?? newTraceId(clock.now());
    const failed = new Set(notice.reported?.map(({ address }) => comparable(address)));
    const own = comparable(addressOf(from));
    const template = `notice-${notice.class}`;
    const context = this.#context(notice, traceId, omitted);
    const notify: OwedNotice[] = [];
    for (const address of new Set(notices.to.map((one) => one.trim()))) {
      const compared = comparable(address);
      // A notice that mail to this very address cannot be delivered would go the same way.
      if (compared === own || failed.has(compared) || !isDeliverable(address)) {
        log.warn({ class: notice.class, id: traceId }, 'an admin is not told: mail to that address is what failed');
        continue;
      }
      const attach = notice.original === undefined ? 'none' : 'headers';
      const id = notificationId(traceId, `${template} ${String(clock.now())}`, address);
      notify.push({ id, kind: 'notice', traceId, to: address, template, attach, context });
    }
    const about = `${template} ${String(clock.now())}`;
    const webhooks = this.#options.webhooks?.owed(about, { traceId, class: notice.class }, context) ?? [];
    if (notify.length + webhooks.length > 0)
      await dispatcher.put({ notify, suppressed: [], webhooks }, notice.original);
  }

  #context(notice: Notice, traceId: TraceId, omitted: number): NoticeContext {
    const { message = {}, transcript = [], reported = [] } = notice;
    const cut = transcript.length > MAX_LINES ? transcript.slice(-MAX_LINES) : transcript;
    return {
      kind: 'notice',
      smtpMessageId: '',
      date: this.#options.clock.now(),
      sender: '',
      senderIp: '',
      allRecipients: [],
      affectedRecipients: [],
      subject: '',
      size: 0,
      ...message,
      messageId: traceId,
      node: this.#options.node(),
      errorDescription: notice.errorDescription.slice(0, MAX_LINE),
      transcript: cut.map((line) => line.slice(0, MAX_LINE)),
      reported: reported.slice(0, MAX_REPORTED),
      omitted,
    };
  }
}

/** What waits for its turn must not hold a message that may be gone by then. */
function withoutOriginal(notice: Notice): Notice {
  const { original, ...rest } = notice;
  return original === undefined ? notice : rest;
}

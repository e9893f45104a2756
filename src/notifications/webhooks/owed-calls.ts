import type { EventReporter } from '../../events/types.js';
import type { Envelope } from '../../message/envelope.js';
import type { TraceId } from '../../message/trace-id.js';
import type { Inspection } from '../../pipeline/types.js';
import type { Log } from '../../telemetry/log.js';
import type { NotificationDispatcher } from '../dispatcher.js';
import type { Clock } from '../job.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Arrival, OweSettings } from '../owed.js';
import type { NoticeClass, NoticeContext } from '../types.js';
import type { Webhook } from './hook.js';
import { overflow } from './look.js';
import { noticeToWebhooks, oweToWebhooks } from './owed.js';
import type { OwedWebhook } from './types.js';

/**
 * What messages and notices owe to webhooks, as far as there is room in the outbox: beyond `maxWaiting` of one webhook
 * the ledger, the log and an event say what is not sent.
 */
export class OwedCalls {
  readonly #hooks: () => readonly Webhook[];
  readonly #outbox: Pick<Outbox, 'callsOf'>;
  readonly #dispatcher: Pick<NotificationDispatcher, 'record'>;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #events: EventReporter | undefined;

  constructor(
    hooks: () => readonly Webhook[],
    outbox: Pick<Outbox, 'callsOf'>,
    dispatcher: Pick<NotificationDispatcher, 'record'>,
    log: Log,
    clock: Clock,
    events: EventReporter | undefined,
  ) {
    this.#hooks = hooks;
    this.#outbox = outbox;
    this.#dispatcher = dispatcher;
    this.#log = log;
    this.#clock = clock;
    this.#events = events;
  }

  /** Whether any is told of notices. */
  get any(): boolean {
    return this.#hooks().some(({ kinds }) => kinds.includes('notice'));
  }

  owed(
    about: string,
    notice: { readonly traceId: TraceId; readonly class: NoticeClass },
    context: NoticeContext,
  ): readonly OwedWebhook[] {
    return this.#bounded(noticeToWebhooks(this.#hooks(), about, notice, context));
  }

  ofMessage(
    inspection: Inspection,
    envelope: Envelope,
    settings: OweSettings,
    arrival: Arrival,
  ): readonly OwedWebhook[] {
    return this.#bounded(oweToWebhooks(this.#hooks(), inspection, envelope, settings, arrival));
  }

  #bounded(calls: readonly OwedWebhook[]): readonly OwedWebhook[] {
    return calls.filter((call) => {
      const hook = this.#hooks().find(({ id }) => id === call.hook);
      if (hook === undefined || this.#outbox.callsOf(hook.id) < hook.maxWaiting) return true;
      this.#dispatcher.record([overflow(call, hook, this.#clock.now())]);
      const { name, maxWaiting } = hook;
      this.#log.warn(
        { id: call.traceId, webhook: name, maxWaiting },
        'too many messages wait for a webhook: this one is not sent',
      );
      this.#events?.raise('notification-undeliverable', {
        subject: name,
        detail: `${maxWaiting} messages wait for ${name}: further ones are not sent`,
      });
      return false;
    });
  }
}

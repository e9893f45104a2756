import { createHash } from 'node:crypto';
import type { Config } from '../config/load.js';
import type { Content } from '../message/source.js';
import type { Log } from '../telemetry/log.js';
import type { AttemptedRecipient } from './attempt.js';
import { wants } from './bounce.js';
import { waitsSince } from './delay.js';
import type { DsnAction, DsnRecipient } from './dsn/types.js';
import { ownReply } from './reply.js';
import type { ReportedMessage, Reports } from './reports.js';
import type { FailedRecipient } from './settle.js';
import { plainRecipient, type SpoolItem, type SpoolRecipient } from './spool-item.js';
import type { DeliveryRequest } from './types.js';

export interface ItemReportsOptions {
  readonly reports: Reports;
  readonly retry: Config['delivery']['retry'];
  readonly log: Log;
  readonly content: (item: SpoolItem) => Content;
}

/** What is told of an item of the spool, or of a copy that needed none. */
export class ItemReports {
  readonly #options: ItemReportsOptions;

  constructor(options: ItemReportsOptions) {
    this.#options = options;
  }

  /**
   * Recipients are given up: the sender is told, or, where there is none, the admins.
   * @returns why the sender was not told
   * @throws Error when nobody could be told: the recipients have to wait on
   */
  async failed(item: SpoolItem, recipients: readonly DsnRecipient[]): Promise<string | undefined> {
    const { reports } = this.#options;
    const key = reportKey(item.item, 'dsn', addressesOf(recipients));
    const message = this.#messageOf(item);
    const content = this.#options.content(item);
    const reason = await reports.dsn('dsn-failure', key, message, content, recipients);
    if (item.envelope.sender === '') {
      const what = item.dsn === undefined ? 'A message with the null sender' : 'A report of ours to a sender';
      await reports.notice(
        'double-bounce',
        `${what} could not be delivered, so nobody can be told.`,
        message,
        content,
        recipients,
      );
    } else if (reason === undefined) await this.#bounced(message, content, recipients);
    return reason;
  }

  /** Recipients were refused while others of the message were accepted. @throws SpoolFullError */
  async refused(
    request: DeliveryRequest,
    recipients: readonly DsnRecipient[],
    receivedAt: Date,
  ): Promise<string | undefined> {
    const message = { ...request, receivedAt };
    const key = reportKey(request.item, 'dsn', addressesOf(recipients));
    const reason = await this.#options.reports.dsn('dsn-failure', key, message, request.content, recipients);
    if (reason === undefined) await this.#bounced(message, request.content, recipients);
    return reason;
  }

  /**
   * Recipients have it: the sender is told where he asked for it and the hop does not do so. Never rejects: the mail is
   * delivered, whatever becomes of the report.
   */
  async delivered(
    about: Pick<DeliveryRequest, 'item' | 'traceId' | 'bounce' | 'envelope'>,
    receivedAt: Date,
    content: Content,
    results: readonly AttemptedRecipient[],
  ): Promise<void> {
    const asking = new Map(
      about.envelope.recipients.filter((one) => wants(one, 'success')).map((one) => [one.address, one]),
    );
    if (asking.size === 0) return;
    const told = results.flatMap(({ address, state, reply, hop, dsn }): DsnRecipient[] => {
      const recipient = asking.get(address);
      if (recipient === undefined || state !== 'delivered' || dsn === 'passed-on') return [];
      const action: DsnAction = dsn === 'final' ? 'delivered' : 'relayed';
      return [{ recipient: plainRecipient(recipient), action, reply, hop }];
    });
    if (told.length === 0) return;
    const key = reportKey(about.item, 'ok', addressesOf(told));
    try {
      await this.#options.reports.dsn('dsn-success', key, { ...about, receivedAt }, content, told);
    } catch (error) {
      this.#options.log.error({ id: about.traceId, err: error }, 'a success DSN could not be spooled: it is not sent');
    }
  }

  /**
   * Recipients wait for longer than `warnAfter`. The item says already that they were told: killed here, none is told
   * rather than told twice.
   * @returns false when it could not be told now
   */
  async delayed(item: SpoolItem, late: readonly SpoolRecipient[]): Promise<boolean> {
    const { reports, log } = this.#options;
    if (item.envelope.sender === '') return true;
    const message = this.#messageOf(item);
    const content = this.#options.content(item);
    const recipients = late.map((one): DsnRecipient => ({
      recipient: plainRecipient(one),
      action: 'delayed',
      reply: one.lastReply ?? ownReply(451, '4.4.1', 'it has not been tried yet'),
      ...(one.hop === '' || item.stage === 'inspect' ? {} : { hop: one.hop }),
    }));
    const key = reportKey(item.item, 'delay', addressesOf(recipients));
    try {
      await reports.dsn('dsn-delay', key, message, content, recipients);
    } catch (error) {
      log.error({ id: item.traceId, item: item.item, err: error }, 'a delay could not be told yet');
      return false;
    }
    try {
      const since = `It has waited since ${reports.shownTime(item.receivedAt)}.`;
      await reports.notice('delay', since, message, content, recipients);
    } catch (error) {
      log.error({ id: item.traceId, err: error }, 'a notice could not be written');
    }
    return true;
  }

  /** The sender knows: a notice that cannot be written holds nothing up. */
  async #bounced(message: ReportedMessage, content: Content, recipients: readonly DsnRecipient[]): Promise<void> {
    try {
      await this.#options.reports.notice('bounce', 'Its sender has been told.', message, content, recipients);
    } catch (error) {
      this.#options.log.error({ id: message.traceId, err: error }, 'a notice could not be written');
    }
  }

  #messageOf(item: SpoolItem): ReportedMessage {
    const retryUntil = new Date(waitsSince(item) + this.#options.retry.lifetime);
    return { ...item, receivedAt: new Date(item.receivedAt), retryUntil };
  }
}

/**
 * Key of the DSN that tells of these recipients of an item. Nobody is given up, delivered to or late twice, so each DSN on
 * an item has a key of its own. One that is already in the spool has told just this, before a kill: it is not written again.
 */
export function reportKey(item: string, about: 'dsn' | 'ok' | 'delay', addresses: readonly string[]): string {
  const names = JSON.stringify([...addresses].sort());
  return `${item}.${about}-${createHash('sha256').update(names).digest('hex').slice(0, 10)}`;
}

function addressesOf(recipients: readonly DsnRecipient[]): string[] {
  return recipients.map(({ recipient }) => recipient.address);
}

/** A recipient that an attempt gave up, for a DSN. */
export function failedRecipient({ recipient, reply, byHop }: FailedRecipient): DsnRecipient {
  return {
    recipient: plainRecipient(recipient),
    action: 'failed',
    reply: byHop ? reply : (recipient.lastReply ?? reply),
    ...(recipient.hop === '' ? {} : { hop: recipient.hop }),
    ...(byHop ? {} : { expired: true }),
  };
}

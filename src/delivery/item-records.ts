import type { Config } from '../config/load.js';
import type { DeliveryRecord } from '../store/types.js';
import type { Log } from '../telemetry/log.js';
import type { AttemptedRecipient } from './attempt.js';
import { replyLine } from './reply.js';
import type { FailedRecipient } from './settle.js';
import type { SpoolItem, SpoolRecipient } from './spool-item.js';
import type { DeliveryEvents, HopReply } from './types.js';

export interface ItemRecordsParts {
  readonly config: Pick<Config, 'log'>;
  readonly log: Log;
  readonly events: DeliveryEvents;
  readonly now: () => number;
}

/** What the journal and the log are told of items, after their first attempt. */
export class ItemRecords {
  readonly #parts: ItemRecordsParts;

  constructor(parts: ItemRecordsParts) {
    this.#parts = parts;
  }

  /** What an attempt has settled; it is logged at once. */
  of(
    item: SpoolItem,
    delivered: readonly SpoolRecipient[],
    failed: readonly FailedRecipient[],
  ): readonly DeliveryRecord[] {
    const { config, log } = this.#parts;
    const records = [
      ...delivered.map(({ address, hop, lastReply }) =>
        this.#record(item, address, 'delivered', hop, lastReply === undefined ? '' : replyLine(lastReply)),
      ),
      ...failed.map(({ recipient, reply }) =>
        this.#record(item, recipient.address, 'failed', recipient.hop, replyLine(reply)),
      ),
    ];
    for (const { recipient, hop, state, reply } of records) {
      const to = config.log.addresses ? { to: recipient } : {};
      log.info({ id: item.traceId, item: item.item, ...to, hop, state, reply }, 'delivery');
    }
    return records;
  }

  /** Tells the journal, once what is settled is on the disk. */
  settled(item: SpoolItem, records: readonly DeliveryRecord[]): void {
    if (records.length > 0) this.#parts.events.settled(item.traceId, records);
  }

  /** Who got a mail that could not be kept for others, or not in time: its client was told to send it again. */
  unkept(item: SpoolItem, results: readonly AttemptedRecipient[]): void {
    const got = results.filter(({ state }) => state === 'delivered');
    if (got.length === 0) return;
    const about = { id: item.traceId, item: item.item, recipients: got.length };
    this.#parts.log.warn(about, 'a mail was delivered whose client is to send it again: it may come twice');
    this.settled(
      item,
      got.map(({ address, hop, reply }) => this.#record(item, address, 'delivered', hop, replyLine(reply))),
    );
  }

  /** Recipients that an admin gave up. */
  dropped(item: SpoolItem, recipients: readonly SpoolRecipient[], reply: HopReply): void {
    const line = replyLine(reply);
    this.settled(
      item,
      recipients.map(({ address, hop }) => this.#record(item, address, 'dropped', hop, line)),
    );
  }

  /** What a command did to those recipients that wait. */
  note(item: SpoolItem, what: string): void {
    this.#parts.log.info({ id: item.traceId, item: item.item, what }, 'a command changed a spooled item');
    const waiting = item.recipients.filter(({ state }) => state === 'waiting');
    this.settled(
      item,
      waiting.map(({ address, hop }) => this.#record(item, address, 'spooled', hop, what)),
    );
  }

  #record(
    item: SpoolItem,
    recipient: string,
    state: 'delivered' | 'failed' | 'dropped' | 'spooled',
    hop: string,
    reply: string,
  ): DeliveryRecord {
    return { recipient, item: item.item, state, hop, reply, time: new Date(this.#parts.now()) };
  }
}

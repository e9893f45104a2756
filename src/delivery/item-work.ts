import { randomUUID } from 'node:crypto';
import type { Config } from '../config/load.js';
import type { Content } from '../message/source.js';
import type { JobOutcome } from '../queue/types.js';
import type { DeliveryRecord } from '../store/types.js';
import type { Log } from '../telemetry/log.js';
import { attempt, byDestination, type AttemptedRecipient } from './attempt.js';
import { bounceBar, wantsFailure } from './bounce.js';
import type { Destination, Destinations } from './destinations.js';
import { failureDsn, type DsnFailure } from './dsn.js';
import { ownReply, replyLine } from './reply.js';
import { isOver, keepWaiting, settle, type FailedRecipient } from './settle.js';
import { newItem } from './spool-list.js';
import type { Spool } from './spool.js';
import { envelopeOf, plainRecipient, type SpoolItem } from './spool-item.js';
import type { DeliveryEvents, DeliveryRequest, Reinspection } from './types.js';

export interface ItemWorkParts {
  readonly config: Pick<Config, 'delivery' | 'domains' | 'log' | 'smtp'>;
  readonly spool: Spool;
  readonly destinations: Destinations;
  readonly log: Log;
  readonly events: DeliveryEvents;
  readonly reinspect: (item: SpoolItem, content: Content) => Promise<Reinspection>;
  readonly now: () => number;
}

/** An item is asked for again after this when its attempt goes on, ms. */
const BUSY = 5000;

/** What is done with the items of the spool: one attempt at a time for each, and what follows from its result. */
export class ItemWork {
  readonly #parts: ItemWorkParts;
  readonly #running = new Map<string, Promise<unknown>>();
  #stopping = false;
  /** Called for every item that is to be tried later. */
  onSpooled: (item: SpoolItem) => void = () => undefined;

  constructor(parts: ItemWorkParts) {
    this.#parts = parts;
  }

  isRunning(key: string): boolean {
    return this.#running.has(key);
  }

  /** Spools an item. @throws SpoolFullError */
  async add(item: SpoolItem, content: Content, own = false): Promise<void> {
    await this.#parts.spool.add(item, content, own);
    this.onSpooled(item);
  }

  /** Spools an item whose attempt goes on; its end settles the item. @throws SpoolFullError */
  async addRunning(item: SpoolItem, content: Content, running: Promise<AttemptedRecipient[]>): Promise<SpoolItem> {
    this.#running.set(item.item, running);
    const done = (): void => void this.#running.delete(item.item);
    try {
      await this.#parts.spool.add(item, content);
    } catch (error) {
      done();
      throw error;
    }
    const finish = async (): Promise<void> => {
      try {
        await this.#finish(item, await running);
      } catch (error) {
        this.#parts.log.error({ item: item.item, err: error }, 'the end of an attempt could not be written');
      } finally {
        done();
        const after = this.#parts.spool.items.get(item.item);
        if (after !== undefined) this.onSpooled(after);
      }
    };
    this.#running.set(item.item, finish());
    return item;
  }

  /** Works an item off: what its job does. */
  async run(key: string): Promise<JobOutcome> {
    const item = this.#parts.spool.items.get(key);
    if (item === undefined) return 'done';
    if (this.#stopping || this.#running.has(key)) return { again: this.#parts.now() + BUSY };
    const work = item.stage === 'inspect' ? this.#inspect(item) : this.#try(item);
    this.#running.set(key, work);
    try {
      return await work;
    } finally {
      this.#running.delete(key);
    }
  }

  /** Where the waiting recipients of an item go. */
  destinationsOf(item: SpoolItem): Destination[] {
    try {
      return [...byDestination({ ...item, ...this.#input(item) }, this.#parts.destinations).keys()];
    } catch {
      // The route of a rule that is wrong: the attempt says so.
      return [];
    }
  }

  /** Waits until no attempt runs, for `grace` ms at most. No new one begins. */
  async stop(grace: number): Promise<void> {
    this.#stopping = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, grace);
    });
    await Promise.race([Promise.allSettled(this.#running.values()), late]);
    clearTimeout(timer);
  }

  /**
   * Spools a failure DSN, unless it is not to be sent.
   * @param key of the DSN's item; one that lies there already is not written again
   * @returns why nothing was sent
   * @throws SpoolFullError
   */
  async report(
    key: string,
    message: Pick<DeliveryRequest, 'traceId' | 'envelope' | 'eightBit' | 'bounce'>,
    content: Content,
    failures: readonly DsnFailure[],
    receivedAt: Date,
  ): Promise<string | undefined> {
    const { config, spool, now } = this.#parts;
    const bar = bounceBar(message.envelope, message.bounce, config.domains);
    if (bar !== undefined) return bar;
    const wanted = failures.filter(({ recipient }) => wantsFailure(recipient));
    if (wanted.length === 0) return 'NOTIFY asks for none';
    if (spool.items.has(key)) return undefined;
    const time = new Date(now());
    const { hostname } = config.smtp;
    const dsn = await failureDsn({
      ...message,
      id: `${key}.${randomUUID()}`,
      failures: wanted,
      content,
      receivedAt,
      now: time,
      hostname,
    });
    const recipients = [{ address: message.envelope.sender, notify: ['never' as const] }];
    const { sender, eightBit } = message.envelope;
    const smtpUtf8 = /[^\0-\x7f]/.test(sender);
    const envelope = {
      sender: '',
      recipients,
      client: '',
      helo: hostname,
      tls: false,
      trusted: true,
      smtpUtf8,
      eightBit,
    };
    const mail = { ...dsn, item: key, traceId: message.traceId, envelope, bounce: 'never' as const };
    await this.add(newItem(mail, time, ''), dsn.content, true);
    return undefined;
  }

  async #try(item: SpoolItem): Promise<JobOutcome> {
    const input = this.#input(item);
    try {
      const groups = byDestination(input, this.#parts.destinations);
      return await this.#finish(item, await attempt(input, groups));
    } catch (error) {
      this.#parts.log.error({ item: item.item, err: error }, 'a spooled item could not be tried');
      return await this.#finish(item, this.#deferAll(item, 'the attempt failed'));
    }
  }

  async #inspect(item: SpoolItem): Promise<JobOutcome> {
    const { spool, log, reinspect } = this.#parts;
    let result: Reinspection;
    try {
      result = await reinspect(item, spool.content(item));
    } catch (error) {
      log.error({ item: item.item, err: error }, 'a deferred message could not be inspected again');
      result = { state: 'again', reason: 'it could not be inspected' };
    }
    if (result.state === 'again') return await this.#finish(item, this.#deferAll(item, result.reason));
    await spool.remove(item.item);
    return 'done';
  }

  #deferAll(item: SpoolItem, reason: string): AttemptedRecipient[] {
    const reply = ownReply(451, '4.7.1', reason);
    return envelopeOf(item).recipients.map(({ address }) => ({
      address,
      state: 'deferred',
      reply,
      hop: item.recipients.find((one) => one.address === address)?.hop ?? '',
      tried: true,
    }));
  }

  /**
   * Writes down what an attempt came to. What is given up is told before it is forgotten: a DSN is in the spool, or it
   * is said why there is none; where it cannot be written, the recipients wait on.
   */
  async #finish(before: SpoolItem, results: readonly AttemptedRecipient[]): Promise<JobOutcome> {
    const { spool, config, log, events, now } = this.#parts;
    const settled = settle(before, results, config.delivery.retry, now());
    let { item } = settled;
    let given = settled.failed;
    if (given.length > 0 && !(await this.#tell(item, given))) {
      item = keepWaiting(item, given);
      given = [];
    }
    const records = [
      ...settled.delivered.map((one) => this.#record(item, one.address, 'delivered', one.hop, lastLine(one))),
      ...given.map(({ recipient, reply }) =>
        this.#record(item, recipient.address, 'failed', recipient.hop, replyLine(reply)),
      ),
    ];
    for (const { recipient, hop, state, reply } of records)
      log.info({ id: item.traceId, item: item.item, ...this.#address(recipient), hop, state, reply }, 'delivery');
    if (isOver(item)) await spool.remove(item.item);
    else await spool.update(item);
    if (records.length > 0) events.settled(item.traceId, records);
    return isOver(item) ? 'done' : { again: Date.parse(item.nextAttempt) };
  }

  /** @returns false when it has to be tried again as nobody could be told */
  async #tell(item: SpoolItem, failed: readonly FailedRecipient[]): Promise<boolean> {
    const { spool, log } = this.#parts;
    const failures = failed.map(({ recipient, reply, byHop }) => ({
      recipient: plainRecipient(recipient),
      reply,
      ...(byHop ? { hop: recipient.hop } : {}),
    }));
    const message = { ...item, envelope: { ...item.envelope, recipients: [] } };
    try {
      const key = `${item.item}.dsn${item.attempts}`;
      const reason = await this.report(key, message, spool.content(item), failures, new Date(item.receivedAt));
      const about = { id: item.traceId, item: item.item, recipients: failed.length };
      if (reason === undefined) log.info(about, 'a delivery failed; the sender is told');
      else log.warn({ ...about, reason }, 'a delivery failed; the sender is not told');
      return true;
    } catch (error) {
      log.error({ id: item.traceId, item: item.item, err: error }, 'a DSN could not be spooled: the item is kept');
      return false;
    }
  }

  #input(item: SpoolItem) {
    return {
      item: item.item,
      envelope: envelopeOf(item),
      content: this.#parts.spool.content(item),
      eightBit: item.eightBit,
      ...(item.route === undefined ? {} : { route: item.route }),
    };
  }

  #record(
    item: SpoolItem,
    recipient: string,
    state: 'delivered' | 'failed',
    hop: string,
    reply: string,
  ): DeliveryRecord {
    return { recipient, item: item.item, state, hop, reply, time: new Date(this.#parts.now()) };
  }

  #address(recipient: string): { readonly to?: string } {
    return this.#parts.config.log.addresses ? { to: recipient } : {};
  }
}

function lastLine({ lastReply }: SpoolItem['recipients'][number]): string {
  return lastReply === undefined ? '' : replyLine(lastReply);
}

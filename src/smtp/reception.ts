import type { Envelope } from '../message/envelope.js';
import { newTraceId, type TraceId } from '../message/trace-id.js';
import type { SmtpReply } from '../rules/types.js';
import type { DataSink } from './data-parser.js';
import { Intake } from './intake.js';
import { receivedField } from './received.js';
import { formatReply } from './reply.js';
import type { SessionContext } from './session-context.js';
import { MAX_NAMED } from './stranger-log.js';

/** What a reception tells its session. */
export interface ReceptionEvents {
  /** Called once, when the message has been handled or refused. */
  reply(reply: SmtpReply): void;
  /** The data takes too long, or comes too slowly. */
  timeout(text: string): void;
}

/** What counts, while data comes, of the client that sends it. */
export interface ReceptionClient {
  /** It said EHLO. */
  readonly extended: boolean;
  /** Whose share of the memory it takes (see `rateKey`). */
  readonly key: string;
  /** It is named under `trusted`: it may send as slowly as it likes, and have all the memory. */
  readonly trusted: boolean;
}

/** One message on its way in, from DATA to the reply. */
export class Reception implements DataSink {
  readonly traceId: TraceId = newTraceId();
  readonly envelope: Envelope;
  /** The end of data was seen: the client waits for us. */
  handling = false;
  readonly #extended: boolean;
  readonly #context: SessionContext;
  readonly #events: ReceptionEvents;
  readonly #intake: Intake;
  readonly #timer: NodeJS.Timeout;
  readonly #pulse: NodeJS.Timeout | undefined;
  /** The client had to wait for our disk since the last look at its speed. */
  #heldBack = false;

  constructor(envelope: Envelope, client: ReceptionClient, context: SessionContext, events: ReceptionEvents) {
    this.envelope = envelope;
    this.#extended = client.extended;
    this.#context = context;
    this.#events = events;
    this.#intake = new Intake(context.intake, this.traceId, client.trusted ? undefined : client.key);
    this.#timer = setTimeout(() => events.timeout('Timeout'), context.config.smtp.timeouts.data);
    const { minimumRate } = context.config.smtp;
    if (minimumRate !== 'off' && !client.trusted) this.#pulse = this.#watchSpeed(minimumRate);
  }

  /** Ends the reception when fewer bytes than that come in a window of time in which we did not hold the client back. */
  #watchSpeed(bytesPerSecond: number): NodeJS.Timeout {
    const { rateWindow } = this.#context;
    const least = (bytesPerSecond * rateWindow) / 1000;
    let before = 0;
    return setInterval(() => {
      const came = this.#intake.read - before;
      before = this.#intake.read;
      if (came < least && !this.#heldBack) this.#events.timeout('You send too slowly');
      this.#heldBack = this.#intake.pressure !== undefined;
    }, rateWindow);
  }

  /** Bytes of the message so far, in canonical form. */
  get size(): number {
    return this.#intake.size;
  }

  write(chunk: Buffer): number {
    return this.#intake.write(chunk);
  }

  get pressure(): Promise<void> | undefined {
    const { pressure } = this.#intake;
    if (pressure !== undefined) this.#heldBack = true;
    return pressure;
  }

  ended(resume: () => void): void {
    this.#clearTimers();
    this.handling = true;
    this.#context.gate.handling += 1;
    this.#context.counters.messages += 1;
    this.#context.counters.bytes += this.#intake.size;
    void this.#settle().then((reply) => {
      this.#context.gate.handling -= 1;
      if (reply.code < 400) this.#context.counters.accepted += 1;
      this.#events.reply(reply);
      resume();
    });
  }

  /** The client is gone, or the session is: nothing is kept. */
  abort(): void {
    this.#clearTimers();
    this.#context.counters.aborted += 1;
    const facts = { ...this.#logFields(), size: this.#intake.size };
    this.#context.strangers.info(facts, 'message not received in full');
    void this.#intake.release();
  }

  #clearTimers(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#pulse);
  }

  /** Never rejects. */
  async #settle(): Promise<SmtpReply> {
    try {
      return await this.#handle();
    } catch (error) {
      const facts = { id: this.traceId, client: this.envelope.client, err: error };
      this.#context.strangers.error(facts, 'a message could not be handled');
      return { code: 451, enhanced: '4.3.0', text: 'Local error in processing, try again later' };
    } finally {
      await this.#intake.release();
    }
  }

  async #handle(): Promise<SmtpReply> {
    const { handler, config, strangers } = this.#context;
    const result = await this.#intake.finish();
    if (result.kind === 'refused') {
      const { client } = this.envelope;
      if (result.cause !== undefined)
        strangers.error({ id: this.traceId, client, err: result.cause }, 'upload not written');
      // What is handled is logged there, with the rule that decided.
      const facts = { ...this.#logFields(), size: this.#intake.size, reply: formatReply(result.reply) };
      strangers.info(facts, 'message refused');
      return result.reply;
    }
    const receivedAt = Date.now();
    const { envelope, traceId } = this;
    const received = receivedField({
      helo: envelope.helo,
      client: envelope.client,
      hostname: config.smtp.hostname,
      extended: this.#extended,
      tls: envelope.tls,
      authenticated: envelope.user !== undefined,
      smtpUtf8: envelope.smtpUtf8,
      id: traceId,
      recipients: envelope.recipients.map(({ address }) => address),
      time: receivedAt,
    });
    return await handler.handle({
      traceId,
      envelope,
      intake: result.report,
      source: result.source,
      receivedAt,
      received,
    });
  }

  #logFields() {
    const { client, helo, sender, recipients, tls, user } = this.envelope;
    const named = recipients.slice(0, MAX_NAMED);
    return {
      id: this.traceId,
      client,
      helo,
      tls,
      ...(user === undefined ? {} : { user }),
      ...(this.#context.config.log.addresses ? { sender, recipients: named.map(({ address }) => address) } : {}),
      recipientCount: recipients.length,
    };
  }
}

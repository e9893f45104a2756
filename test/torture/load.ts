import { setTimeout as sleep } from 'node:timers/promises';
import { sendMail } from '../../src/cli/demo/smtp-client.js';
import { mailOf, SENDER } from './mails.js';

/** A message that was answered 250. */
export interface Acknowledged {
  readonly number: number;
  readonly id: string;
  /** ms since the epoch. */
  readonly at: number;
  readonly recipients: readonly string[];
}

/** Clients that send numbered messages, each once, wherever the gateway listens just now. */
export class Load {
  readonly acknowledged: Acknowledged[] = [];
  /** How many got which other answer, by its first three digits. */
  readonly refused = new Map<string, number>();
  /** Answers of the 4xx kind in full, the newest last, for looking at. */
  readonly refusals: string[] = [];
  /** Where the gateway listens; undefined while there is none. */
  port: number | undefined;
  #next = 0;
  #over = false;
  readonly #seed: number;
  readonly #clients: Promise<void>[];

  /** @param clients that send at the same time @param pause between two messages of one, ms */
  constructor(seed: number, clients: number, pause: number) {
    this.#seed = seed;
    this.#clients = Array.from({ length: clients }, () => this.#client(pause));
  }

  get sent(): number {
    return this.#next;
  }

  /** Ends it when the messages that are under way have their answer. */
  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#clients);
  }

  async #client(pause: number): Promise<void> {
    while (!this.#over) {
      if (this.port === undefined) await sleep(10);
      else {
        await this.#one(this.port);
        if (pause > 0) await sleep(pause);
      }
    }
  }

  async #one(port: number): Promise<void> {
    const { number, recipients, bytes } = mailOf(this.#seed, this.#next++);
    const mail = { sender: SENDER, recipients, bytes };
    const reply = await sendMail('127.0.0.1', port, mail).catch((error: unknown) => `cut: ${String(error)}`);
    const id = /^250 .*queued as (\w+)/.exec(reply)?.[1];
    if (id !== undefined) this.acknowledged.push({ number, id, at: Date.now(), recipients });
    else {
      const code = reply.slice(0, 3);
      this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
      this.refusals.push(reply);
    }
  }
}

import type { HopReply } from '../types.js';

/** Where a session with a next hop stood when it failed; `content`: our own bytes could not be read. */
export type Stage = 'connect' | 'greeting' | 'ehlo' | 'starttls' | 'auth' | 'mail' | 'data' | 'content' | 'end-of-data';

/** A session with a next hop failed in a way that says nothing about the mail: temporary (RFC 5321 4.2.4.2). */
export class HopError extends Error {
  override readonly name = 'HopError';
  readonly stage: Stage;
  /** The server's reply, or our own words. */
  readonly reply: HopReply;

  constructor(stage: Stage, reply: HopReply, cause?: unknown) {
    super(`${stage}: ${reply.text}`, { cause });
    this.stage = stage;
    this.reply = reply;
  }
}

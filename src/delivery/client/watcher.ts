import type { SmtpReplyLines } from './reply-parser.js';

/** How a connection is encrypted, for people. */
export interface Encryption {
  /** Such as `TLSv1.3`. */
  readonly protocol: string;
  readonly cipher: string;
  /** Why the certificate does not hold; absent when it does. */
  readonly unverified?: string;
}

/** Sees what goes over a connection, passwords and messages and all: what is shown of it has to be chosen. */
export interface Watcher {
  connected(address: string): void;
  secured(encryption: Encryption): void;
  sent(text: Buffer): void;
  received(reply: SmtpReplyLines): void;
}

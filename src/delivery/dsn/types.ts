import type { Envelope, EnvelopeRecipient } from '../../message/envelope.js';
import type { Content } from '../../message/source.js';
import type { ComposeSettings } from '../../notifications/compose.js';
import type { HopReply } from '../types.js';

/** What a DSN tells (RFC 3464 2.3.3); `expanded` does not occur here. */
export type DsnAction = 'failed' | 'delayed' | 'delivered' | 'relayed';

/** One recipient of a DSN. */
export interface DsnRecipient {
  readonly recipient: EnvelopeRecipient;
  readonly action: DsnAction;
  /** The last reply, the hop's or our own. */
  readonly reply: HopReply;
  /** Name of the hop that was asked last; absent when none was. */
  readonly hop?: string;
  /** It failed because its time in the queue is over. */
  readonly expired?: boolean;
}

export interface DsnInput {
  /** Unique for each DSN: its Message-ID and its boundary are made of it. */
  readonly id: string;
  /** Of the message that it is about. */
  readonly traceId: string;
  readonly envelope: Omit<Envelope, 'recipients'>;
  /** At least one. */
  readonly recipients: readonly DsnRecipient[];
  readonly receivedAt: Date;
  readonly now: Date;
  /** Until when it is tried; for delays. */
  readonly retryUntil?: Date;
  /** Our name: the reporting MTA. */
  readonly hostname: string;
  /** The From field, and how texts are written. */
  readonly writing: ComposeSettings;
}

/** The part that people read. */
export interface DsnText {
  readonly subject: string;
  readonly text?: string;
  readonly html?: string;
}

export interface Dsn {
  readonly content: Content;
  readonly eightBit: boolean;
  /** The DSN's own header has characters beyond ASCII: the hop must offer SMTPUTF8. */
  readonly smtpUtf8: boolean;
}

import type { Envelope, IntakeReport } from '../message/envelope.js';
import type { MessageSource } from '../message/source.js';
import type { TraceId } from '../message/trace-id.js';
import type { SmtpReply } from '../rules/types.js';

/** A message whose end of data was seen; nothing has been answered yet. */
export interface ReceivedMessage {
  readonly traceId: TraceId;
  readonly envelope: Envelope;
  readonly intake: IntakeReport;
  /** Canonical bytes; a file among them is removed by the session when the handler has settled. */
  readonly source: MessageSource;
  /** ms since the epoch. */
  readonly receivedAt: number;
  /** The Received field of this hop (RFC 5321 4.4), folded, with its final CRLF. */
  readonly received: string;
}

/** What the gateway does for the sessions. */
export interface MessageHandler {
  /** Never rejects: the reply is what the client gets. */
  handle(message: ReceivedMessage): Promise<SmtpReply>;
  /** Asked before MAIL FROM is answered: false refuses with 452 4.3.1. */
  hasRoom(): boolean;
}

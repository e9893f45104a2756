import type { Attach, Group } from '../rules/types.js';
import type { EnvelopeRecipient } from '../message/envelope.js';
import type { Content } from '../message/source.js';
import type { TraceId } from '../message/trace-id.js';

/** What a template of kind 1 can show. Plain data: it lies in the outbox and travels in the job. */
export interface RuleNotificationContext {
  readonly messageId: TraceId;
  readonly smtpMessageId: string;
  /** ms since the epoch. */
  readonly date: number;
  readonly sender: string;
  readonly senderIp: string;
  readonly allRecipients: readonly string[];
  readonly affectedRecipients: readonly string[];
  readonly subject: string;
  /** Size of the message, bytes. */
  readonly size: number;
  readonly rules: readonly { readonly id: string; readonly name: string }[];
  readonly action: string;
  readonly quarantined: boolean;
  readonly objects: readonly NotifiedObject[];
  /** How many more objects there were than are listed; absent when all are. */
  readonly objectsOmitted?: number;
  readonly node: {
    readonly name: string;
    readonly address: string;
    readonly port: number;
    readonly comment: string;
    readonly timezone: string;
  };
}

export interface NotifiedObject {
  /** Path of the object; empty when the finding is about the message as a whole. */
  readonly name: string;
  readonly size: number;
  readonly status: string;
  readonly module: string;
  readonly threat: string;
}

/** One mail that is owed: lies fsynced in the outbox until the ledger has a final state for it. */
export interface OwedNotification {
  /** Job ID and ledger key: derived from trace ID, template and address in lower case. */
  readonly id: string;
  readonly kind: 'rule';
  readonly traceId: TraceId;
  readonly rule: string;
  readonly group: Group;
  readonly to: string;
  readonly template: string;
  readonly attach: Attach;
  readonly context: RuleNotificationContext;
  /** Header fields of the original, for `attach: headers`; the whole original for `attach: original` lies beside the outbox. */
  readonly originalHeader?: string;
}

/** One that is not sent, and why: recorded in the ledger and the trace. */
export interface SuppressedNotification {
  readonly id: string;
  readonly traceId: TraceId;
  readonly rule: string;
  readonly group: Group;
  readonly to: string;
  readonly template: string;
  readonly reason: string;
}

export interface Owed {
  readonly notify: readonly OwedNotification[];
  readonly suppressed: readonly SuppressedNotification[];
}

/** One mail as it goes out. The same shape as delivery's, of which this folder knows nothing. */
export interface NotificationMail {
  /** Job ID. */
  readonly id: string;
  /** The null sender. */
  readonly sender: '';
  readonly recipients: readonly EnvelopeRecipient[];
  readonly content: Content;
  readonly smtpUtf8: boolean;
  readonly eightBit: boolean;
}

export interface TransportResult {
  readonly recipients: readonly {
    readonly address: string;
    readonly state: 'delivered' | 'refused' | 'deferred';
    readonly reply: { readonly code?: number; readonly enhanced?: string; readonly text: string };
  }[];
  /** The failure was of the server and not of this mail. */
  readonly hopFailed: boolean;
}

/** Where notifications are sent: a next hop of delivery fits. */
export interface MailTransport {
  /** For people and logs, without secrets. */
  readonly name: string;
  /** Never rejects: every failure is a result. */
  send(mail: NotificationMail): Promise<TransportResult>;
}

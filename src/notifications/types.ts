import type { Attach, Group } from '../rules/types.js';
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
  readonly node: {
    readonly name: string;
    readonly address: string;
    readonly port: number;
    readonly comment: string;
    readonly timezone: string;
  };
}

export interface NotifiedObject {
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

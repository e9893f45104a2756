import type { Attach, Group } from '../rules/types.js';
import type { EnvelopeRecipient } from '../message/envelope.js';
import type { Content } from '../message/source.js';
import type { TraceId } from '../message/trace-id.js';
import type { EventMail } from '../store/event-mail-types.js';

/** What became of a recipient's copy where that is not what the rule said. */
export interface Fate {
  /** The next hop refused it for good, or it is to come again, as its original could not be put aside. */
  readonly action: 'reject' | 'defer';
  /** The next hop knows no such recipient. */
  readonly unknown?: true;
}

/** The node that a mail is about, for people. */
export interface NotifiedNode {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly comment: string;
  readonly timezone: string;
}

/** What templates can show of a message. Empty where there was none. */
export interface MessageContext {
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
  readonly node: NotifiedNode;
}

/** What a template of kind 1 can show. Plain data: it lies in the outbox and travels in the job. */
export interface RuleNotificationContext extends MessageContext {
  readonly rules: readonly { readonly id: string; readonly name: string }[];
  /** What became of it, in English. */
  readonly action: string;
  /** What became of it, for languages: one where it is the same for all affected. Absent in what an earlier version put down. */
  readonly outcomes?: readonly { readonly action: string; readonly recipients: readonly string[] }[];
  readonly quarantined: boolean;
  readonly objects: readonly NotifiedObject[];
  /** How many more objects there were than are listed; absent when all are. */
  readonly objectsOmitted?: number;
}

/** One recipient of a bounce. */
export interface ReportedRecipient {
  readonly address: string;
  /** One sentence in plain words. */
  readonly reason: string;
  /** What the sender can do about it; may be empty. */
  readonly advice: string;
  /** Enhanced status code (RFC 3463). */
  readonly status: string;
  /** Host of the server that said so; empty where the reply is our own. */
  readonly server: string;
  readonly reply: string;
}

/** What a template of kind `dsn` can show. */
export interface DsnContext extends MessageContext {
  readonly kind: 'dsn';
  readonly reported: readonly ReportedRecipient[];
  /** When it is given up, ms since the epoch; for delays. */
  readonly retryUntil?: number;
  /** Whether the whole message is brought along, or its header. */
  readonly returned: 'message' | 'headers';
}

/** Classes of notices to the admins, in the order of the documentation. */
export const NOTICE_CLASSES = [
  'bounce',
  'double-bounce',
  'delay',
  'policy',
  'protocol',
  'resource',
  'software',
] as const;
export type NoticeClass = (typeof NOTICE_CLASSES)[number];

/** What a template of kind `notice` can show. Plain data: it lies in the outbox and travels in the job. */
export interface NoticeContext extends MessageContext {
  readonly kind: 'notice';
  readonly errorDescription: string;
  /** The SMTP session, a line each, secrets removed; empty where there is none to show. */
  readonly transcript: readonly string[];
  readonly reported: readonly ReportedRecipient[];
  /** How many of this class were not sent before, as there were too many. */
  readonly omitted: number;
}

/** What a template of kind `event` can show. */
export interface EventContext {
  readonly kind: 'event';
  readonly mail: EventMail;
  /** The node that sends. */
  readonly node: NotifiedNode;
  /** What is known of the nodes that conditions are about, by name. */
  readonly nodes: ReadonlyMap<string, NotifiedNode>;
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
export type OwedNotification = OwedRuleNotification | OwedNotice;

interface OwedMail {
  /** Job ID and ledger key: derived from trace ID, template and address in lower case. */
  readonly id: string;
  readonly traceId: TraceId;
  readonly to: string;
  readonly template: string;
  readonly attach: Attach;
  /** Header fields of the original, for `attach: headers`; the whole original for `attach: original` lies beside the outbox. */
  readonly originalHeader?: string;
}

/** Kind 1: a rule was triggered. */
export interface OwedRuleNotification extends OwedMail {
  readonly kind: 'rule';
  readonly rule: string;
  readonly group: Group;
  readonly context: RuleNotificationContext;
}

/** Kind 2: a notice to the admins. */
export interface OwedNotice extends OwedMail {
  readonly kind: 'notice';
  readonly context: NoticeContext;
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

/** What a message owes by its rules. */
export interface Owed {
  readonly notify: readonly OwedRuleNotification[];
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
  /** The same mail without bytes over 127 in its body, for a server without 8BITMIME. */
  readonly sevenBit?: () => Content | Promise<Content>;
  /** Asked right before the end of the data: false gives it up, untaken. */
  readonly wanted?: () => boolean;
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

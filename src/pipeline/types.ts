import type { Finding } from '../detectors/types.js';
import type { Envelope, IntakeReport } from '../message/envelope.js';
import type { TraceId } from '../message/trace-id.js';
import type { BannerText } from '../message/edit/part-text.js';
import type { Edit, MailAddress } from '../message/types.js';
import type { AuditOutcome, Considered, Decision } from '../rules/types.js';

/** Everything that decides about a message. Plain data, so that it can be handed to a thread. */
export interface InspectInput {
  readonly traceId: TraceId;
  readonly envelope: Envelope;
  readonly intake: IntakeReport;
  /** When the message was received, ms since the epoch. */
  readonly receivedAt: number;
  /** Findings given from outside: those modules are not run. */
  readonly findings?: readonly Finding[];
  /** `header`: parts, attachments and detectors are left alone; what is left to decide on is the envelope, the header and `findings`. */
  readonly depth?: 'full' | 'header';
  /** `all`: the outcome tells of every rule before the deciding one. Otherwise of many rules only of a few. */
  readonly considered?: 'all';
}

export interface ModuleRun {
  readonly module: string;
  /** `clean`, or the most telling status that the module reported. */
  readonly status: string;
  readonly milliseconds: number;
  /** Why it failed, in one line for the admin's log and journal; never for mail or SMTP clients. */
  readonly cause?: string;
}

/** What the rest of the gateway needs to know of a message without reading it again. */
export interface MessageFacts {
  readonly size: number;
  readonly subject: string;
  /** Without angle brackets. */
  readonly messageId: string;
  readonly from: readonly MailAddress[];
  /** Why the message counts as automatic (loop guard), for people; absent when a person wrote it. */
  readonly automatic?: string;
  /** It has bytes over 127 in header or body. */
  readonly eightBit: boolean;
  /** Values of X-Loop fields that begin as the mark of a blind copy of ours does; absent when there is none. */
  readonly loops?: readonly string[];
}

export interface RecipientOutcome {
  readonly recipient: string;
  readonly decision: Decision;
  readonly considered: readonly Considered[];
  /** Rules before the deciding one that are not among `considered`; absent when all are. */
  readonly omitted?: number;
}

/** The recipients of one message that share a decision, and what becomes of the bytes for them. */
export interface Copy {
  readonly recipients: readonly string[];
  readonly decision: Decision;
  /** Changes to the received bytes; empty where nothing is changed or nothing is delivered. */
  readonly edits: readonly Edit[];
  /** What was changed or why something could not be, for the trace and `explain`. */
  readonly changes: readonly string[];
}

/** What the text of a warning or disclaimer can speak of. */
export interface BannerSubject {
  /** Decided, and not edited yet. */
  readonly inspection: Inspection;
  readonly copy: Pick<Copy, 'recipients' | 'decision'>;
  readonly envelope: Envelope;
  readonly receivedAt: number;
}

export type { BannerText };

/** Fills in the texts of `warn` and `disclaimer`. */
export interface BannerWriter {
  /** @returns undefined when there is no template of the name */
  write(name: string, subject: BannerSubject): BannerText | undefined;
}

export interface Inspection {
  readonly traceId: TraceId;
  readonly findings: readonly Finding[];
  readonly modules: readonly ModuleRun[];
  readonly facts: MessageFacts;
  readonly recipients: readonly RecipientOutcome[];
  readonly copies: readonly Copy[];
  readonly audit: readonly AuditOutcome[];
  /** What the rule set would decide that is compared with the one in force; nothing comes of it. */
  readonly against?: Pick<Inspection, 'recipients' | 'copies' | 'audit'>;
  /** Where the time went, ms. */
  readonly phases: { readonly parse: number; readonly detect: number; readonly decide: number; readonly edit: number };
}

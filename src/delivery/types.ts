import type { Envelope, EnvelopeRecipient, IntakeReport } from '../message/envelope.js';
import type { Content } from '../message/source.js';
import type { TraceId } from '../message/trace-id.js';
import type { DeliveryRecord } from '../store/types.js';

/** One transaction with a next hop. */
export interface OutgoingMail {
  /** Key for logs and file names: the trace ID, with `.n` where there are several copies, or a notification's job ID. */
  readonly id: string;
  readonly sender: string;
  readonly recipients: readonly EnvelopeRecipient[];
  readonly content: Content;
  /** Non-ASCII addresses or header fields: the hop must offer SMTPUTF8. */
  readonly smtpUtf8: boolean;
  /** Bytes over 127: the hop must offer 8BITMIME. */
  readonly eightBit: boolean;
  /** The same mail in 7 bits, of mail that we wrote ourselves: for a hop that does not offer 8BITMIME. */
  readonly sevenBit?: () => Content | Promise<Content>;
  /** Asked right before the end of the data: false gives it up, untaken. */
  readonly wanted?: () => boolean;
  readonly ret?: 'full' | 'headers';
  readonly envid?: string;
}

/** A reply of another server, text cleaned of control characters, or our own words where there was none. */
export interface HopReply {
  readonly code?: number;
  readonly enhanced?: string;
  readonly text: string;
  /** The words are our own: no server said them. */
  readonly own?: true;
}

export type RecipientState = 'delivered' | 'refused' | 'deferred';

export interface RecipientResult {
  readonly address: string;
  readonly state: RecipientState;
  readonly reply: HopReply;
  /**
   * What becomes of a wish for a success DSN (RFC 3461 5.2): the hop has taken it over; it offers no DSN; or the mail has
   * come to its end here. Only for what was delivered.
   */
  readonly dsn?: 'passed-on' | 'not-offered' | 'final';
  /** Name of the hop that said so, where there are several. */
  readonly hop?: string;
}

export interface HopResult {
  /** One for each recipient of the mail, in its order. */
  readonly recipients: readonly RecipientResult[];
  /** The failure was of the hop and not of this mail (connect, greeting, TLS, login): counts for its health. */
  readonly hopFailed: boolean;
  /** The connection was lost after the end of data: the hop may have the mail, so no other hop is tried at once. */
  readonly inDoubt?: boolean;
  /** We lacked something ourselves (descriptors, memory): nothing is known of the hop, and no other one is tried. */
  readonly ownLack?: boolean;
}

/** Where mail is delivered: an SMTP server or a Maildir. */
export interface NextHop {
  /** For people and logs, without secrets: `smtp://mail.example.org:25`, `maildir:./data/inbox`. */
  readonly name: string;
  /** Never rejects: every failure is a result. Never cut short: the attempt's own limits end it. */
  send(mail: OutgoingMail): Promise<HopResult>;
  /** Resolves when the hop takes connections. */
  probe(): Promise<void>;
  close(): Promise<void>;
}

/** What the gateway asks of delivery for one copy. */
export interface DeliveryRequest {
  /** Item key: the trace ID, with `.n` where the message has several copies. */
  readonly item: string;
  readonly traceId: TraceId;
  /** The session's envelope; of its recipients only those of this copy. */
  readonly envelope: Envelope;
  readonly content: Content;
  readonly eightBit: boolean;
  /** A next hop (URL) from the rule; absent for routes and the default. */
  readonly route?: string;
  /** A late failure is told to the sender by a DSN, unless one of these holds. */
  readonly bounce: 'allowed' | 'internal-only' | 'never';
  /** What intake saw, for a copy that is to be inspected again. */
  readonly intake?: IntakeReport;
  /** Key of the item that it comes from, by inspecting that again: it counts, and is tried, once that item is gone. */
  readonly replaces?: string;
}

/** How one recipient of a copy stands when the client can be answered. */
export interface DeliveryOutcome {
  readonly address: string;
  /** `spooled`: fsynced in the spool, retried from there. */
  readonly state: 'delivered' | 'refused' | 'spooled';
  readonly hop: string;
  readonly reply: HopReply;
}

/** The spool has no room, or the means to write it are lacking: nothing was kept, the client is to be answered 452 4.3.1. */
export class SpoolFullError extends Error {
  override readonly name = 'SpoolFullError';
}

/** How a next hop stands. */
export interface HopState {
  readonly name: string;
  /** `failing`: it failed and is probed; `open`: it failed again and again, and is not tried before a probe goes well. */
  readonly state: 'ok' | 'failing' | 'open';
  /** Failures in a row. */
  readonly failures: number;
}

/** What waits on this node, and what there is room for. Sizes in bytes. */
export interface SpoolState {
  readonly items: number;
  readonly bytes: number;
  /** When the item came that has waited longest; absent when nothing waits. */
  readonly oldest?: Date;
  /** Absent until the disk was asked. */
  readonly freeDisk?: number;
  readonly maxItems: number;
  readonly maxSize: number;
  readonly minFreeDisk: number;
}

export type QueueAction = 'retry' | 'drop' | 'hold' | 'unhold' | 'requeue';

/** What an admin wants done with items of the spool. */
export interface QueueRequest {
  readonly action: QueueAction;
  /** Keys (`ID.1`), or trace IDs for all copies; for `requeue` also names of files in `corrupt`. */
  readonly ids: readonly string[];
  /** All items instead of `ids`; for `retry` alone. */
  readonly all?: boolean;
  /** With `drop`: the senders are told. */
  readonly bounce?: boolean;
}

export interface QueueResult {
  readonly id: string;
  /** `busy`: its attempt goes on; `refused`: it cannot be done, `detail` says why. */
  readonly outcome: 'done' | 'missing' | 'busy' | 'refused';
  readonly detail?: string;
}

export interface QueueAnswer {
  readonly results: readonly QueueResult[];
  /** With `all`: number of items, in place of `results`. */
  readonly count?: number;
}

/** Delivery as the gateway sees it. */
export interface Delivery {
  /**
   * Tries at once, bounded by `delivery.inlineTimeout`; what could not be settled is in the spool when this resolves.
   * @throws SpoolFullError when it would have to be spooled and there is no room
   */
  deliver(request: DeliveryRequest): Promise<readonly DeliveryOutcome[]>;
  /** Spools without trying first. @throws SpoolFullError */
  spool(request: DeliveryRequest): Promise<readonly DeliveryOutcome[]>;
  /**
   * Keeps a copy whose decision is `defer` beside others that are settled: it is inspected again at its next attempt.
   * @throws SpoolFullError
   */
  spoolForInspection(request: DeliveryRequest, receivedAt: number, reason: string): Promise<void>;
  /**
   * Tells the sender by a DSN of recipients that were refused while others of the message were accepted. In the spool
   * when this resolves. Nothing is sent where `bounce` or NOTIFY forbids it.
   * @returns why nothing was sent; undefined when a DSN was
   * @throws SpoolFullError when the disk is short
   */
  reportRefused(request: DeliveryRequest, refused: readonly DeliveryOutcome[]): Promise<string | undefined>;
  /** Whether DATA may begin: false when the spool or the disk is short. */
  hasRoom(): boolean;
  /** Names of the next hops, without secrets. */
  readonly hops: readonly string[];
  /** How the hops stand. */
  readonly hopStates: readonly HopState[];
  /** Looks whether all hops take connections. Never rejects. */
  checkHops(): Promise<void>;
  readonly spoolState: SpoolState;
  /** Does what an admin asks for with items of the spool. */
  command(request: QueueRequest): Promise<QueueAnswer>;
  /** Waits for running attempts up to `grace` ms (what is left is tried again after the next start), then gives the spool up. */
  close(grace?: number): Promise<void>;
}

/** What inspecting a deferred copy again came to. */
export type Reinspection =
  /** It was disposed of: delivered, spooled anew, refused and reported. */
  | { readonly state: 'done' }
  /** It is still to be deferred. */
  | { readonly state: 'again'; readonly reason: string };

/** What delivery tells the gateway about items that were settled later. */
export interface DeliveryEvents {
  settled(traceId: TraceId, records: readonly DeliveryRecord[]): void;
}

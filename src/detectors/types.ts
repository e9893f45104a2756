import type { z } from 'zod';
import type { Problem } from '../config/problems.js';
import type { KeyPath } from '../config/yaml-source.js';
import type { Envelope, IntakeReport } from '../message/envelope.js';
import type { Message } from '../message/types.js';

/** What one method said, as an Authentication-Results field writes it (RFC 8601 2.2). */
export interface MethodResult {
  /** `spf`, `dkim`, `dmarc`, `arc`. */
  readonly method: string;
  readonly result: string;
  /** Such as `smtp.mailfrom`; the values are as the message or the envelope has them. */
  readonly properties: Readonly<Record<string, string>>;
}

/** One thing that one module saw, in one object or in the message as a whole. Plain data. */
export interface Finding {
  readonly module: string;
  /** `clean`, one of the module's own statuses, or `error`, `timeout`, `limit`. */
  readonly status: string;
  /** Name of the threat, anomaly, URL or result. */
  readonly name?: string;
  /** Path of the object (`invoice.zip/setup.exe`); absent when the finding is about the message. */
  readonly object?: string;
  /** Size of the object in bytes. */
  readonly size?: number;
  readonly score?: number;
  /** A sentence for people. Never content of a body. */
  readonly detail?: string;
  /** DMARC policy (`none`, `quarantine`, `reject`) of a `dmarc` finding. */
  readonly policy?: string;
  /** Of the module `authentication`: what goes into the Authentication-Results field. */
  readonly results?: readonly MethodResult[];
  /**
   * Of a `timeout`: what is missing comes later, and the message is to wait for it in the spool. It is inspected again;
   * no rule is asked about this finding.
   */
  readonly hold?: true;
}

export interface DetectorInput {
  readonly message: Message;
  readonly envelope: Envelope;
  readonly intake: IntakeReport;
  /** The same for every inspection of the message. */
  readonly traceId?: string;
  /** When the message was received, ms since the epoch. */
  readonly receivedAt?: number;
  /**
   * Aborted when the module's timeout or the message's deadline is over. Made when it is asked for: a copy by
   * `{ ...input }` has none.
   */
  readonly signal: AbortSignal;
  /** When `signal` will be aborted, on the clock of `performance.now()`: what is found must be returned before it. */
  readonly until?: number;
}

/** State of the signature databases of an engine. */
export interface DatabaseInfo {
  readonly version: string;
  readonly date: Date;
  /** ms after which they count as outdated, as configured. */
  readonly maxAge?: number;
}

/** A detector looks and reports; it never decides. One instance serves many messages, one or several at a time. */
export interface Detector {
  /** All findings, or an empty list when the message is clean. Throwing becomes an `error` finding. */
  inspect(input: DetectorInput): Promise<readonly Finding[]>;
  /** Resolves when the engine behind the module answers; rejects with the reason when it does not. */
  health?(signal: AbortSignal): Promise<void>;
  /**
   * Version and date of the signature databases, where the module has such; undefined when the engine does not say.
   * Rejects with the reason when it cannot be asked.
   */
  databases?(signal: AbortSignal): Promise<DatabaseInfo | undefined>;
  /** `databases` answers from memory: it is asked at every check, not once an hour. */
  readonly databasesAtHand?: boolean;
  close?(): Promise<void>;
}

export interface DetectorContext {
  /** Folder that relative paths in the module's settings count from. */
  readonly baseDirectory: string;
  /** Domains that the gateway accepts mail for; absent where they are not known. */
  readonly domains?: readonly string[];
}

export interface PrepareContext extends DetectorContext {
  /** A problem with the module's own part of gatepost.yaml; `path` counts from the module's settings. */
  problem(path: KeyPath, message: string, hint?: string): Problem;
}

/** What `prepare` read from files. */
export interface Prepared {
  /** Plain data that threads can be given; large tables belong into SharedArrayBuffers, which threads share. */
  readonly data?: unknown;
  readonly problems: readonly Problem[];
}

export interface CreateContext extends DetectorContext {
  /** What `prepare` returned. */
  readonly data?: unknown;
}

export interface WatchContext extends DetectorContext {
  /** What `prepare` returned. */
  readonly data?: unknown;
  /** Says something to the admin, in the log. No contents of mail. */
  report(level: 'info' | 'warn', text: string): void;
  /**
   * How taking over a file's changes went the last time: `reason` says why it could not be done and the last state stays
   * in force, undefined that it is in force as it lies there.
   */
  fileState?(file: string, reason: string | undefined): void;
}

/** What follows a module's files while the gateway runs. */
export interface Watcher {
  close(): Promise<void>;
}

/** What a file or folder under `detectors/`, or a third party's module, exports. */
export interface DetectorModule<Settings = unknown> {
  readonly name: string;
  /** Schema of the module's part of gatepost.yaml, without `timeout` and `onError`, which every module has. */
  readonly settings: z.ZodType<Settings>;
  /** Statuses that the module can report besides `clean`, `error`, `timeout` and `limit`. */
  readonly statuses: readonly string[];
  /** Where the settings say which statuses there are: these take the place of `statuses`. */
  statusesFor?(settings: Settings): readonly string[];
  /**
   * Whether it mostly waits for an engine or the network, with these settings: a thread then looks at several messages
   * at a time. What it does between waits must be short.
   */
  waits?(settings: Settings): boolean;
  /**
   * Reads the files that the settings name, once, when the configuration is loaded: what was checked is what runs, in
   * every thread.
   */
  prepare?(settings: Settings, context: PrepareContext): Promise<Prepared>;
  create(settings: Settings, context: CreateContext): Detector | Promise<Detector>;
  /**
   * Follows the files that `prepare` read, in the main thread of a running gateway, and tells the detectors in all
   * threads by means of its own when they change. Undefined when there is nothing to follow.
   */
  watch?(settings: Settings, context: WatchContext): Watcher | undefined;
}

export type OnError = 'defer' | 'accept';

/** One configured module. Plain data, so that it can be handed to threads. */
export interface DetectorSpec {
  /** Key under `detectors`; the module that its findings name. */
  readonly name: string;
  /** Absolute path of a third party's module; absent for a built-in one. */
  readonly file?: string;
  /** The module's own settings as they stand in gatepost.yaml, checked. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly data?: unknown;
  readonly baseDirectory: string;
  /** Domains that the gateway accepts mail for. */
  readonly domains?: readonly string[];
  /** ms for one message. */
  readonly timeout: number;
  /** What is done about a failure when the deciding rule has no response to `scan-error`. */
  readonly onError: OnError;
  readonly statuses: readonly string[];
  /** See DetectorModule; absent when it does not wait. */
  readonly waits?: boolean;
}

/** A configured module with its detector, in the thread that runs it. */
export interface ActiveDetector {
  readonly spec: DetectorSpec;
  readonly detector: Detector;
}

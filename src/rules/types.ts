import type { Finding } from '../detectors/types.js';
import type { SpamClass } from './spam.js';

export type Action = 'deliver' | 'delete-attachment' | 'defer' | 'reject' | 'discard';
export type Process = 'scan' | 'skip' | 'reject' | 'discard';
export type Group = 'general' | 'sender' | 'recipients' | 'additional';
export type Attach = 'original' | 'headers' | 'none';

export interface SmtpReply {
  readonly code: number;
  /** Enhanced status code, such as `5.7.1`. */
  readonly enhanced: string;
  readonly text: string;
}

/** A group to tell about one fired response. */
export interface NotifyTarget {
  readonly group: Group;
  /** Template name, without language and extension. */
  readonly template: string;
  readonly attach: Attach;
}

export interface HeaderChanges {
  /** Replaces all fields of the name. */
  readonly set: Readonly<Record<string, string>>;
  /** Adds fields on top: one for each value, in their order. */
  readonly add: Readonly<Record<string, string | readonly string[]>>;
  readonly remove: readonly string[];
}

/** A response of the deciding rule together with the findings that made it fire. Plain data. */
export interface FiredResponse {
  /** Key under `on`: `malware`, `spam`, `antivirus.infected`, `dmarc.fail.policy-reject`, ...; for a content expression `content.<id>`. */
  readonly key: string;
  /** Name for people: the content expression's name, else the key. */
  readonly name: string;
  readonly findings: readonly Finding[];
  readonly action: Action;
  readonly quarantine: boolean;
  readonly tag?: string;
  readonly headers?: HeaderChanges;
  readonly warn?: string;
  readonly disclaimer?: string;
  readonly redirect?: readonly string[];
  readonly copy?: readonly string[];
  readonly route?: string;
  readonly reply?: SmtpReply;
  readonly notify: readonly NotifyTarget[];
}

/** An attachment that `delete-attachment` takes out. */
export interface Removal {
  /** Index in `Structure.parts`. */
  readonly part: number;
  /** Paths of the objects that were found in it, for the text left in its place. */
  readonly objects: readonly string[];
  /** Why, for people: names of responses and threats. */
  readonly reason: string;
}

/** The outcome of the one rule that decides for one recipient. Plain data. */
export interface Decision {
  readonly rule: string;
  readonly ruleName: string;
  readonly process: Process;
  /** The strictest action of all responses that fired; `deliver` when none did. */
  readonly action: Action;
  readonly quarantine: boolean;
  /** In the order of the rule. */
  readonly fired: readonly FiredResponse[];
  /** Reply of `reject` and `defer`; absent for other actions. */
  readonly reply?: SmtpReply;
  /** Of `defer`: we keep the message ourselves and inspect it again, and the client is done with it. */
  readonly hold?: true;
  readonly removals: readonly Removal[];
  readonly tags: readonly string[];
  readonly headers: HeaderChanges;
  readonly warn: readonly string[];
  readonly disclaimer: readonly string[];
  /** Other recipients instead; absent when not redirected. */
  readonly redirect?: readonly string[];
  /** Blind copies of the original bytes, whatever the action. */
  readonly copy: readonly string[];
  /** Another next hop (URL); absent for the default one. */
  readonly route?: string;
  /** The rule's own list. */
  readonly additional: readonly string[];
  /** The class that the rule's thresholds give the spam score; absent when the rule saw none. */
  readonly spam?: SpamClass;
  /** What a reader of the trace should know besides: why an attachment could not be removed, ... */
  readonly notes: readonly string[];
}

/** One rule that was looked at for a recipient, in order. */
export interface Considered {
  readonly rule: string;
  readonly matched: boolean;
  /** For people: which key of `match` did not hold, or that the rule is disabled, or that it decides. */
  readonly why: string;
}

/** What a rule in mode `audit` would have done. */
export interface AuditOutcome {
  readonly recipient: string;
  readonly rule: string;
  readonly action: Action;
  readonly quarantine: boolean;
  readonly tags: readonly string[];
  readonly notify: readonly NotifyTarget[];
  /** Keys of the responses that would have fired. */
  readonly fired?: readonly string[];
}

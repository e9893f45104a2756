import type { PackedList } from './packed-list.js';
import type { Attach, FiredResponse, Group, Process, SmtpReply } from './types.js';

/** One requirement of a field test. All of one test must hold for the same value. Plain data. */
export type Check =
  | { readonly op: 'masks'; readonly masks: readonly string[] }
  /** Exactly this text: what begins with `@` names no list here. */
  | { readonly op: 'is'; readonly value: string }
  | { readonly op: 'in' | 'contains' | 'starts' | 'ends'; readonly values: readonly string[] }
  | { readonly op: 'matches'; readonly patterns: readonly string[] }
  | { readonly op: 'number'; readonly values: readonly number[] }
  | { readonly op: 'over' | 'under'; readonly bound: number }
  | { readonly op: 'between'; readonly from: number; readonly to: number }
  | { readonly op: 'boolean'; readonly value: boolean }
  | { readonly op: 'exists'; readonly value: boolean };

export interface FieldTest {
  /** Name in the catalogue of fields; `header` for `header.NAME`. */
  readonly field: string;
  /** Of `header.NAME`, in lower case. */
  readonly header?: string;
  readonly checks: readonly Check[];
}

/** A condition as written, without its short forms. Plain data. */
export type Condition =
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'field'; readonly test: FieldTest }
  /** Tests about one and the same attachment or link. */
  | { readonly kind: 'attachment' | 'link'; readonly tests: readonly FieldTest[] };

/** A window of the week in local time. */
export interface TimeWindow {
  /** Days on which the window starts, 0 is Sunday. */
  readonly days: readonly number[];
  /** Minutes since midnight; the end is exclusive, and at or before the start it lies on the next day. */
  readonly from: number;
  readonly to: number;
}

export interface ScopeKeys {
  readonly sender?: readonly string[];
  readonly recipient?: readonly string[];
  readonly client?: readonly string[];
  readonly when?: Condition;
}

export interface MatchData extends ScopeKeys {
  readonly authenticated?: boolean;
  readonly senderIs: 'envelope' | 'either';
  readonly time?: readonly TimeWindow[];
  readonly except?: ScopeKeys;
}

/** Spam scores from which on a message belongs to a class. */
export interface SpamThresholds {
  readonly spam?: number;
  readonly probableSpam?: number;
  readonly bulk?: number;
}

/** What a response does, besides its reply. */
export type Effect = Omit<FiredResponse, 'key' | 'name' | 'findings' | 'reply'>;

export interface ResponseData {
  /** Masks for the finding's name; absent takes every one. */
  readonly names?: readonly string[];
  readonly reply?: Partial<SmtpReply>;
  readonly effect: Effect;
}

/** Which findings an entry of `on` takes. */
export type Selector =
  /** Module and status in full; `*` for any module. */
  | { readonly kind: 'status'; readonly pairs: readonly { readonly module: string; readonly status: string }[] }
  /** A result of SPF, DKIM or DMARC, with DMARC's policy where given. */
  | { readonly kind: 'result'; readonly status: string; readonly result: string; readonly policy?: string }
  /** A status of `external` or of any third party's module. */
  | { readonly kind: 'external'; readonly status: string }
  | { readonly kind: 'content'; readonly id: string; readonly when: Condition };

export interface OnEntry {
  /** Key for people, the journal and notifications: `malware`, `spf.fail`, `content.executables`. */
  readonly key: string;
  readonly name: string;
  readonly selector: Selector;
  /** The first one that fits a finding responds to it. */
  readonly responses: readonly ResponseData[];
}

/** One rule, checked and with all defaults filled in. Plain data. */
export interface RuleData {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly mode: 'enforce' | 'audit';
  readonly match: MatchData;
  readonly process: Process;
  /** Of `process: reject`. */
  readonly reply?: Partial<SmtpReply>;
  /** Modules that this rule turns off. */
  readonly off: readonly string[];
  readonly thresholds: SpamThresholds;
  /** In the order of the rule. */
  readonly on: readonly OnEntry[];
  readonly additional: readonly string[];
}

/** The texts of `warn` and `disclaimer`. Plain data. */
export interface BannerSource {
  /** Module that fills them in, from the root of the sources and without extension: it stands above the rules. */
  readonly module: string;
  /** What that module makes of them what it needs; plain data as well. */
  readonly data: unknown;
}

/** A whole rule set: plain data that can be handed to threads. */
export interface RuleBundle {
  /** SHA-256 over names and contents of the files, in hex. */
  readonly hash: string;
  /** In order; the last one is the built-in rule `default`, unless the files have it elsewhere. */
  readonly rules: readonly RuleData[];
  /** Each list by its name. */
  readonly lists: Readonly<Record<string, PackedList>>;
  readonly domains: readonly string[];
  readonly timezone: string;
  /** Configured spam thresholds, for rules that set none. */
  readonly thresholds: Required<SpamThresholds>;
  /** Absent where no rule uses any. */
  readonly banners?: BannerSource;
}

/** A group as written under `notify`, before the rule's own templates are filled in. */
export interface NotifyRaw {
  readonly group: Group;
  readonly template?: string;
  readonly attach: Attach;
}

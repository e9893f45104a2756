import type { Finding } from '../../detectors/types.js';
import type { Place } from '../../config/problems.js';
import type { Action, Considered, Group, HeaderChanges, SmtpReply } from '../types.js';

/** Groups that are told, as a list, or with the template and the addresses of each. */
export type ExpectedNotify =
  | readonly Group[]
  | Readonly<Partial<Record<Group, { readonly template?: string; readonly to?: readonly string[] }>>>;

/** What a rule in mode `audit` would have done. */
export interface ExpectedAudit {
  readonly action?: Action;
  readonly quarantine?: boolean;
  readonly tags?: readonly string[];
  readonly notify?: readonly Group[];
}

/** What a test case expects for one recipient; what is absent is not compared. */
export interface Expectation extends Omit<ExpectedAudit, 'notify'> {
  readonly rule?: string;
  readonly notify?: ExpectedNotify;
  readonly fired?: readonly string[];
  readonly suppressed?: readonly Group[];
  /** By the ID of the rule. */
  readonly audit?: Readonly<Record<string, ExpectedAudit>>;
  readonly headers?: Partial<HeaderChanges>;
  readonly warn?: readonly string[];
  readonly disclaimer?: readonly string[];
  readonly reply?: Partial<SmtpReply>;
  readonly redirect?: readonly string[];
  readonly copy?: readonly string[];
  readonly route?: string;
}

/** One test case, checked. */
export interface TestCase {
  readonly name: string;
  readonly place: Place;
  /** Absolute path of a message file, or the message itself. */
  readonly message: { readonly path: string } | { readonly raw: string };
  readonly envelope: {
    readonly sender: string;
    readonly recipients: readonly string[];
    readonly client?: string | undefined;
    readonly helo?: string | undefined;
    readonly tls?: boolean | undefined;
    readonly authenticated?: boolean | string | undefined;
    /** ms since the epoch. */
    readonly at?: number | undefined;
  };
  readonly findings: readonly Finding[];
  /** By recipient, as written in the envelope. */
  readonly expect: Readonly<Record<string, { readonly wanted: Expectation; readonly place: Place }>>;
}

interface Told {
  readonly group: Group;
  readonly to: readonly string[];
  readonly template: string;
}

/** What a rule in mode `audit` would have done for the recipient. */
export interface AuditReached {
  readonly rule: string;
  readonly action: Action;
  readonly quarantine: boolean;
  readonly tags: readonly string[];
  readonly notify: readonly { readonly group: Group }[];
}

/** What came out for one recipient. */
export interface Reached {
  readonly rule: string;
  readonly action: Action;
  readonly quarantine: boolean;
  readonly tags: readonly string[];
  readonly headers: HeaderChanges;
  readonly warn: readonly string[];
  readonly disclaimer: readonly string[];
  readonly notify: readonly Told[];
  readonly suppressed: readonly (Told & { readonly reason: string })[];
  readonly considered: readonly Considered[];
  readonly reply?: SmtpReply;
  readonly redirect?: readonly string[];
  readonly copy: readonly string[];
  readonly route?: string;
  readonly fired: readonly { readonly response: string; readonly action: string }[];
  readonly notes: readonly string[];
  readonly audit: readonly AuditReached[];
}

/** One key of an expectation that does not hold. */
export interface Difference {
  readonly key: string;
  readonly expected: string;
  readonly got: string;
  /** What explains it. */
  readonly why?: string;
}

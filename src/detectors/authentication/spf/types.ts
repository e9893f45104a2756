/** Results of check_host() (RFC 7208 2.6). */
export type SpfResult = 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror';

/** What check_host() is asked (RFC 7208 4.1), besides the domain, which changes on the way. */
export interface SpfQuestion {
  /** IP address of the client; no IPv4-mapped one. */
  readonly ip: string;
  /** Where the sender's domain is not the one that is checked, it still is what `%{o}` means. */
  readonly sender: { readonly local: string; readonly domain: string };
  readonly helo: string;
}

/** The record is wrong: check_host() ends with permerror. The message says why, in words for people. */
export class SpfSyntaxError extends Error {
  override readonly name = 'SpfSyntaxError';
}

export type Qualifier = '+' | '-' | '~' | '?';

/** Part of a macro-string (RFC 7208 7.1): text as it stands, or a macro. */
export type MacroPart =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'macro';
      /** In lower case. */
      readonly letter: string;
      /** The letter was written in upper case: the value is URL-escaped. */
      readonly escape: boolean;
      /** Right-hand parts that are kept; 0 for all. */
      readonly keep: number;
      readonly reverse: boolean;
      readonly delimiters: string;
    };

export type MacroString = readonly MacroPart[];

/** Prefix lengths of `a` and `mx`; without them 32 and 128. */
export interface DualCidr {
  readonly v4: number;
  readonly v6: number;
}

export type Mechanism = { readonly qualifier: Qualifier } & (
  | { readonly type: 'all' }
  | { readonly type: 'include' | 'exists'; readonly domain: MacroString }
  | { readonly type: 'a' | 'mx'; readonly domain?: MacroString; readonly cidr: DualCidr }
  | { readonly type: 'ptr'; readonly domain?: MacroString }
  | { readonly type: 'ip4' | 'ip6'; readonly address: string; readonly prefix: number }
);

export interface SpfRecord {
  readonly mechanisms: readonly Mechanism[];
  readonly redirect?: MacroString;
}

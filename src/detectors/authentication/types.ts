/** Results as rules name them (RFC 8601 2.7). */
export type AuthResult = 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'permerror' | 'temperror';

/** What came of one signature. */
export interface SignatureOutcome {
  readonly result: AuthResult;
  /** Signing domain (`d=`) in lower case as A-labels; empty where it cannot be read. */
  readonly domain: string;
  /** Selector (`s=`) as A-labels; empty where it cannot be read. */
  readonly selector: string;
  /** The first characters of the signature, to tell several apart (RFC 8601 2.7.1 header.b). */
  readonly mark: string;
  /** For people; empty for a pass. */
  readonly reason: string;
}

export interface ArcOutcome {
  readonly result: 'pass' | 'fail' | 'none' | 'temperror';
  /** Number of sets. */
  readonly instances: number;
  readonly reason: string;
}

export type DmarcPolicy = 'none' | 'quarantine' | 'reject';

export interface DmarcOutcome {
  readonly result: AuthResult;
  /** Domain of From, as an A-label; empty where there is none. */
  readonly domain: string;
  /** What the domain asks for; absent where it has no record. */
  readonly policy?: DmarcPolicy;
  readonly reason: string;
}

import type { SessionContext } from './session-context.js';

export interface EhloState {
  /** Our name. */
  readonly name: string;
  readonly secure: boolean;
  readonly loggedIn: boolean;
  /** The client may use XCLIENT. */
  readonly proxy: boolean;
}

/** What we offer in the answer to EHLO (RFC 5321 4.1.1.1). */
export function ehloLines({ config, users, tlsOffered }: SessionContext, state: EhloState): string[] {
  return [
    state.name,
    'PIPELINING',
    `SIZE ${config.smtp.maxMessageSize}`,
    '8BITMIME',
    'SMTPUTF8',
    'DSN',
    'ENHANCEDSTATUSCODES',
    ...(tlsOffered && !state.secure ? ['STARTTLS'] : []),
    ...(users !== undefined && state.secure && !state.loggedIn ? ['AUTH PLAIN LOGIN'] : []),
    ...(state.proxy ? ['XCLIENT NAME ADDR PORT PROTO HELO LOGIN'] : []),
  ];
}

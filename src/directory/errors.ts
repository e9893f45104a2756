import { ResultCodeError } from 'ldapts';

/** `unreachable`: no server; `refused`: the login; `absent`: no such entry; `failed`: this search or its answer. */
export type DirectoryFailure = 'unreachable' | 'refused' | 'absent' | 'failed';

/** Reading the directory went wrong; the message is for an operator and holds no secret. */
export class DirectoryError extends Error {
  override readonly name = 'DirectoryError';
  readonly kind: DirectoryFailure;

  constructor(kind: DirectoryFailure, message: string) {
    super(message);
    this.kind = kind;
  }
}

const NO_SUCH_OBJECT = 32;
const INVALID_DN = 34;

/** Result codes (RFC 4511 4.1.9, Appendix A) in words that an admin can act on. */
const WORDS: Readonly<Record<number, string>> = {
  1: 'operations error (a login may be needed)',
  3: 'time limit of the server exceeded',
  4: 'size limit of the server exceeded: it does not page, or its limit is for all pages',
  8: 'the server wants a stronger login',
  11: "an administrator's limit of the server exceeded",
  12: 'the server does not page results',
  13: 'the server wants TLS',
  48: 'the server does not take this kind of login',
  49: 'wrong name or password',
  50: 'the login may not read this',
  51: 'the server is busy',
  52: 'the server is unavailable',
  53: 'the server is unwilling',
};

/** Makes an error of the library, or of a socket, into one of ours. */
export function toDirectoryError(error: unknown, doing: string, otherwise: DirectoryFailure): DirectoryError {
  if (error instanceof DirectoryError) return error;
  if (error instanceof ResultCodeError) {
    const words = WORDS[error.code] ?? `LDAP result ${error.code}`;
    const kind = error.code === NO_SUCH_OBJECT ? 'absent' : otherwise;
    if (error.code === NO_SUCH_OBJECT) return new DirectoryError(kind, `${doing}: there is no such entry`);
    if (error.code === INVALID_DN) return new DirectoryError(kind, `${doing}: the server takes the name for malformed`);
    return new DirectoryError(kind, `${doing}: ${words}`);
  }
  return new DirectoryError(otherwise === 'refused' ? 'unreachable' : otherwise, `${doing}: ${reasonOf(error)}`);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if ('code' in error && typeof error.code === 'string') {
    switch (error.code) {
      case 'ECONNREFUSED':
        return 'connection refused';
      case 'ENOTFOUND':
      case 'EAI_AGAIN':
        return 'the name of the server is not found';
      default:
        return error.code;
    }
  }
  const [line = ''] = error.message.split('\n');
  return line.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
}

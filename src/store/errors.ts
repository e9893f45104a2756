export { codeOf } from '../config/file-error.js';

export type StoreErrorCode =
  /** Another gateway works on this data folder. */
  | 'in-use'
  /** The embedded server cannot be started here; the message says what to do. */
  | 'cannot-start'
  /** A newer version of this program has changed the database. */
  | 'too-new'
  /** The database does not answer. */
  | 'unavailable'
  /** It answers, and cannot be written. */
  | 'read-only'
  /** There is no such item. */
  | 'not-found'
  /** What the database holds is not what was written. */
  | 'damaged';

/** What the store throws. Its message is for admins: it never reaches an SMTP client. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

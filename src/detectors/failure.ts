/** A detector could not do its work; the message is for people and shows no path, address or content. */
export class DetectorError extends Error {
  override readonly name = 'DetectorError';
}

const MAX_CAUSE = 200;

/** What a finding says about a failure: the text of a DetectorError, else the system's error code and nothing more. */
export function publicReason(error: unknown): string {
  if (error instanceof DetectorError) return error.message;
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(code)
    ? `the module failed (${code})`
    : 'the module failed';
}

/** One line about a failure for the log and the journal of the admin, without control characters. */
export function internalReason(error: unknown): string {
  const first = error instanceof Error ? error : new Error(String(error));
  const cause = first.cause instanceof Error ? `: ${first.cause.message}` : '';
  return `${first.message}${cause}`.replace(/[\x00-\x1f\x7f]+/g, ' ').slice(0, MAX_CAUSE);
}

const MAX = 120;

/** Why a handshake failed, for people; what the server wrote into its certificate is cut. Empty when nothing is known. */
export function tlsReason(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // What OpenSSL says is no text for people: its code says it shorter.
  const text = code.startsWith('ERR_SSL_') ? code.slice(8).replaceAll('_', ' ').toLowerCase() : error.message;
  return text
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, MAX);
}

import type { Envelope } from '../../../message/envelope.js';

/** Recipients that rspamd is told of. */
const MAX_RECIPIENTS = 200;

/** What rspamd is told of the session: the request headers of its HTTP protocol. */
export function sessionHeaders(
  envelope: Envelope,
  password: string | undefined,
  queueId?: string,
): Record<string, string | string[]> {
  return {
    From: value(envelope.sender === '' ? '<>' : envelope.sender),
    Rcpt: envelope.recipients.slice(0, MAX_RECIPIENTS).map(({ address }) => value(address)),
    IP: value(envelope.client),
    ...(envelope.helo === '' ? {} : { Helo: value(envelope.helo) }),
    // Its log and history then name the message as ours do. No Hostname: rspamd looks the client's name up itself.
    ...(queueId === undefined ? {} : { 'Queue-Id': value(queueId) }),
    ...(envelope.user === undefined ? {} : { User: value(envelope.user) }),
    // Which cipher it was nobody handed on; that there was one is what rspamd's rules ask.
    ...(envelope.tls ? { 'TLS-Cipher': 'TLS' } : {}),
    ...(password === undefined ? {} : { Password: password }),
  };
}

/** A header value: UTF-8 as bytes, and nothing that could end the line. */
function value(text: string): string {
  return Buffer.from(text.slice(0, 1000), 'utf8')
    .toString('latin1')
    .replace(/[\x00-\x1f\x7f]/g, ' ');
}

import type { Stage } from '../delivery/client/errors.js';

/** What is known of a failure. */
export interface Failure {
  readonly stage: Stage | 'rcpt';
  /** Code of the error underneath, such as `ECONNREFUSED`. */
  readonly code?: string;
  /** Reply code of the server, and its text. */
  readonly reply?: number;
  readonly text: string;
  /** The words are our own: no server said them. */
  readonly own: boolean;
}

/** Where the server comes from, for the key to change. */
export interface ServerKey {
  readonly key: 'notifications.server' | 'delivery.nextHop';
  readonly host: string;
  readonly port: number;
  readonly implicitTls: boolean;
  readonly hasPassword: boolean;
}

/** What to do about a failure, in plain words. */
export function adviceFor(failure: Failure, server: ServerKey): string {
  return byError(failure.code ?? '', server) ?? byStage(failure, server);
}

function byError(code: string, { key, host, port, implicitTls }: ServerKey): string | undefined {
  switch (code) {
    case 'ENOTFOUND':
      return `The DNS knows no host ${host}: check the spelling in ${key}.`;
    case 'EAI_AGAIN':
      return `The DNS does not answer, so ${host} could not be looked up: check the name servers of this machine.`;
    case 'ECONNREFUSED':
      return `Nothing listens on port ${port} of ${host}: check that the server runs, and host and port in ${key}; a firewall can refuse as well.`;
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `${host}:${port} does not answer: check host and port in ${key}, and that no firewall is between.`;
    case 'ECONNRESET':
      return `The server closed the connection. ${wrongPort(implicitTls, key)}`;
    case 'CERT_HAS_EXPIRED':
      return `The certificate of the server has expired: it has to be renewed there. Until then ?tls=opportunistic in ${key} encrypts without verifying.`;
    case 'CERT_NOT_YET_VALID':
      return 'The certificate of the server is not valid yet: compare the clocks of both machines.';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `The certificate is for another name than ${host}: write the name that stands in the certificate into ${key}.`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `The certificate is self-signed or from a CA that this machine does not know: name the CA's file in ${key} with ?tls=required&ca=FILE. (?tls=opportunistic encrypts without verifying.)`;
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return `The server does not speak TLS from the first byte: use smtp:// in ${key} in place of smtps://.`;
    default:
      return undefined;
  }
}

function byStage({ stage, reply, text, own }: Failure, server: ServerKey): string {
  const { key, host, implicitTls, hasPassword } = server;
  switch (stage) {
    case 'connect':
      return `No connection to ${host}: check ${key}.`;
    case 'greeting':
      return own
        ? `The server said nothing that is SMTP, or nothing in time. ${wrongPort(implicitTls, key)}`
        : 'The server takes no mail from this machine now: its reply says why; often the address of this machine is blocked there.';
    case 'ehlo':
      return 'The server refuses our name: set smtp.hostname to a name that the DNS knows for this machine.';
    case 'starttls':
      if (text.includes('offers no TLS'))
        return `The server offers no STARTTLS and ?tls=required demands it: use the port where it does (587), or smtps://, or ?tls=opportunistic in ${key}.`;
      return `No TLS could be agreed on (TLS 1.2 or later is needed): the server's TLS settings are at fault, or ?tls=off in ${key} goes without.`;
    case 'auth':
      if (text.includes('without TLS'))
        return `A password is sent under TLS only: have the server offer STARTTLS, or use smtps://; ?tls=off in ${key} sends it in clear.`;
      if (text.includes('neither AUTH'))
        return `The server offers no login that is known here (PLAIN, LOGIN): perhaps it does on port 587, or needs none: then take user:password@ out of ${key}.`;
      return `The server does not take user and password: check user:password@ in ${key}; characters such as @ : / % are written as %40 %3A %2F %25.`;
    case 'mail':
      if (/larger than|5\.3\.4|exceeds.*size/i.test(text))
        return `The server takes no mail as large as this one: raise its limit (SIZE), or name another server in ${key}.`;
      if (/8BITMIME|8-bit/i.test(text))
        return 'The server takes no 8-bit mail (8BITMIME): set notifications.quotedPrintable: true.';
      if (/SMTPUTF8|international/i.test(text))
        return 'The server takes no internationalized addresses (SMTPUTF8): use addresses in ASCII.';
      return hasPassword || !/auth|5\.7\.0|530/i.test(`${reply ?? ''} ${text}`)
        ? 'The server refuses the sender: notifications have the null sender <> in the envelope, which every mail server has to take (RFC 5321 6.1); allow it there for this machine.'
        : loginNeeded(key);
    case 'rcpt':
      if (/relay/i.test(text))
        return `The server does not relay for this machine: allow this machine's address there, or log in with user:password@ in ${key}.`;
      if (/auth/i.test(text) && !hasPassword) return loginNeeded(key);
      if (reply !== undefined && reply < 500)
        return 'The server does not take the recipient now (greylisting, a full mailbox): try again in some minutes; the gateway does so by itself.';
      return 'The server refuses the recipient: check the address; its reply says why.';
    case 'data':
    case 'end-of-data':
      if (own)
        return 'The connection was lost while the mail was sent: the server may have it all the same. Try again; look into its log if it stays so.';
      return /auto|null sender|backscatter/i.test(text)
        ? 'The server refuses automatic mail: allow it there for this machine.'
        : 'The server refuses the mail itself: its reply says why; often a filter that should except this machine or the sender in notifications.from.';
    case 'content':
      return 'The mail could not be written: look at the error.';
  }
}

function loginNeeded(key: string): string {
  return `The server wants a login: write user:password@ into ${key}.`;
}

function wrongPort(implicitTls: boolean, key: string): string {
  return implicitTls
    ? `Perhaps the port speaks no TLS from the first byte: then use smtp:// in ${key}.`
    : `Perhaps the port wants TLS from the first byte (465): then use smtps:// in ${key}.`;
}

/** What to do when a webhook was not told. */
export function webhookAdvice(code: string | undefined, reply: string): string {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'The host name could not be looked up: check the address and the DNS.';
    case 'ECONNREFUSED':
      return 'Nothing listens there: check host and port, and that the receiver runs.';
    case 'ETIMEDOUT':
      return 'It does not answer in time: check the firewall; `timeout` of the webhook can be raised to 1m.';
    case 'CERT_HAS_EXPIRED':
      return 'The certificate has expired: it has to be renewed there.';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'The certificate is for another host name than the one in the address.';
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return "The certificate is self-signed or from an unknown CA: name the CA's file in `ca` of the webhook.";
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'The receiver speaks no TLS there: write http:// in place of https://, or the port where it does.';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'The receiver closed the connection: look into its log; perhaps it wants https:// there.';
    default:
  }
  const status = /^HTTP (\d{3})/.exec(reply)?.[1] ?? '';
  if (status.startsWith('3')) return 'Redirects are not followed: write the address that it points to.';
  if (status === '401' || status === '403')
    return 'It does not let us in: check user and password in the address, and that both sides have the same `secret`.';
  if (status === '404') return 'There is nothing at that path: check the address.';
  if (status === '') return 'It gave no answer that is HTTP: check the address, and that the receiver runs.';
  if (status.startsWith('5')) return 'The receiver failed: look into its log. The gateway would try again.';
  return 'The receiver does not want it: its answer says why.';
}

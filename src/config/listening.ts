import { codeOf } from './file-error.js';

interface Address {
  readonly host: string;
  readonly port: number;
  readonly implicitTls?: boolean;
}

/** Below it a port needs a right of its own, by default. */
const FIRST_FREE_PORT = 1024;
const PRIVILEGED =
  'ports below 1024 need a right that this user does not have; the systemd unit in deploy/ gives it (CAP_NET_BIND_SERVICE), ' +
  'or choose another port';

/** What the system says when a program wants to listen: what is wrong, and what to do where that is not plain. */
const WORDS: Readonly<Partial<Record<string, string>>> = {
  EADDRINUSE: 'another program listens there already',
  EADDRNOTAVAIL: 'this machine has no such address; 0.0.0.0 stands for all that it has, [::] for those of IPv6 too',
  EAFNOSUPPORT: 'this machine has no addresses of that kind',
  EACCES: 'this user has no right to it',
  EPERM: 'this user has no right to it',
  ENOTFOUND: 'the host name is not known; write an IP address',
  EAI_AGAIN: 'the host name could not be looked up; write an IP address',
};

/** An address to listen on as the configuration writes it: `127.0.0.1:2525`, `[::1]:2525`, `tls://0.0.0.0:465`. */
export function shownAddress({ host, port, implicitTls = false }: Address): string {
  return `${implicitTls ? 'tls://' : ''}${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** That an address cannot be listened on, why, and what to do about it, for people. @param error of `listen` */
export function cannotListen(address: Address, error: Error): string {
  const code = codeOf(error) ?? '';
  const privileged = code === 'EACCES' && address.port < FIRST_FREE_PORT;
  return `cannot listen on ${shownAddress(address)}: ${privileged ? PRIVILEGED : (WORDS[code] ?? error.message)}`;
}

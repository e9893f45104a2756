import { isIPv4, isIPv6, type Socket } from 'node:net';

/** The longest line of version 1, in octets with its end. */
const MAX_LINE = 107;
const LF = 0x0a;

/** What a PROXY line says of the client: nothing where the proxy does not know it (`UNKNOWN`). */
export interface ProxiedClient {
  readonly address?: string;
  readonly port?: number;
}

/** Reads a line of the PROXY protocol, version 1; undefined for what is none. */
export function parseProxyLine(line: string): ProxiedClient | undefined {
  if (/^PROXY UNKNOWN(?: [ -~]*)?\r\n$/.test(line)) return {};
  const match = /^PROXY TCP([46]) (\S+) (\S+) (\d{1,5}) (\d{1,5})\r\n$/.exec(line);
  if (match === null) return undefined;
  const [, version, address = '', target = '', port, targetPort] = match;
  const isAddress = version === '4' ? isIPv4 : isIPv6;
  if (!isAddress(address) || !isAddress(target) || Number(port) > 65_535 || Number(targetPort) > 65_535)
    return undefined;
  return { address: address.toLowerCase(), port: Number(port) };
}

/**
 * Takes the PROXY line off a connection; what follows it stays to be read.
 * @param done called once; without a client for a connection that begins with anything else, or ends before
 */
export function readProxyLine(socket: Socket, done: (client: ProxiedClient | undefined) => void): void {
  let bytes = Buffer.alloc(0);
  const finish = (client: ProxiedClient | undefined): void => {
    socket.off('readable', read);
    for (const event of ['end', 'close'] as const) socket.off(event, broken);
    socket.off('error', broken);
    if (client === undefined) {
      // What the socket still has to say is of no interest.
      socket.on('error', () => undefined);
      socket.destroy();
    }
    done(client);
  };
  const broken = (): void => finish(undefined);
  const read = (): void => {
    for (let chunk: unknown = socket.read(); Buffer.isBuffer(chunk); chunk = socket.read()) {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf(LF) + 1;
      if (end === 0 && bytes.length < MAX_LINE) continue;
      const client = end === 0 || end > MAX_LINE ? undefined : parseProxyLine(bytes.toString('latin1', 0, end));
      if (client !== undefined && end < bytes.length) socket.unshift(bytes.subarray(end));
      finish(client);
      return;
    }
  };
  socket.on('readable', read);
  for (const event of ['end', 'close'] as const) socket.on(event, broken);
  socket.on('error', broken);
}

import { z } from 'zod';

/** Where a clamd takes connections. */
export type ClamdAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** clamd.conf TCPSocket, as clamd's own examples have it. */
const DEFAULT_PORT = 3310;
/** sun_path of Linux has room for 108 bytes, the final NUL among them. */
const MAX_SOCKET_PATH = 107;

/** `tcp://127.0.0.1:3310`, `tcp://[::1]:3310` or `unix:///run/clamav/clamd.ctl`. */
export const clamdAddress = z.string().transform((text, context): ClamdAddress => {
  const address = parse(text);
  if (typeof address !== 'string') return address;
  context.issues.push({
    code: 'custom',
    input: text,
    message: address,
    params: { hint: 'write it as tcp://127.0.0.1:3310 or unix:///run/clamav/clamd.ctl' },
  });
  return z.NEVER;
});

function parse(text: string): ClamdAddress | string {
  const unix = /^unix:(?:\/\/)?(\/.*)$/i.exec(text)?.[1];
  if (unix !== undefined) {
    if (Buffer.byteLength(unix) > MAX_SOCKET_PATH) return `a path of a socket has at most ${MAX_SOCKET_PATH} bytes`;
    return { kind: 'unix', path: unix };
  }
  const match = /^tcp:\/\/(?:\[([0-9a-f:.]+)\]|([^\s:[\]/@]+))(?::(\d{1,5}))?\/?$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? DEFAULT_PORT);
  if (host === undefined || port < 1 || port > 65535) return `"${text}" is no address of a clamd`;
  return { kind: 'tcp', host, port };
}

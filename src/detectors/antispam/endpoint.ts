/** Where an engine listens. */
export type Endpoint =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Longest path that a unix socket can have on Linux. */
const MAX_PATH = 107;

/** Reads `tcp://HOST:PORT` or `unix:///PATH`; undefined when it is neither. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const unix = /^unix:\/\/(\/[^\0]+)$/.exec(text)?.[1];
  if (unix !== undefined) return unix.length <= MAX_PATH ? { kind: 'unix', path: unix } : undefined;
  const tcp = /^tcp:\/\/(?:\[([0-9a-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text);
  const port = Number(tcp?.[3]);
  const host = tcp?.[1] ?? tcp?.[2];
  return host === undefined || port < 1 || port > 65_535 ? undefined : { kind: 'tcp', host, port };
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cannotListen } from '../../config/listening.js';
import type { Log } from '../../telemetry/log.js';

/** Where it listens. */
export interface HttpAddress {
  readonly host: string;
  readonly port: number;
}

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Makes a page; one that rejects is a 500 without a word of why, which the log has. */
export type PageMaker = () => Promise<Page> | Page;

/** Requests have no body and small headers: whoever needs longer is not a scraper. ms */
const PATIENCE = 5_000;
const MAX_CONNECTIONS = 64;
const MAX_HEADER = 8 * 1024;

const OPTIONS = {
  maxHeaderSize: MAX_HEADER,
  requestTimeout: PATIENCE,
  headersTimeout: PATIENCE,
  keepAliveTimeout: PATIENCE,
  // Else nobody looks for half a minute.
  connectionsCheckingInterval: 1000,
};

/** It cannot listen. The message is for the admin. */
export class HttpStartError extends Error {
  override readonly name = 'HttpStartError';
}

export interface HttpService {
  readonly addresses: readonly HttpAddress[];
  /** Ends open connections as well. */
  close(): Promise<void>;
}

/**
 * Serves a fixed set of pages for machines to read, by GET and HEAD alone.
 * @param pages by path, such as `/healthz`
 * @throws HttpStartError
 */
export async function serveHttp(
  listen: readonly HttpAddress[],
  pages: ReadonlyMap<string, PageMaker>,
  log: Log,
): Promise<HttpService> {
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map(closeServer));
  };
  const addresses: HttpAddress[] = [];
  try {
    for (const address of listen) {
      const server = createServer(OPTIONS, (request, response) => void answer(request, response, pages, log));
      server.maxConnections = MAX_CONNECTIONS;
      servers.push(server);
      addresses.push({ host: address.host, port: await listening(server, address) });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { addresses, close };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  pages: ReadonlyMap<string, PageMaker>,
  log: Log,
): Promise<void> {
  const { method = '', url = '' } = request;
  // What a request brings besides its line and header is not wanted, and must not fill a buffer.
  request.resume();
  const make = pages.get(url.split('?', 1)[0] ?? '');
  if (make === undefined) {
    reply(response, { status: 404, type: 'text/plain', body: 'not found\n' }, method);
    return;
  }
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    reply(response, { status: 405, type: 'text/plain', body: 'only GET and HEAD\n' }, method);
    return;
  }
  try {
    reply(response, await make(), method);
  } catch (error) {
    log.error({ err: error }, 'a page cannot be made');
    reply(response, { status: 500, type: 'text/plain', body: 'internal error\n' }, method);
  }
}

function reply(response: ServerResponse, { status, type, body }: Page, method: string): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(method === 'HEAD' ? undefined : body);
}

function listening(server: Server, address: HttpAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new HttpStartError(`\`http.listen\`: ${cannotListen(address, cause)}`, { cause }));
    });
    server.listen(address.port, address.host, () => {
      const bound: AddressInfo | string | null = server.address();
      resolve(bound === null || typeof bound === 'string' ? address.port : bound.port);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) {
      resolve();
      return;
    }
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

import http from 'node:http';
import https from 'node:https';
import { DetectorError } from '../../failure.js';
import type { DetectorInput } from '../../types.js';
import { TooLarge, type Engine, type Verdict } from '../engine.js';
import { sessionHeaders } from './headers.js';
import { parseReply } from './reply.js';

/** Connections of one thread. */
const CONNECTIONS = 16;
/** Idle connections that are kept. */
const KEPT = 4;
/** An answer beyond that is none. */
const MAX_REPLY = 2 * 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly body: string;
}

interface Request {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: http.OutgoingHttpHeaders;
  readonly body?: Buffer;
}

export interface RspamdOptions {
  /** Without a slash at the end. */
  readonly url: string;
  readonly password?: string | undefined;
  /** Bytes; a larger message is not sent. */
  readonly maxSize: number;
}

/** rspamd over HTTP, by its own protocol: POST /checkv2 with the session in headers. Connections are kept. */
export class Rspamd implements Engine {
  readonly name = 'rspamd';
  readonly #options: RspamdOptions;
  readonly #agent: http.Agent;
  readonly #request: typeof http.request;

  constructor(options: RspamdOptions) {
    this.#options = options;
    const secure = options.url.startsWith('https:');
    const keep = { keepAlive: true, maxSockets: CONNECTIONS, maxFreeSockets: KEPT };
    this.#agent = secure ? new https.Agent(keep) : new http.Agent(keep);
    this.#request = secure ? https.request : http.request;
  }

  async judge({ message, envelope, traceId, signal }: DetectorInput): Promise<Verdict> {
    if (message.bytes.length > this.#options.maxSize) throw new TooLarge('larger than what rspamd is given');
    const { status, body } = await this.#send(
      {
        method: 'POST',
        path: '/checkv2',
        headers: {
          ...sessionHeaders(envelope, this.#options.password, traceId),
          'Content-Length': message.bytes.length,
        },
        body: message.bytes,
      },
      signal,
    );
    if (status === 413) throw new TooLarge('larger than what rspamd takes');
    if (status !== 200) throw new DetectorError(`rspamd answered with the status ${status}`);
    return parseReply(body);
  }

  async health(signal: AbortSignal): Promise<void> {
    const { status, body } = await this.#send({ method: 'GET', path: '/ping', headers: {} }, signal);
    if (status !== 200 || !body.startsWith('pong')) throw new DetectorError('rspamd does not answer a ping');
  }

  close(): Promise<void> {
    this.#agent.destroy();
    return Promise.resolve();
  }

  /** Kept connections may have been closed at the other end just now: then the request is sent once more. */
  async #send(request: Request, signal: AbortSignal): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await this.#exchange(request, signal);
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
        if (attempt > KEPT) throw new DetectorError('rspamd cannot be reached', { cause: error });
      }
    }
  }

  #exchange({ method, path, headers, body }: Request, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = this.#request(
        `${this.#options.url}${path}`,
        { method, headers, agent: this.#agent, signal },
        (response) => {
          collect(response).then((text) => resolve({ status: response.statusCode ?? 0, body: text }), reject);
        },
      );
      request.on('error', (cause: NodeJS.ErrnoException) => {
        const stale = request.reusedSocket && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE');
        reject(stale ? new StaleConnection(cause.message) : new DetectorError('rspamd cannot be reached', { cause }));
      });
      request.end(body);
    });
  }
}

class StaleConnection extends Error {
  override readonly name = 'StaleConnection';
}

function collect(response: http.IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let length = 0;
    response.on('data', (piece: Buffer) => {
      length += piece.length;
      if (length <= MAX_REPLY) {
        pieces.push(piece);
        return;
      }
      reject(new DetectorError('rspamd answered more than an answer can be'));
      response.destroy();
    });
    response.on('end', () => resolve(Buffer.concat(pieces).toString('utf8')));
    response.on('error', (cause) => reject(new DetectorError('rspamd broke off its answer', { cause })));
    response.on('close', () => reject(new DetectorError('rspamd broke off its answer')));
  });
}

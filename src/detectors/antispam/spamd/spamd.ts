import net from 'node:net';
import { formatSize } from '../../../config/units.js';
import { DetectorError } from '../../failure.js';
import type { DetectorInput } from '../../types.js';
import type { Endpoint } from '../endpoint.js';
import type { Engine, Verdict } from '../engine.js';
import { parseReply, statusOf } from './reply.js';

/** Names of rules; an answer beyond that is none. */
const MAX_REPLY = 64 * 1024;

export interface SpamdOptions {
  readonly endpoint: Endpoint;
  readonly user: string;
  /** Bytes; of a larger message the beginning is sent. */
  readonly maxSize: number;
}

/**
 * SpamAssassin's spamd, by the SPAMC protocol. SYMBOLS is asked and not REPORT, because a report quotes the body. One
 * connection serves one request, as the protocol has it.
 */
export class Spamd implements Engine {
  readonly name = 'SpamAssassin';
  readonly #options: SpamdOptions;

  constructor(options: SpamdOptions) {
    this.#options = options;
  }

  async judge({ message, signal }: DetectorInput): Promise<Verdict> {
    const { maxSize, user } = this.#options;
    const cut = message.bytes.length > maxSize;
    const body = cut ? message.bytes.subarray(0, maxSize) : message.bytes;
    const head = `SYMBOLS SPAMC/1.5\r\nUser: ${user}\r\nContent-length: ${body.length}\r\n\r\n`;
    const verdict = parseReply(await this.#exchange(head, body, signal));
    return cut ? { ...verdict, notes: [`only the first ${formatSize(maxSize)} were looked at`] } : verdict;
  }

  async health(signal: AbortSignal): Promise<void> {
    if (!statusOf(await this.#exchange('PING SPAMC/1.5\r\n\r\n', undefined, signal)).startsWith('PONG'))
      throw new DetectorError('spamd does not answer a ping');
  }

  #exchange(head: string, body: Buffer | undefined, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const { endpoint } = this.#options;
    const socket = net.connect(
      endpoint.kind === 'tcp' ? { host: endpoint.host, port: endpoint.port } : { path: endpoint.path },
    );
    return new Promise<string>((resolve, reject) => {
      const pieces: Buffer[] = [];
      let length = 0;
      const abort = (): void => reject(new DetectorError('spamd was given up'));
      signal.addEventListener('abort', abort, { once: true });
      socket.setNoDelay(true);
      socket.on('data', (piece: Buffer) => {
        length += piece.length;
        if (length > MAX_REPLY) reject(new DetectorError('spamd answered more than an answer can be'));
        else pieces.push(piece);
      });
      socket.on('error', (cause) => {
        // It may answer and close before it has read the whole message: then the answer counts.
        if (length > 0) resolve(Buffer.concat(pieces).toString('latin1'));
        else reject(new DetectorError('spamd cannot be reached', { cause }));
      });
      socket.on('end', () => resolve(Buffer.concat(pieces).toString('latin1')));
      socket.on('close', () => {
        signal.removeEventListener('abort', abort);
        reject(new DetectorError('spamd closed the connection'));
      });
      socket.write(head, 'latin1');
      // The other side of the connection is closed as spamc does: spamd takes it for the end of the message.
      if (body === undefined) socket.end();
      else socket.end(body);
    }).finally(() => socket.destroy());
  }
}

import { request as plainRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { codeOf } from '../../store/errors.js';
import type { Webhook } from './hook.js';
import type { WebhookPayload } from './payload.js';
import { SIGNATURE_FIELD, signatureOf } from './signature.js';

/** How one attempt went; the text is for people, without secrets. */
export interface PostResult {
  readonly state: 'sent' | 'failed' | 'later';
  readonly reply: string;
  /** It could not be reached, or did not answer in time. */
  readonly away: boolean;
  /** ms that the receiver asks to wait; bounded. */
  readonly retryAfter?: number;
  /** Code of the error, such as `ECONNREFUSED`. */
  readonly code?: string;
}

/** Of an answer no more is read than this, bytes; and no more shown, characters. */
const MAX_ANSWER = 4096;
const MAX_SHOWN = 200;
const MAX_RETRY_AFTER = 3_600_000;
/** Answers of 4xx that may be others later: too slow, too early, too often. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * Posts one message. Never rejects. Redirects are not followed: the message and its signature are for this address.
 * @param now ms since the epoch
 * @param wanted asked right before anything is sent: false gives it up, untold
 */
export async function postTo(
  hook: Webhook,
  payload: WebhookPayload,
  now: number,
  wanted: () => boolean = () => true,
): Promise<PostResult> {
  const body = JSON.stringify(payload);
  try {
    const { status, statusText, text, retryAfter } = await exchange(
      hook,
      body,
      signatureOf(body, hook.secret, now),
      wanted,
    );
    const shown = clean(text);
    const reply = `HTTP ${status}${statusText === '' ? '' : ` ${clean(statusText)}`}${shown === '' ? '' : `: ${shown}`}`;
    const state = stateOf(status);
    return { state, reply, away: false, ...(retryAfter === undefined ? {} : { retryAfter }) };
  } catch (error) {
    const code = codeOf(error);
    const reply = error instanceof Error ? wordsOf(error, code) : 'the connection failed';
    return { state: 'later', reply, away: !(error instanceof NotWantedError), ...(code === undefined ? {} : { code }) };
  }
}

/** What OpenSSL says is no text for people: its code says it shorter. */
function wordsOf({ message }: Error, code = ''): string {
  return code.startsWith('ERR_SSL_')
    ? `TLS failed: ${code.slice(8).replaceAll('_', ' ').toLowerCase()}`
    : clean(message);
}

function stateOf(status: number): PostResult['state'] {
  if (status >= 200 && status < 300) return 'sent';
  return status >= 500 || PASSING.has(status) ? 'later' : 'failed';
}

interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly text: string;
  readonly retryAfter?: number;
}

async function exchange(hook: Webhook, body: string, signature: string, wanted: () => boolean): Promise<Answer> {
  const { url } = hook;
  const signal = AbortSignal.timeout(hook.timeout);
  const options = {
    method: 'POST',
    // The whole attempt is bounded by the signal; a connection of its own leaves nothing behind.
    agent: false as const,
    signal,
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
      'User-Agent': 'Gatepost',
      Connection: 'close',
      [SIGNATURE_FIELD]: signature,
    },
    maxHeaderSize: 16_384,
    ...(url.username === '' ? {} : { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` }),
  };
  const target = new URL(url);
  target.username = '';
  target.password = '';
  return await new Promise<Answer>((resolve, reject) => {
    const fail = (error: unknown): void =>
      reject(signal.aborted ? new TimeoutError(hook.timeout) : error instanceof Error ? error : new Error('it failed'));
    const taken = (response: IncomingMessage): void => {
      answerOf(response, request).then(resolve, fail);
    };
    const request: ClientRequest =
      url.protocol === 'https:'
        ? tlsRequest(target, { ...options, ...(hook.ca === undefined ? {} : { ca: hook.ca }) }, taken)
        : plainRequest(target, options, taken);
    request.on('error', fail);
    // Header and body go out together, when there is a connection to write them to.
    const send = (): void => {
      if (wanted()) request.end(body);
      else request.destroy(new NotWantedError());
    };
    request.once('socket', (socket) => {
      if (socket.connecting) socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', send);
      else send();
    });
  });
}

class NotWantedError extends Error {
  override readonly name = 'NotWantedError';

  constructor() {
    super('given up: it was held up for too long');
  }
}

class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
  readonly code = 'ETIMEDOUT';

  constructor(ms: number) {
    super(`no answer within ${ms / 1000} s`);
  }
}

/** Reads an answer up to the bound; what is beyond it is cut off with the connection. */
async function answerOf(response: IncomingMessage, request: ClientRequest): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response.iterator({ destroyOnReturn: true })) {
      if (!Buffer.isBuffer(chunk)) continue;
      chunks.push(chunk);
      size += chunk.length;
      if (size >= MAX_ANSWER) break;
    }
  } catch (error) {
    // The status has come: a text that breaks off does not change it.
    if (response.statusCode === undefined) throw error;
  } finally {
    request.destroy();
  }
  const seconds = Number(response.headers['retry-after']);
  return {
    status: response.statusCode ?? 0,
    statusText: response.statusMessage ?? '',
    text: Buffer.concat(chunks).subarray(0, MAX_ANSWER).toString('utf8'),
    ...(Number.isFinite(seconds) && seconds > 0 ? { retryAfter: Math.min(seconds * 1000, MAX_RETRY_AFTER) } : {}),
  };
}

function clean(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_SHOWN);
}

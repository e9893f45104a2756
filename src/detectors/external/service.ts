import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { DetectorError } from '../failure.js';

/** Bytes of an answer that are read. */
const MAX_ANSWER = 256 * 1024;
const MAX_FINDINGS = 100;

const verdict = z.object({
  findings: z
    .array(
      z.object({
        status: z.string().max(41),
        name: z.string().max(256).optional(),
        object: z.string().max(4096).optional(),
        detail: z.string().max(1000).optional(),
        score: z.number().optional(),
      }),
    )
    .max(MAX_FINDINGS),
});

const pending = z.object({ poll: z.string().min(1).max(2000) });

export type Verdict = z.infer<typeof verdict>;

export type Answer =
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  /** Not yet: ask there again, not before so many ms if the service said so. */
  | { readonly kind: 'later'; readonly poll: string; readonly after?: number };

export interface ServiceOptions {
  readonly url: string;
  readonly secret?: string;
  readonly token?: string;
  /** ms since the epoch. */
  readonly now: () => number;
}

/** The HTTP service: one question, and asking again where it said to. Redirects are not followed. */
export class VerdictService {
  readonly #options: ServiceOptions;

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** @throws DetectorError, or what fetch throws when the service is not there or the signal aborts */
  async ask(body: string, signal: AbortSignal): Promise<Answer> {
    const response = await fetch(this.#options.url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...this.#headers(body) },
      redirect: 'manual',
      signal,
    });
    return await this.#read(response);
  }

  /** @throws like `ask` */
  async askAgain(poll: string, signal: AbortSignal): Promise<Answer> {
    const response = await fetch(poll, { headers: this.#headers(''), redirect: 'manual', signal });
    return await this.#read(response);
  }

  /** @throws when nothing answers */
  async probe(signal: AbortSignal): Promise<void> {
    const response = await fetch(this.#options.url, { method: 'HEAD', redirect: 'manual', signal });
    await response.body?.cancel();
    if (response.status >= 500 && response.status !== 501) throw new DetectorError('the verdict service fails');
  }

  /** `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`, as webhooks are signed; of a poll the body is empty. */
  #headers(body: string): Record<string, string> {
    const { secret, token, now } = this.#options;
    const time = Math.floor(now() / 1000);
    const signature = secret === undefined ? '' : createHmac('sha256', secret).update(`${time}.${body}`).digest('hex');
    return {
      accept: 'application/json',
      ...(secret === undefined ? {} : { 'x-gatepost-signature': `t=${time},v1=${signature}` }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
  }

  async #read(response: Response): Promise<Answer> {
    const { status } = response;
    if (status !== 200 && status !== 202) {
      await response.body?.cancel();
      const what = status >= 300 && status < 400 ? 'redirects, which is not followed' : `answered with HTTP ${status}`;
      throw new DetectorError(`the verdict service ${what}`);
    }
    const value = parseJson(await readBounded(response));
    if (status === 202) {
      const parsed = pending.safeParse(value);
      if (!parsed.success) throw garbled();
      return { kind: 'later', poll: this.#sameOrigin(parsed.data.poll), ...retryAfter(response) };
    }
    const parsed = verdict.safeParse(value);
    if (!parsed.success) throw garbled();
    return { kind: 'verdict', verdict: parsed.data };
  }

  /** Messages and secrets go to the service that was configured and nowhere else. */
  #sameOrigin(poll: string): string {
    const { url } = this.#options;
    if (!URL.canParse(poll, url)) throw garbled();
    const target = new URL(poll, url);
    if (target.origin !== new URL(url).origin || target.username !== '' || target.password !== '')
      throw new DetectorError('the verdict service names a place elsewhere to ask again');
    return target.href;
  }
}

function retryAfter(response: Response): { readonly after?: number } {
  const seconds = response.headers.get('retry-after') ?? '';
  return /^\d{1,6}$/.test(seconds) ? { after: Number(seconds) * 1000 } : {};
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = response.body ?? [];
  for await (const bytes of body) {
    size += bytes.length;
    if (size > MAX_ANSWER) throw new DetectorError('the verdict service answered with more than anyone asked for');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw garbled();
  }
}

function garbled(): DetectorError {
  return new DetectorError('the verdict service answered something that is no verdict');
}

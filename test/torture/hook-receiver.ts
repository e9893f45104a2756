import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { payloadSchema } from '../../src/notifications/webhooks/payload.js';
import type { Random } from './random.js';
import type { Trouble } from './troubles.js';

export const HOOK_SECRET = 'secret-of-the-torture';

/** A call that was answered 2xx. */
export interface TakenCall {
  readonly at: number;
  /** The answer could be written to a connection that was there. */
  readonly told: boolean;
}

export interface HookReceiver {
  readonly url: string;
  /** By ID. */
  readonly taken: ReadonlyMap<string, readonly TakenCall[]>;
  /** IDs by the message or event that they are about. */
  readonly about: ReadonlyMap<string, string>;
  /** What was not signed, or not as documented. */
  readonly wrong: readonly string[];
  /** From now on it takes everything at once. */
  calm(): void;
  close(): Promise<void>;
}

/** A receiver of webhooks in all its moods. */
export async function startHookReceiver(random: Random): Promise<HookReceiver> {
  const taken = new Map<string, TakenCall[]>();
  const about = new Map<string, string>();
  const wrong: string[] = [];
  let moody = true;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const [, t = '', v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(request.headers['x-gatepost-signature'])) ?? [];
      const payload = payloadSchema.safeParse(JSON.parse(body));
      if (!payload.success || createHmac('sha256', HOOK_SECRET).update(`${t}.${body}`).digest('hex') !== v1) {
        wrong.push(body.slice(0, 300));
        response.writeHead(400).end();
        return;
      }
      const dice = moody ? random() : 1;
      if (dice < 0.05) {
        response.writeHead(503).end();
        return;
      }
      // Says nothing, until the caller has had enough.
      if (dice < 0.06) return;
      const { id, traceId } = payload.data;
      if (traceId !== null) about.set(traceId, id);
      const told = dice > 0.08 && !request.socket.destroyed;
      taken.set(id, [...(taken.get(id) ?? []), { at: Date.now(), told }]);
      if (dice < 0.08) request.socket.destroy();
      else response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/hook`,
    taken,
    about,
    wrong,
    calm: () => {
      moody = false;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

/** Calls that came again though the answer to the first one was given, and nothing was done to any node or the store about then. */
export function unexplainedCalls(
  taken: ReadonlyMap<string, readonly TakenCall[]>,
  troubles: readonly Trouble[],
  window: number,
): { readonly twice: number; readonly unexplained: readonly string[] } {
  const excuses = troubles.filter(({ kind, link }) => kind !== 'redis' && (link === undefined || link === 'store'));
  const again = [...taken].filter(([, calls]) => calls.length > 1);
  return {
    twice: again.length,
    unexplained: again
      .filter(([, calls]) =>
        calls
          .slice(0, -1)
          .some(
            ({ at, told }) => told && !excuses.some(({ begin, end }) => begin <= at + window && end >= at - window),
          ),
      )
      .map(([id, calls]) => `${id}: ${calls.map(({ at }) => at - (calls[0]?.at ?? 0)).join()}`),
  };
}

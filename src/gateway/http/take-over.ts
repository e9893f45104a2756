import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { codeOf, messageOf } from '../../store/errors.js';
import type { Log } from '../../telemetry/log.js';
import { askControl, type ControlHandler } from '../control/socket.js';
import { workersFolder } from '../workers-folder.js';
import { HttpStartError, serveHttp, type HttpAddress, type HttpService, type PageMaker } from './server.js';

/** What a gateway asks of workers whose pages are where its own are to be. */
export const LET_GO = 'let-go';

const askedSchema = z.object({ ports: z.array(z.number()) });

/** A worker that does not answer keeps what it has, ms. */
const PATIENCE = 2_000;
/** Another worker may come in between. */
const ATTEMPTS = 3;

/**
 * Serves the pages of a gateway. Workers of the same configuration that came first let its addresses go.
 * @param data folder that the workers run on
 * @throws HttpStartError also when another program listens there
 */
export async function serveBeforeWorkers(
  listen: readonly HttpAddress[],
  pages: ReadonlyMap<string, PageMaker>,
  data: string,
  log: Log,
): Promise<HttpService> {
  for (let attempt = 1; ; attempt++)
    try {
      return await serveHttp(listen, pages, log);
    } catch (error) {
      const taken = error instanceof HttpStartError && codeOf(error.cause) === 'EADDRINUSE';
      if (!taken || attempt === ATTEMPTS) throw error;
      await askWorkers(data, listen, log);
    }
}

/** Answers a gateway that asks for its addresses. @param letGo closes pages on these ports */
export function answerLetGo(letGo: (ports: readonly number[]) => Promise<void>): ControlHandler {
  return async (details) => {
    await letGo(askedSchema.parse(details).ports);
    return 'done';
  };
}

async function askWorkers(data: string, listen: readonly HttpAddress[], log: Log): Promise<void> {
  const folder = workersFolder(data);
  const ports = listen.map(({ port }) => port);
  const places = await readdir(folder).catch(() => []);
  await Promise.all(
    places.map(async (place) => {
      try {
        await askControl(path.join(folder, place), LET_GO, { ports }, PATIENCE);
      } catch (error) {
        log.debug({ place, reason: messageOf(error) }, 'a worker that may have the port of the pages does not answer');
      }
    }),
  );
}

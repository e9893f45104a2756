import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';

export interface TestService {
  readonly url: string;
  close(): Promise<void>;
}

const EXAMPLE = path.join(import.meta.dirname, '..', '..', 'docs', 'examples', 'verdict-service.mjs');

/** The service of the documentation, as its own process. */
export async function startExample(environment: NodeJS.ProcessEnv = {}): Promise<TestService> {
  const child = spawn(process.execPath, [EXAMPLE], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment, PORT: '0' },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const port = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(line.replace('port ', '')));
    void ended.then(() => reject(new Error('the example ended')));
  });
  return {
    url: `http://127.0.0.1:${port}/verdict`,
    close: async () => {
      child.kill();
      await ended;
    },
  };
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface FakeService extends TestService {
  /** In the order in which they came. */
  readonly requests: readonly SeenRequest[];
}

/** A service that does what it is told; an answer that is a number is a status without a body. */
export async function startFakeService(
  answer: (request: SeenRequest, response: ServerResponse) => unknown,
): Promise<FakeService> {
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (piece: string) => (body += piece));
    request.on('error', () => response.destroy());
    request.on('end', () => {
      const seen = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      requests.push(seen);
      const said = answer(seen, response);
      if (said === undefined) return;
      if (typeof said === 'number') response.statusCode = said;
      response.end(typeof said === 'string' ? said : typeof said === 'number' ? '' : JSON.stringify(said));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/verdict`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

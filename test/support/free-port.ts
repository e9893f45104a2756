import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below those that systems give to connections that go out: one of these could take the port before its server does. */
const PORTS = { from: 12_000, to: 32_000 };
const given = new Set<number>();

/** A port that nothing listens on just now, for servers that cannot choose one themselves, or are to come back to theirs. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const probe = createServer();
    probe.on('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => {
      probe.close(() => resolve(true));
    });
  });
}

import { get } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Backend {
  readonly name: string;
  /** Where it takes mail, on 127.0.0.1. */
  readonly port: number;
  /** Where it says whether it would take mail: `/readyz`. */
  readonly pages: number;
}

export interface Balancer {
  readonly port: number;
  /** Backends that would take mail, by name, as far as is known. */
  readonly ready: readonly string[];
  /** Sessions that each one was given. */
  readonly given: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Between two questions to each backend, ms; as long may an answer take, at least. */
const INTERVAL = 250;
const PATIENCE = 2000;

/**
 * A TCP balancer as in front of the gateways: it asks them whether they would take mail, gives a session to the one with
 * the fewest, and names the client in a line of the PROXY protocol, version 1.
 * @param client address that sessions are said to come from; default: where they come from
 */
export async function startBalancer(backends: readonly Backend[], client?: string): Promise<Balancer> {
  const ready = new Set<Backend>();
  const open = new Map<Backend, number>(backends.map((backend) => [backend, 0]));
  const given = new Map<string, number>(backends.map(({ name }) => [name, 0]));
  const sockets = new Set<Socket>();
  const asking = setInterval(() => {
    for (const backend of backends)
      void takesMail(backend).then((takes) => (takes ? ready.add(backend) : ready.delete(backend)));
  }, INTERVAL);

  const server = createServer({ pauseOnConnect: true }, (outside) => {
    const [backend] = [...ready].sort((a, b) => (open.get(a) ?? 0) - (open.get(b) ?? 0) || served(a) - served(b));
    sockets.add(outside);
    outside.on('error', () => outside.destroy());
    outside.once('close', () => sockets.delete(outside));
    if (backend === undefined) {
      outside.destroy();
      return;
    }
    open.set(backend, (open.get(backend) ?? 0) + 1);
    given.set(backend.name, served(backend) + 1);
    const inside = connect(backend.port, '127.0.0.1', () => {
      const from = client ?? outside.remoteAddress ?? '127.0.0.1';
      inside.write(`PROXY TCP4 ${from} 127.0.0.1 ${outside.remotePort ?? 0} ${portOf(server)}\r\n`);
      outside.pipe(inside).pipe(outside);
      outside.resume();
    });
    inside.on('error', () => inside.destroy());
    inside.once('close', () => {
      open.set(backend, (open.get(backend) ?? 1) - 1);
      outside.destroy();
    });
    outside.once('close', () => inside.destroy());
  });
  const served = ({ name }: Backend): number => given.get(name) ?? 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: portOf(server),
    get ready() {
      return [...ready].map(({ name }) => name).sort();
    },
    given,
    close: async () => {
      clearInterval(asking);
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

async function takesMail({ pages }: Backend): Promise<boolean> {
  return await new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port: pages, path: '/readyz', timeout: PATIENCE }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

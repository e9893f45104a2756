import { createServer, type AddressInfo, type Socket } from 'node:net';

/** What a fake engine does once it has read a whole request. */
export type EngineBehaviour =
  | { readonly kind: 'say'; readonly text: string }
  /** Says it and keeps the connection open for the next request. */
  | { readonly kind: 'keep'; readonly text: string }
  /** Takes everything and never answers. */
  | { readonly kind: 'stall' }
  /** Closes the connection where the answer should come. */
  | { readonly kind: 'close' }
  /** Says the text again and again, until the other side has enough of it. */
  | { readonly kind: 'flood'; readonly text: string };

export interface FakeEngine {
  readonly port: number;
  behaviour: EngineBehaviour;
  /** Requests that came in whole, one character for each byte. */
  readonly requests: readonly string[];
  /** Connections that were ever taken. */
  readonly connections: number;
  /** Ends all connections that are open, as an engine does that is restarted. */
  drop(): void;
  /** Stops listening and ends all connections; connecting is refused from then on. */
  close(): Promise<void>;
}

/** A server for protocols whose requests are a header with Content-Length, an empty line and a body. */
export async function startFakeEngine(behaviour: EngineBehaviour): Promise<FakeEngine> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections += 1;
    sockets.add(socket);
    let read = '';
    socket.on('error', () => socket.destroy());
    // A client may end its side and still wait for the answer.
    socket.on('end', () => {
      if (engine.behaviour.kind !== 'stall') socket.end();
    });
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (piece) => {
      read += piece.toString('latin1');
      for (let length = wholeRequest(read); length > 0; length = wholeRequest(read)) {
        requests.push(read.slice(0, length));
        read = read.slice(length);
        answer(socket, engine.behaviour);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const engine: FakeEngine = {
    port: (server.address() as AddressInfo).port,
    behaviour,
    requests,
    get connections() {
      return connections;
    },
    drop: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return engine;
}

/** Length of the request at the start of what was read; 0 when it is not whole. */
function wholeRequest(read: string): number {
  const end = read.indexOf('\r\n\r\n');
  if (end < 0) return 0;
  const length = end + 4 + Number(/^content-length: *(\d+)/im.exec(read.slice(0, end))?.[1] ?? 0);
  return read.length >= length ? length : 0;
}

function answer(socket: Socket, behaviour: EngineBehaviour): void {
  switch (behaviour.kind) {
    case 'say':
      socket.end(behaviour.text, 'latin1');
      break;
    case 'keep':
      socket.write(behaviour.text, 'latin1');
      break;
    case 'close':
      socket.destroy();
      break;
    case 'stall':
      break;
    case 'flood': {
      const more = (): void => {
        while (!socket.destroyed && socket.write(behaviour.text, 'latin1'));
        if (!socket.destroyed) socket.once('drain', more);
      };
      more();
    }
  }
}

/** An HTTP answer with a body. */
export function httpAnswer(body: string, status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

import net from 'node:net';
import { Duplex } from 'node:stream';
import { vi } from 'vitest';
import { startGateway, type Gateway, type GatewayOptions } from './harness.js';

/** One end of a connection within the process: each write on one end is one chunk on the other, never joined or cut. */
export class PairedSocket extends Duplex {
  peer: PairedSocket | undefined;
  readonly remoteAddress: string;
  readonly remotePort = 4000;
  readonly localAddress = '127.0.0.1';
  readonly localPort = 25;
  readonly remoteFamily = 'IPv4';

  constructor(remoteAddress: string) {
    super({ allowHalfOpen: false });
    this.remoteAddress = remoteAddress;
  }

  get readyState(): string {
    return this.destroyed ? 'closed' : 'open';
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  override _read(): void {
    // What the other end writes is pushed as it comes.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.peer?.push(chunk);
    setImmediate(done);
  }

  override _final(done: () => void): void {
    this.peer?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { peer } = this;
    if (peer !== undefined && !peer.destroyed) setImmediate(() => peer.destroy());
    done(error);
  }
}

export interface InProcess {
  readonly gateway: Gateway;
  /** Opens a connection that never sees a network. @returns the client's end */
  readonly open: (client?: string) => PairedSocket;
}

/** A gateway whose sessions can also be fed within the process, chunk by chunk. */
export async function startInProcess(options: GatewayOptions): Promise<InProcess> {
  const create = vi.spyOn(net, 'createServer');
  const gateway = await startGateway(options);
  const made = create.mock.results[0];
  create.mockRestore();
  if (made?.type !== 'return') throw new Error('no server was made');
  const server = made.value;
  return {
    gateway,
    open: (client = '127.0.0.1') => {
      const [near, far] = [new PairedSocket('127.0.0.1'), new PairedSocket(client)];
      near.peer = far;
      far.peer = near;
      server.emit('connection', far);
      return near;
    },
  };
}

/** Lets everything happen that is due. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

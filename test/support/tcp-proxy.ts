import { connect, createServer, type Socket } from 'node:net';

/**
 * What a network does to connections. `open`: all is well. `cut`: they break, and new ones are refused. `stalled`: nothing
 * passes; it flows on when the network is well again. `half-open`: the far end is gone, and this end hears nothing of it.
 * `deaf`: what is sent arrives, and no answer comes back. Connections that missed something break when it is well again.
 */
export type NetworkState = 'open' | 'cut' | 'stalled' | 'half-open' | 'deaf';

export interface TcpProxy {
  readonly port: number;
  state: NetworkState;
  close(): Promise<void>;
}

/** One connection through the proxy. */
interface Pair {
  readonly outside: Socket;
  inside: Socket | undefined;
  /** Something on it was lost. */
  broken: boolean;
}

/** A network on 127.0.0.1 that can be spoiled. @param target port on 127.0.0.1, or path of a unix socket */
export async function startTcpProxy(target: () => number | string): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  const network: { state: NetworkState } = { state: 'open' };

  function end(pair: Pair): void {
    pairs.delete(pair);
    pair.outside.destroy();
    pair.inside?.destroy();
  }

  /** One end has closed: the other one learns of it where the network lets it. */
  function closed(pair: Pair): void {
    if (network.state === 'open' || network.state === 'cut') end(pair);
    else pair.broken = true;
  }

  function pass(pair: Pair, from: Socket, to: () => Socket | undefined, lost: () => boolean): void {
    from.on('data', (chunk: Buffer) => {
      const there = to();
      if (lost() || there === undefined || there.destroyed) {
        pair.broken = true;
        return;
      }
      if (there.write(chunk)) return;
      from.pause();
      there.once('drain', () => network.state !== 'stalled' && from.resume());
    });
    from.on('error', () => from.destroy());
    from.on('close', () => closed(pair));
  }

  function join(pair: Pair): void {
    const to = target();
    const inside = typeof to === 'number' ? connect(to, '127.0.0.1') : connect(to);
    inside.setNoDelay(true);
    pair.inside = inside;
    pass(
      pair,
      inside,
      () => pair.outside,
      () => network.state === 'deaf' || network.state === 'half-open',
    );
    pair.outside.resume();
  }

  const server = createServer({ pauseOnConnect: true }, (outside) => {
    const pair: Pair = { outside, inside: undefined, broken: false };
    outside.setNoDelay(true);
    if (network.state === 'cut') {
      outside.destroy();
      return;
    }
    pairs.add(pair);
    pass(
      pair,
      outside,
      () => pair.inside,
      () => network.state === 'half-open',
    );
    // What begins in a stalled network waits for it.
    if (network.state === 'stalled' || network.state === 'half-open') outside.pause();
    else join(pair);
  });

  function change(state: NetworkState): void {
    network.state = state;
    for (const pair of [...pairs]) {
      if (state === 'cut' || (state === 'open' && pair.broken)) end(pair);
      else if (state === 'stalled') {
        pair.outside.pause();
        pair.inside?.pause();
      } else if (state === 'half-open') {
        pair.broken = true;
        pair.inside?.destroy();
      } else if (pair.inside === undefined) join(pair);
      else {
        pair.outside.resume();
        pair.inside.resume();
      }
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get state() {
      return network.state;
    },
    set state(state) {
      change(state);
    },
    close: async () => {
      for (const pair of [...pairs]) end(pair);
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

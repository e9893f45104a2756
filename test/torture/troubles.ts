import { setTimeout as sleep } from 'node:timers/promises';
import type { NetworkState } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { LINKS, type Fleet, type FleetNode, type Link } from './fleet.js';
import type { Random } from './random.js';

export type TroubleKind = 'kill' | 'stop' | 'still' | 'redis' | 'store' | 'network';

/** Something that was done to a part of the fleet. Times in ms since the epoch. */
export interface Trouble {
  readonly kind: TroubleKind;
  /** For people. */
  readonly what: string;
  /** The node that it was done to; absent: all. */
  readonly node?: string;
  /** The node's life at that time. */
  readonly life?: string;
  readonly link?: Link;
  readonly begin: number;
  end: number;
}

const NETWORK: readonly [NetworkState, ...NetworkState[]] = ['cut', 'stalled', 'half-open', 'deaf'];
/** A job's lock in the queue is over before that, ms. */
const BEYOND_LOCKS = { least: 18_000, most: 32_000 };

/** Does things to a fleet, one after the other, and writes down when. */
export class Troubles {
  readonly list: Trouble[] = [];
  readonly #fleet: Fleet;
  readonly #random: Random;
  /** What is just being spoiled. */
  readonly #busy = new Set<string>();

  constructor(fleet: Fleet, random: Random) {
    this.#fleet = fleet;
    this.#random = random;
  }

  /** Several hands that spoil things until the time is over; all is well again when this resolves. @param until ms since the epoch */
  async rage(hands: number, end: number): Promise<void> {
    const hand = async (): Promise<void> => {
      while (Date.now() < end) {
        await this.#one();
        await sleep(this.#random.between(200, 3000));
      }
    };
    await Promise.all(Array.from({ length: hands }, hand));
  }

  /** SIGKILL, and the next life. @param rest ms between them */
  async kill(node: FleetNode, rest: number): Promise<void> {
    await this.#during('kill', `kill -9 of a ${node.role}`, { node: node.name, life: node.life }, async () => {
      await node.end('kill');
      await sleep(rest);
    });
    await this.#startAgain(node);
  }

  /** Kills Redis, which comes back with what its append-only file has. */
  async killRedis(rest: number): Promise<void> {
    await this.#during('redis', 'kill -9 of Redis', {}, async () => {
      await this.#fleet.redis.stop();
      await sleep(rest);
      await this.#fleet.redis.start();
    });
  }

  async killStore(): Promise<void> {
    const { database, store } = this.#fleet;
    const { pid } = database;
    await this.#during('store', 'kill -9 of PostgreSQL', {}, async () => {
      process.kill(pid, 'SIGKILL');
      await until(
        'PostgreSQL',
        async () => {
          if (database.pid === pid) return false;
          return await store.ping().then(
            () => true,
            () => false,
          );
        },
        120_000,
      );
    });
  }

  /** Spoils what some nodes reach something over. @param length ms */
  async spoil(link: Link, nodes: readonly FleetNode[], state: NetworkState, length: number): Promise<void> {
    const [first, second] = nodes;
    const one = first !== undefined && second === undefined ? { node: first.name, life: first.life } : {};
    await this.#during('network', `${link} ${state}`, { ...one, link }, async () => {
      for (const { links } of nodes) links[link].state = state;
      await sleep(length);
      for (const { links } of nodes) links[link].state = 'open';
    });
  }

  async #one(): Promise<void> {
    const { nodes } = this.#fleet;
    const random = this.#random;
    const [first, ...rest] = nodes.filter(({ name }) => !this.#busy.has(name));
    const dice = random();
    if (dice < 0.1) await this.#alone('redis', async () => await this.#spoilRedis());
    else if (dice < 0.16) await this.#alone('store', async () => await this.killStore());
    else if (dice < 0.22)
      await this.#alone('network', async () => {
        await this.spoil(random.pick(LINKS), nodes, random.pick(NETWORK), this.#length());
      });
    else if (first !== undefined) {
      const node = random.pick([first, ...rest]);
      await this.#alone(node.name, async () => await this.#spoilNode(node));
    }
  }

  async #spoilNode(node: FleetNode): Promise<void> {
    const random = this.#random;
    const about = { node: node.name, life: node.life };
    const dice = random();
    if (dice < 0.35) await this.kill(node, random.between(0, 3000));
    else if (dice < 0.5) {
      await this.#during('stop', `stop of a ${node.role}`, about, async () => await node.end('stop'));
      await this.#startAgain(node);
    } else if (dice < 0.7)
      await this.#during('still', `SIGSTOP of a ${node.role}`, about, async () => {
        node.process.process.kill('SIGSTOP');
        await sleep(this.#length());
        node.process.process.kill('SIGCONT');
      });
    else await this.spoil(random.pick(LINKS), [node], random.pick(NETWORK), this.#length());
  }

  async #spoilRedis(): Promise<void> {
    const { redis } = this.#fleet;
    const random = this.#random;
    const dice = random();
    if (dice < 0.6) await this.killRedis(random.between(0, 3000));
    else if (dice < 0.8) await this.#during('redis', 'FLUSHALL', {}, async () => await redis.command('FLUSHALL'));
    else
      await this.#during('redis', 'SIGSTOP of Redis', {}, async () => {
        redis.pause();
        await sleep(this.#length());
        redis.resume();
      });
  }

  /** Most are over before anything has noticed much; some last until locks and leases are over. */
  #length(): number {
    const random = this.#random;
    return random.chance(0.15) ? random.between(BEYOND_LOCKS.least, BEYOND_LOCKS.most) : random.between(200, 5000);
  }

  /** The next life begins; now and then it is killed while it starts. */
  async #startAgain(node: FleetNode): Promise<void> {
    node.start();
    while (this.#random.chance(0.15)) {
      await sleep(this.#random.between(100, 2000));
      await this.#during('kill', `kill -9 of a ${node.role} at its start`, { node: node.name, life: node.life }, () =>
        node.end('kill'),
      );
      node.start();
    }
    await node.process.ready.catch(() => undefined);
  }

  async #alone(what: string, work: () => Promise<void>): Promise<void> {
    if (this.#busy.has(what)) return;
    this.#busy.add(what);
    try {
      await work();
    } finally {
      this.#busy.delete(what);
    }
  }

  async #during(
    kind: TroubleKind,
    what: string,
    about: Pick<Trouble, 'node' | 'life' | 'link'>,
    work: () => Promise<unknown>,
  ): Promise<void> {
    const trouble: Trouble = { kind, what, ...about, begin: Date.now(), end: Infinity };
    this.list.push(trouble);
    await work();
    trouble.end = Date.now();
  }
}

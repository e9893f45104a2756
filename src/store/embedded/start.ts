import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolConfig } from 'pg';
import type { Log } from '../../telemetry/log.js';
import { messageOf } from '../errors.js';
import { serverAccount } from './account.js';
import { chooseAddress, connectionTo, urlOf } from './address.js';
import { createCluster, hasCluster } from './cluster.js';
import { lockFolder, lockHolder, type LockRole } from './folder-lock.js';
import { homeOf, makeHome, type Home } from './home.js';
import { findRunning, startPostmaster, stopPostmaster, type Postmaster } from './postmaster.js';
import { nativePackage, readyProgram, type Program } from './program.js';
import { watchOver } from './watchdog.js';

export interface EmbeddedServer {
  readonly connection: PoolConfig;
  /** For tools such as psql; holds the password where the server listens on TCP. */
  readonly url: string;
  /** Folder with the data, the socket and the server's log. */
  readonly folder: string;
  readonly pid: number;
  /** Shuts the server down and gives the data folder free. All clients must have gone before. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  readonly dataFolder: string;
  readonly log: Log;
  readonly role?: LockRole;
  /** Gateway processes that will use it; one unless told. */
  readonly clients?: number;
  /** How long to wait for a command that has the data folder, in ms. */
  readonly patience?: number;
}

/** Pause before a server that died is started again, in ms; it doubles up to the last value. */
const RESTART = { first: 250, last: 30_000 };

/**
 * Starts the embedded PostgreSQL of a data folder, creating its data at the first time. A server that a killed gateway
 * left behind is adopted. A server that dies is started again, at the same address, until `stop()`.
 * @throws StoreError `in-use` when another gateway has the data folder, `cannot-start` with what to do
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const { dataFolder, log } = options;
  const lock = await lockFolder(dataFolder, options.role ?? 'gateway', options.patience);
  try {
    const account = await serverAccount();
    const home = await homeOf(dataFolder, account);
    await makeHome(home, dataFolder, log);
    const program = await readyProgram(nativePackage(), home.account, home.folder, log);
    if (!(await hasCluster(home))) {
      log.info({ folder: home.folder }, 'creating the embedded database');
      await createCluster(home, program);
    }
    const server = await supervise(home, program, log, options.clients ?? 1);
    return {
      connection: server.connection,
      url: server.url,
      folder: home.folder,
      get pid() {
        return server.pid;
      },
      stop: async () => {
        try {
          await server.stop();
        } finally {
          await lock.release();
        }
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * Finds the embedded server that a gateway of the same user runs, for a command to talk to.
 * @returns its connection; `stopped` when there is data but no server, `none` when there is no data
 */
export async function findEmbedded(dataFolder: string): Promise<PoolConfig | 'stopped' | 'none'> {
  if (!existsSync(dataFolder)) return 'none';
  const home = await homeOf(dataFolder, await serverAccount());
  if (!(await hasCluster(home))) return 'none';
  // A server that a command has started ends with that command: it is not for others.
  if ((await lockHolder(dataFolder)) === 'command') return 'stopped';
  const running = await findRunning(home, 5000, false);
  return running === undefined ? 'stopped' : await connectionTo(running.address, home);
}

async function supervise(
  home: Home,
  program: Program,
  log: Log,
  clients: number,
): Promise<Pick<EmbeddedServer, 'connection' | 'url' | 'pid' | 'stop'>> {
  let current: Postmaster;
  const adopted = await findRunning(home);
  if (adopted === undefined) {
    current = await startPostmaster(home, program, await chooseAddress(home), clients);
  } else {
    log.info({ pid: adopted.pid }, 'the embedded database was left running: taking it over');
    current = adopted;
  }
  let unwatch = watchOver(current.pid, home);
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;
  const { address } = current;

  async function keepRunning(): Promise<void> {
    let pause = RESTART.first;
    let since = Date.now();
    for (;;) {
      await Promise.race([current.ended, aborted(stopping.signal)]);
      if (isStopping()) return;
      unwatch();
      if (Date.now() - since > RESTART.last) pause = RESTART.first;
      log.error({ pid: current.pid, pause }, 'the embedded database has died: starting it again');
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
      pause = Math.min(pause * 2, RESTART.last);
      if (isStopping()) return;
      try {
        current = await startPostmaster(home, program, address, clients);
        unwatch = watchOver(current.pid, home);
        since = Date.now();
      } catch (error) {
        log.error({ reason: messageOf(error) }, 'the embedded database does not start');
      }
    }
  }

  const keeper = keepRunning();
  const connection = await connectionTo(address, home);
  return {
    connection,
    url: urlOf(connection),
    get pid() {
      return current.pid;
    },
    stop: async () => {
      stopping.abort();
      await keeper;
      unwatch();
      await stopPostmaster(current);
    },
  };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

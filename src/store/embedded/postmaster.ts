import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { codeOf, messageOf, StoreError } from '../errors.js';
import { WAY_OUT } from './account.js';
import { connectionTo, listenSettings, readPostmasterFile, type ServerAddress } from './address.js';
import type { Home } from './home.js';
import { openOwned, writeOwned } from './owned-file.js';
import { isAlive, programOf } from '../processes.js';
import type { Program } from './program.js';
import { spawnAs } from './run-as.js';

/** A running server. */
export interface Postmaster {
  readonly pid: number;
  readonly address: ServerAddress;
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<void>;
}

/** Small: the journal and a job queue, on a machine that is there for something else. */
const SETTINGS: Readonly<Record<string, string | number>> = {
  fsync: 'on',
  shared_buffers: '32MB',
  wal_level: 'minimal',
  max_wal_senders: 0,
  max_wal_size: '256MB',
  jit: 'off',
  autovacuum_max_workers: 2,
  // Clearing up takes its time: mail has the cores first. Nothing here is asked for that finer statistics would make faster.
  autovacuum_vacuum_cost_delay: '10ms',
  default_statistics_target: 30,
  log_min_messages: 'warning',
  log_line_prefix: '%m [%p] ',
  logging_collector: 'off',
};

/** Time for crash recovery and for a shutdown that is under way, in ms. */
const START_PATIENCE = 60_000;
const STOP_PATIENCE = 20_000;
const LOG_MAX = 2 ** 20;

/**
 * The server that runs on the home's data, if there is one that answers.
 * @param patience ms to wait for one that is just starting or stopping
 * @param mayStop stop one that still does not answer then, so that another can be started
 */
export async function findRunning(
  home: Home,
  patience = START_PATIENCE,
  mayStop = true,
): Promise<Postmaster | undefined> {
  const deadline = Date.now() + patience;
  for (;;) {
    const file = await readPostmasterFile(home.cluster);
    if (file === undefined || !(await isPostgres(file.pid))) return undefined;
    if (file.address !== undefined && (await answers(file.address, home))) {
      return { pid: file.pid, address: file.address, ended: whenGone(file.pid, 500) };
    }
    if (Date.now() > deadline) {
      if (mayStop) await stopProcess(file.pid);
      return undefined;
    }
    await sleep(20);
  }
}

/** Connections for one process, and for commands beside it. */
const CONNECTIONS = { process: 30, others: 30 };

/**
 * Starts the server and waits until it takes connections.
 * @param clients processes that will use it
 * @throws StoreError with the end of the server's log
 */
export async function startPostmaster(
  home: Home,
  program: Program,
  address: ServerAddress,
  clients = 1,
): Promise<Postmaster> {
  const deadline = Date.now() + START_PATIENCE;
  for (;;) {
    await disarmReusedPid(home);
    const started = await tryStart(home, program, address, clients, deadline);
    if ('postmaster' in started) return started.postmaster;
    // After a kill -9 of the server its last children need a moment to notice: until then the data are still in use.
    const inUse = /shared memory block|lock file "postmaster\.pid"/.test(started.log);
    if (!inUse || Date.now() > deadline - START_PATIENCE + 10_000) {
      throw new StoreError(
        'cannot-start',
        `The embedded database in ${home.folder} does not start: ${started.log.trim() || started.reason}\n${WAY_OUT}`,
      );
    }
    await sleep(200);
  }
}

/** Stops a server: `fast` (running statements are cut off, all that was committed stays), then harder. */
export async function stopPostmaster(postmaster: Postmaster): Promise<void> {
  await stopProcess(postmaster.pid);
}

async function tryStart(
  home: Home,
  program: Program,
  address: ServerAddress,
  clients: number,
  deadline: number,
): Promise<{ readonly postmaster: Postmaster } | { readonly reason: string; readonly log: string }> {
  const log = await openOwned(home.logFile, 'append', home.account);
  try {
    if ((await log.stat()).size > LOG_MAX) await log.truncate();
    const { size: logStart } = await log.stat();
    const connections = CONNECTIONS.others + CONNECTIONS.process * clients;
    const settings = Object.entries({ ...SETTINGS, max_connections: connections, ...listenSettings(address) });
    const child = spawn(
      program.postgres,
      ['-D', home.cluster, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      // Its own process group: the Ctrl-C of a terminal is for us, and the database stops last.
      { ...spawnAs(home.account), detached: true, stdio: ['ignore', log.fd, log.fd] },
    );
    let over: string | undefined;
    const ended = new Promise<void>((resolve) => {
      child.on('error', (error) => {
        over = error.message;
        resolve();
      });
      child.on('exit', (code, signal) => {
        over = `it ended with ${code ?? signal ?? 'an unknown status'}`;
        resolve();
      });
    });
    child.unref();
    const current = (): string | undefined => over;
    while (current() === undefined) {
      const file = await readPostmasterFile(home.cluster);
      if (child.pid !== undefined && file?.pid === child.pid && file.ready) {
        return { postmaster: { pid: child.pid, address, ended } };
      }
      if (Date.now() > deadline) {
        if (child.pid !== undefined) await stopProcess(child.pid);
        return { reason: `it was not ready after ${START_PATIENCE / 1000} s`, log: await logSince(home, logStart) };
      }
      await sleep(5);
    }
    return { reason: current() ?? '', log: await logSince(home, logStart) };
  } finally {
    await log.close();
  }
}

/** A `postmaster.pid` whose process ID now belongs to another program would stop the start: it is made to name a process that cannot be. */
async function disarmReusedPid(home: Home): Promise<void> {
  const file = await readPostmasterFile(home.cluster);
  if (file === undefined || !isAlive(file.pid) || (await isPostgres(file.pid))) return;
  const place = path.join(home.cluster, 'postmaster.pid');
  const text = await readFile(place, 'utf8');
  // The rest stays: by it the server sees whether children of the former one still use the data.
  await writeOwned(place, text.replace(/^\d+/, '2147483646'), home.account);
}

async function isPostgres(pid: number): Promise<boolean> {
  return isAlive(pid) && path.basename(await programOf(pid)).startsWith('postgres');
}

/** Whether the server there is the one of this home and takes connections. */
async function answers(address: ServerAddress, home: Home): Promise<boolean> {
  const client = new pg.Client({ ...(await connectionTo(address, home)), connectionTimeoutMillis: 3000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    return rows[0]?.data_directory === home.cluster;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function stopProcess(pid: number): Promise<void> {
  for (const [signal, patience] of [
    ['SIGINT', STOP_PATIENCE],
    ['SIGQUIT', 5000],
    ['SIGKILL', 5000],
  ] as const) {
    if (!(await isPostgres(pid))) return;
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (codeOf(error) === 'ESRCH') return;
      throw new StoreError(
        'cannot-start',
        `The database server (process ${pid}) cannot be stopped: ${messageOf(error)}`,
        { cause: error },
      );
    }
    const deadline = Date.now() + patience;
    while (Date.now() < deadline) {
      await sleep(10);
      if (!(await isPostgres(pid))) return;
    }
  }
}

/** Looks again and again, for a process that is not our child. @param interval ms */
async function whenGone(pid: number, interval: number): Promise<void> {
  while (await isPostgres(pid)) await sleep(interval, undefined, { ref: false });
}

async function logSince(home: Home, offset: number): Promise<string> {
  return (await readFile(home.logFile)).subarray(offset).toString('utf8').slice(-2000);
}

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.js';

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** Ends the server; its URL leads nowhere until `start`. */
  stop(): Promise<void>;
  /** Starts it again on the same port, without data: nothing is ever saved. */
  start(): Promise<void>;
  wipeRestart(): Promise<void>;
  /** It keeps its connections and answers no more, until `resume`. */
  pause(): void;
  resume(): void;
  /** Sends a command without arguments, such as FLUSHALL. */
  command(name: string): Promise<void>;
  /** Ends the server for good and removes its folder. */
  dispose(): Promise<void>;
}

/** Redis, or another server that speaks as it does, such as `valkey-server`. */
export const REDIS_SERVER = process.env['GATEPOST_REDIS_SERVER'] ?? 'redis-server';

/** For `describe.skipIf`: there is no such server on this machine. */
export const redisMissing = spawnSync(REDIS_SERVER, ['--version']).status !== 0;

/** A Redis of the test's own, on a free port. @param settings further lines of the configuration, such as `--maxmemory-policy allkeys-lru` */
export async function startRedis(settings: readonly string[] = []): Promise<TestRedis> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatepost-redis-'));
  const port = await freePort();
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    if (child !== undefined) return;
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
    child = spawn(REDIS_SERVER, [...args, ...settings], { stdio: 'ignore' });
    const started = child;
    for (let i = 0; i < 500; i++) {
      if (await takesConnections(port)) return;
      if (started.exitCode !== null) throw new Error(`redis-server ended with ${started.exitCode}`);
      await sleep(10);
    }
    throw new Error('redis-server does not take connections');
  }

  async function stop(): Promise<void> {
    const running = child;
    child = undefined;
    if (running?.exitCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await gone;
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    start,
    stop,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    command: async (name) => {
      await new Promise<void>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(`${name}\r\n`));
        socket.on('error', reject);
        socket.once('data', () => {
          socket.destroy();
          resolve();
        });
      });
    },
    wipeRestart: async () => {
      await stop();
      await start();
    },
    dispose: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function takesConnections(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './free-port.js';
import { REDIS_SERVER, takesConnections } from './redis.js';
import { until } from './until.js';

export interface RedisServer {
  readonly port: number;
  /** kill -9, for good. */
  kill(): Promise<void>;
  /** Ends it and removes its folder. */
  dispose(): Promise<void>;
}

/** A server by a configuration file of its own. @param mode such as `--sentinel` */
export async function startRedisServer(lines: readonly string[], mode: readonly string[] = []): Promise<RedisServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatepost-redis-'));
  const port = await freePort();
  const file = path.join(folder, 'redis.conf');
  const common = [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, 'protected-mode no'];
  await writeFile(file, [...common, ...(mode.length > 0 ? [] : ['save ""']), ...lines, ''].join('\n'));
  const child = spawn(REDIS_SERVER, [file, ...mode], { stdio: 'ignore' });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  await until('redis-server', async () => await takesConnections(port));
  return {
    port,
    kill,
    dispose: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

import { spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from './until.js';
import { freePort } from './free-port.js';

export interface TestClamd {
  readonly tcp: string;
  readonly unix: string;
  /** Ends it and removes its folder. */
  dispose(): Promise<void>;
}

const environment = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };

/** For `describe.skipIf`: there is no clamd on this machine (Debian: clamav-daemon). */
export const clamdMissing = spawnSync('clamd', ['--version'], { env: environment }).error !== undefined;

/**
 * A real clamd with signatures of the test's own, in a temporary folder.
 * @param signatures lines of an .ndb file, such as `Test.Marker:0:*:` and hexadecimal digits
 * @param settings further lines of clamd.conf
 */
export async function startClamd(signatures: readonly string[], settings: readonly string[] = []): Promise<TestClamd> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatepost-real-clamd-'));
  const port = await freePort();
  const socket = path.join(folder, 'clamd.ctl');
  await mkdir(path.join(folder, 'db'));
  await writeFile(path.join(folder, 'db', 'own.ndb'), signatures.map((line) => `${line}\n`).join(''));
  const lines = [
    'Foreground yes',
    `DatabaseDirectory ${path.join(folder, 'db')}`,
    `TemporaryDirectory ${folder}`,
    `LocalSocket ${socket}`,
    'TCPAddr 127.0.0.1',
    `TCPSocket ${port}`,
    // As root it would become another account, which may not read the folder.
    ...(process.getuid?.() === 0 ? ['User root'] : []),
    ...settings,
  ];
  await writeFile(path.join(folder, 'clamd.conf'), lines.map((line) => `${line}\n`).join(''));
  const child = spawn('clamd', ['--config-file', path.join(folder, 'clamd.conf')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await until('clamd', async () => {
    if (child.exitCode !== null) throw new Error(`clamd ended with ${child.exitCode}: ${output}`);
    return (await takesConnections({ port, host: '127.0.0.1' })) && (await takesConnections({ path: socket }));
  });
  return {
    tcp: `tcp://127.0.0.1:${port}`,
    unix: `unix://${socket}`,
    dispose: async () => {
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function takesConnections(to: { port: number; host: string } | { path: string }): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(to, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

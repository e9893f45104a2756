import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import type { Account } from './account.js';

/** What PostgreSQL's programs get of our environment: no secrets, no settings of a PostgreSQL client. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH, TMPDIR, TZ } = process.env;
  return {
    LC_ALL: 'C',
    ...(PATH === undefined ? {} : { PATH }),
    ...(TMPDIR === undefined ? {} : { TMPDIR }),
    ...(TZ === undefined ? {} : { TZ }),
  };
}

/** Options that start a program as the server's account. Its working folder is one that every account can enter. */
export function spawnAs(account: Account | undefined): SpawnOptions {
  return {
    cwd: '/',
    env: serverEnvironment(),
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
  };
}

/** Runs a program to its end. @returns exit code (127 when it could not be started) and the last of what it printed */
export async function runAs(
  account: Account | undefined,
  program: string,
  args: readonly string[],
): Promise<{ readonly code: number; readonly output: string }> {
  return await new Promise((resolve) => {
    const child: ChildProcess = spawn(program, args, { ...spawnAs(account), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-4000);
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

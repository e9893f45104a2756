import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Home } from './home.js';
import { spawnAs } from './run-as.js';

/** `$1` is the server's process ID, `$2` its data directory. The check guards against a process ID given away anew. */
const SCRIPT = `read -r order
[ "$order" = end ] && exit 0
[ "$(head -n 1 "$2/postmaster.pid" 2>/dev/null)" = "$1" ] && kill -INT "$1"`;

/**
 * Lets the server end with us, also after a kill -9: a shell waits for the end of a pipe that only we hold open, and
 * then asks the server to shut down.
 * @returns a function that ends the watch without touching the server
 */
export function watchOver(pid: number, home: Home): () => void {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'gatepost-watchdog', String(pid), home.cluster], {
    ...spawnAs(home.account),
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a shell there is no watch: the next start finds the server and adopts it.
  child.on('error', () => undefined);
  const pipe = child.stdin;
  pipe.on('error', () => undefined);
  child.unref();
  // The pipe must not keep our process alive.
  if (pipe instanceof Socket) pipe.unref();
  return () => pipe.end('end\n');
}

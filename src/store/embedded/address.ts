import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import type { PoolConfig } from 'pg';
import { codeOf } from '../errors.js';
import { DATABASE_USER } from './cluster.js';
import type { Home } from './home.js';

/** Where a server listens. */
export type ServerAddress =
  { readonly kind: 'socket'; readonly folder: string } | { readonly kind: 'tcp'; readonly port: number };

/** `sun_path` without its final NUL: Linux has 108 bytes, others 104. */
const SOCKET_PATH_MAX = process.platform === 'linux' ? 107 : 103;
const SOCKET_PORT = 5432;

/** A unix socket in the home, or a free loopback port when the socket's path would be too long. */
export async function chooseAddress(home: Home): Promise<ServerAddress> {
  const socket = path.join(home.folder, `.s.PGSQL.${SOCKET_PORT}`);
  return Buffer.byteLength(socket) <= SOCKET_PATH_MAX
    ? { kind: 'socket', folder: home.folder }
    : { kind: 'tcp', port: await freePort() };
}

/** Command line settings that make the server listen there and nowhere else. */
export function listenSettings(address: ServerAddress): Readonly<Record<string, string | number>> {
  return address.kind === 'socket'
    ? {
        port: SOCKET_PORT,
        listen_addresses: '',
        unix_socket_directories: address.folder,
        unix_socket_permissions: '0700',
      }
    : { port: address.port, listen_addresses: '127.0.0.1', unix_socket_directories: '' };
}

/**
 * ms until a connection without work is closed. All that looks for work every ten seconds does so at once, and has need of
 * more than one: the server would start as many processes each time, on the cores that mail has need of.
 */
const IDLE = 120_000;

/** How a client of this process connects. */
export async function connectionTo(address: ServerAddress, home: Home): Promise<PoolConfig> {
  const common = { user: DATABASE_USER, database: 'postgres', idleTimeoutMillis: IDLE };
  if (address.kind === 'socket') return { ...common, host: address.folder, port: SOCKET_PORT };
  const password = (await readFile(home.passwordFile, 'utf8')).trim();
  return { ...common, host: '127.0.0.1', port: address.port, password };
}

/** The URL form of a connection, for tools; it may hold the password. */
export function urlOf(connection: PoolConfig): string {
  const { host = '', port = SOCKET_PORT, password } = connection;
  if (host.startsWith('/'))
    return `postgresql://${DATABASE_USER}@localhost:${port}/postgres?host=${encodeURIComponent(host)}`;
  const secret = typeof password === 'string' ? `:${encodeURIComponent(password)}` : '';
  return `postgresql://${DATABASE_USER}${secret}@${host}:${port}/postgres`;
}

/** What the file `postmaster.pid` says of the server that wrote it. */
export interface PostmasterFile {
  readonly pid: number;
  readonly address?: ServerAddress;
  readonly ready: boolean;
}

/** Reads `postmaster.pid`; undefined when there is none. Its lines: PID, data directory, start, port, socket folder, address, shared memory, state. */
export async function readPostmasterFile(cluster: string): Promise<PostmasterFile | undefined> {
  let lines: string[];
  try {
    lines = (await readFile(path.join(cluster, 'postmaster.pid'), 'utf8')).split('\n').map((line) => line.trim());
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const socketFolder = lines[4] ?? '';
  const address: ServerAddress | undefined =
    socketFolder !== '' ? { kind: 'socket', folder: socketFolder } : port > 0 ? { kind: 'tcp', port } : undefined;
  return { pid, ready: lines[7] === 'ready', ...(address === undefined ? {} : { address }) };
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : randomInt(20_000, 60_000);
      probe.close(() => resolve(port));
    });
  });
}

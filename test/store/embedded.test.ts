import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import pg, { type PoolConfig } from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { serverAccount } from '../../src/store/embedded/account.js';
import { homeOf } from '../../src/store/embedded/home.js';
import { isAlive } from '../../src/store/processes.js';
import { nativePackage, readyProgram } from '../../src/store/embedded/program.js';
import { findEmbedded, startEmbedded, type EmbeddedServer } from '../../src/store/embedded/start.js';
import { silentLog } from '../../src/telemetry/log.js';
import { compiledSources, copyNativePackage } from '../support/compile.js';
import { layDatabase } from '../support/database.js';
import { until } from '../support/until.js';

const isRoot = process.getuid?.() === 0;
const log = silentLog();

let dataFolder = '';
let folders: string[] = [];
let children: ChildProcess[] = [];

beforeEach(async () => {
  dataFolder = await temporaryFolder();
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  await until('no server left', async () => (await serversOn(folders)).length === 0);
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
  folders = [];
});

async function temporaryFolder(mode = 0o755): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatepost-embedded-'));
  await chmod(folder, mode);
  folders.push(folder);
  return folder;
}

/** Process IDs by what their command line holds. */
async function processesWith(test: (command: string) => boolean): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (test(command)) found.push(Number(name));
  }
  return found;
}

/** Servers whose data lie in one of the folders. */
async function serversOn(places: readonly string[]): Promise<number[]> {
  return await processesWith(
    (command) => command.includes('postgres\0-D') && places.some((place) => command.includes(place)),
  );
}

async function start(folder = dataFolder): Promise<EmbeddedServer> {
  const server = await startEmbedded({ dataFolder: folder, log });
  if (!server.folder.startsWith(folder)) folders.push(server.folder);
  return server;
}

/** Starts one whose data are there: a tenth of the work. */
async function startLaid(folder = dataFolder): Promise<EmbeddedServer> {
  await layDatabase(folder);
  return await start(folder);
}

async function ask(connection: PoolConfig, sql: string): Promise<unknown> {
  const client = new pg.Client(connection);
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>({ text: sql });
    return Object.values(rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

describe('the embedded server', () => {
  it('creates its data once, and starts again on them', async () => {
    const first = await start();
    expect(await ask(first.connection, 'CREATE TABLE kept AS SELECT 42 AS answer')).toBeUndefined();
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    const made = await stat(path.join(first.folder, 'cluster'));
    const second = await start();
    expect((await stat(path.join(second.folder, 'cluster'))).ino).toBe(made.ino);
    expect(await ask(second.connection, 'SELECT answer FROM kept')).toBe(42);
    await second.stop();
  });

  it('writes durably, in UTF-8, and takes no connections over the network', async () => {
    const server = await startLaid();
    expect(await ask(server.connection, 'SHOW fsync')).toBe('on');
    expect(await ask(server.connection, 'SHOW server_encoding')).toBe('UTF8');
    expect(await ask(server.connection, 'SHOW listen_addresses')).toBe('');
    expect((await stat(server.folder)).mode & 0o077).toBe(0);
    await server.stop();
  });

  it('listens on loopback with a password when the path of its socket is too long', async () => {
    const deep = path.join(dataFolder, 'd'.repeat(90));
    await mkdir(deep);
    const server = await startLaid(deep);
    expect(server.connection.host).toBe('127.0.0.1');
    expect(await ask(server.connection, 'SELECT 1')).toBe(1);
    await expect(ask({ ...server.connection, password: 'wrong' }, 'SELECT 1')).rejects.toThrow('password');
    expect(await ask({ connectionString: server.url }, 'SELECT 1')).toBe(1);
    expect(await findEmbedded(deep)).toEqual(server.connection);
    await server.stop();
  });

  it('leaves nothing half when its creation was interrupted', async () => {
    const account = await serverAccount();
    const home = await homeOf(dataFolder, account);
    const half = path.join(home.folder, 'cluster.tmp-interrupted');
    await mkdir(half, { recursive: true });
    await writeFile(path.join(half, 'PG_VERSION'), '18\n');
    const server = await start();
    expect(existsSync(half)).toBe(false);
    expect(await ask(server.connection, 'SELECT 1')).toBe(1);
    await server.stop();
  });

  it('refuses data of another version of PostgreSQL', async () => {
    const server = await startLaid();
    await server.stop();
    await writeFile(path.join(server.folder, 'cluster', 'PG_VERSION'), '17\n');
    await expect(start()).rejects.toThrow('PostgreSQL 17');
    expect(existsSync(path.join(dataFolder, 'gateway.lock'))).toBe(false);
  });

  it('is started again when it dies, at the same address', async () => {
    const server = await startLaid();
    const { pid } = server;
    await ask(server.connection, 'CREATE TABLE kept AS SELECT 1 AS one');
    process.kill(pid, 'SIGKILL');
    await until('an answer', async () => await ask(server.connection, 'SELECT one FROM kept').catch(() => undefined));
    expect(server.pid).not.toBe(pid);
    await server.stop();
  });

  it('copes with a postmaster.pid whose process ID now belongs to another program', async () => {
    const server = await startLaid();
    const file = path.join(server.folder, 'cluster', 'postmaster.pid');
    const text = await readFile(file, 'utf8');
    await server.stop();
    // Of the same user as the server, or PostgreSQL itself sees that it is stale.
    const owner = await stat(path.join(server.folder, 'cluster'));
    const other = spawn('sleep', ['60'], isRoot ? { uid: owner.uid, gid: owner.gid } : {});
    children.push(other);
    await writeFile(file, text.replace(/^\d+/, String(other.pid)));
    await chown(file, owner.uid, owner.gid);
    const again = await start();
    expect(await ask(again.connection, 'SELECT 1')).toBe(1);
    expect(other.exitCode).toBeNull();
    await again.stop();
  });

  it('refuses a second gateway on the same folder, and says which one has it', async () => {
    const server = await startLaid();
    await expect(start()).rejects.toThrow(`process ${process.pid}`);
    await server.stop();
    const again = await start();
    await again.stop();
  });

  it('makes the links to its libraries when the install script has not run', async () => {
    const native = nativePackage();
    const copy = path.join(dataFolder, 'package', 'native');
    await mkdir(path.dirname(copy));
    await copyNativePackage(native.folder, copy);
    expect(existsSync(path.join(copy, 'lib', 'libpq.so.5'))).toBe(false);
    const program = await readyProgram({ ...native, folder: copy }, undefined, dataFolder, log);
    expect(path.dirname(path.dirname(program.postgres))).toBe(copy);
    expect(existsSync(path.join(copy, 'lib', 'libpq.so.5'))).toBe(true);
    expect(spawnSync(program.postgres, ['--version']).status).toBe(0);
  });
});

/** A gateway in a process of its own: prints a line when its server runs, and its error otherwise. */
const GATEWAY = `
  const [folder, dataFolder, role] = process.argv.slice(1);
  const { startEmbedded } = await import(folder + '/src/store/embedded/start.js');
  const { silentLog } = await import(folder + '/src/telemetry/log.js');
  try {
    const server = await startEmbedded({ dataFolder, role, log: silentLog() });
    console.log(JSON.stringify({ pid: server.pid, folder: server.folder }));
    process.on('SIGTERM', () => server.stop().then(() => process.exit(0)));
    setInterval(() => {}, 1000);
  } catch (error) {
    console.log(JSON.stringify({ error: error.message }));
    process.exit(1);
  }`;

interface Gateway {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly folder: string;
  readonly error?: string;
}

describe('processes', () => {
  let sources: string;
  beforeAll(async () => {
    sources = await compiledSources(true);
  });

  async function gateway(folder = dataFolder, as?: number, role = 'gateway'): Promise<Gateway> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', GATEWAY, sources, folder, role], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: '/',
      ...(as === undefined ? {} : { uid: as, gid: as }),
    });
    children.push(child);
    const line = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).once('line', resolve);
      child.once('exit', () => setTimeout(() => reject(new Error('it ended without a word')), 200));
    });
    const said = JSON.parse(line) as Omit<Gateway, 'child'>;
    if (said.error === undefined && !said.folder.startsWith(folder)) folders.push(said.folder);
    return { child, ...said };
  }

  it('ends the server when the gateway is killed with -9, and starts it anew the next time', async () => {
    await layDatabase(dataFolder);
    const first = await gateway();
    first.child.kill('SIGKILL');
    await until('the end of the server', () => Promise.resolve(!isAlive(first.pid)));
    const second = await start();
    expect(await ask(second.connection, 'SELECT 1')).toBe(1);
    await second.stop();
  });

  it('starts at once while the server of a killed gateway is still shutting down', async () => {
    await layDatabase(dataFolder);
    const first = await gateway();
    first.child.kill('SIGKILL');
    const second = await start();
    expect(await ask(second.connection, 'SELECT 1')).toBe(1);
    await second.stop();
    expect(await serversOn([dataFolder])).toEqual([]);
  });

  it('adopts a server that was left running', async () => {
    await layDatabase(dataFolder);
    const first = await gateway();
    // Without its watchdog, as where there is no shell or both were killed.
    const watchdogs = await processesWith((command) => command.includes(`gatepost-watchdog\0${first.pid}\0`));
    expect(watchdogs).toHaveLength(1);
    for (const pid of watchdogs) process.kill(pid, 'SIGKILL');
    first.child.kill('SIGKILL');
    await until('the end of the gateway', () => Promise.resolve(first.child.signalCode !== null));
    expect(isAlive(first.pid)).toBe(true);
    const second = await start();
    expect(second.pid).toBe(first.pid);
    expect(await ask(second.connection, 'SELECT 1')).toBe(1);
    await second.stop();
    expect(isAlive(first.pid)).toBe(false);
  });

  it('lets one of two gateways that start at once have the folder', async () => {
    const both = await Promise.all([gateway(), gateway()]);
    expect(both.filter(({ error }) => error === undefined)).toHaveLength(1);
    expect(both.find(({ error }) => error !== undefined)?.error).toContain('Another gateway');
  });

  it('takes over a lock whose process ID was given away anew', async () => {
    await layDatabase(dataFolder);
    const first = await gateway();
    first.child.kill('SIGKILL');
    await until('the end of the gateway', () => Promise.resolve(first.child.signalCode !== null));
    const lock = path.join(dataFolder, 'gateway.lock');
    const text = await readFile(lock, 'utf8');
    await writeFile(lock, text.replace(/"pid":\d+/, `"pid":${process.pid}`));
    const second = await start();
    await second.stop();
    await writeFile(lock, text.slice(0, 20));
    const third = await start();
    await third.stop();
  });

  it.skipIf(!isRoot)('runs the server of a gateway that runs as an ordinary user as that user', async () => {
    const uid = 65_534;
    await chown(dataFolder, uid, uid);
    const server = await gateway(dataFolder, uid);
    expect(server.error).toBeUndefined();
    expect((await stat(`/proc/${server.pid}`)).uid).toBe(uid);
    expect(server.folder).toBe(path.join(dataFolder, 'postgres'));
    // Root finds it too, as a command would.
    const found = await findEmbedded(dataFolder);
    expect(typeof found).toBe('object');
    server.child.kill('SIGTERM');
    await until('its end', () => Promise.resolve(server.child.exitCode !== null));
    expect(isAlive(server.pid)).toBe(false);
    expect(existsSync(path.join(dataFolder, 'gateway.lock'))).toBe(false);
  });

  it.skipIf(!isRoot)('tells an ordinary user that the data belong to somebody else', async () => {
    const server = await startLaid();
    const other = await gateway(dataFolder, 65_534);
    expect(other.error).toContain('belongs to another user');
    await server.stop();
  });
});

describe.skipIf(!isRoot)('as root', () => {
  it('runs the server as another account', async () => {
    const server = await startLaid();
    expect((await stat(`/proc/${server.pid}`)).uid).toBe((await serverAccount())?.uid);
    await server.stop();
  });

  it('keeps the data under /var/lib/gatepost when the data folder is out of reach, and finds them again', async () => {
    const closed = await temporaryFolder(0o700);
    const inside = path.join(closed, 'data');
    const server = await start(inside);
    expect(server.folder).toMatch(/^\/var\/lib\/gatepost\/data-[0-9a-f]{16}$/);
    await ask(server.connection, 'CREATE TABLE kept AS SELECT 7 AS seven');
    expect(await findEmbedded(inside)).toEqual(server.connection);
    await server.stop();
    const again = await start(inside);
    expect(await ask(again.connection, 'SELECT seven FROM kept')).toBe(7);
    await again.stop();
    await chmod(closed, 0o755);
    const reachable = await start(inside);
    expect(await ask(reachable.connection, 'SELECT seven FROM kept')).toBe(7);
    await reachable.stop();
  });

  it('sweeps away what a temporary folder that is gone has left there', async () => {
    const gone = await temporaryFolder(0o700);
    const left = await startLaid(gone);
    await left.stop();
    await rm(gone, { recursive: true });
    const server = await startLaid(await temporaryFolder(0o700));
    expect(existsSync(left.folder)).toBe(false);
    await server.stop();
  });

  it('copies the binaries when the account cannot reach them, as in a checkout under /root', async () => {
    const closed = await temporaryFolder(0o700);
    const account = await serverAccount();
    const version = `0.0.${process.pid}-test`;
    await symlink(nativePackage().folder, path.join(closed, 'link'));
    const native = path.join(closed, 'native');
    await copyNativePackage(nativePackage().folder, native);
    const program = await readyProgram({ folder: native, version }, account, dataFolder, log);
    folders.push(path.dirname(path.dirname(program.postgres)));
    expect(program.postgres).toContain(`/var/lib/gatepost/postgresql-${version}`);
    const run = spawnSync(program.postgres, ['--version'], { cwd: '/', uid: account?.uid, gid: account?.gid });
    expect(run.status).toBe(0);
    const before = await stat(program.postgres);
    const again = await readyProgram({ folder: native, version }, account, dataFolder, log);
    expect((await stat(again.postgres)).ino).toBe(before.ino);
  });
});

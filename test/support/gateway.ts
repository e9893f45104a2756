import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { runInTurn, type CommandResult } from './commands.js';
import { layDatabaseOf } from './database.js';

/** Another build of the program may be named, such as an unpacked package. */
const PROGRAM = process.env['GATEPOST_PROGRAM'] ?? path.join(import.meta.dirname, '..', '..', 'bin', 'gatepost.js');

const ready = z.object({ msg: z.literal('ready'), listen: z.array(z.object({ host: z.string(), port: z.number() })) });

/** A folder with a configuration, as an admin would have one. */
export interface Site {
  readonly folder: string;
  readonly config: string;
  /** Raw files of the Maildir `inbox`, oldest first. */
  inbox(): Promise<Buffer[]>;
  remove(): Promise<void>;
}

/** Makes a site in a temporary folder. @param files further files by path, such as `rules/10-a.yaml` */
export async function makeSite(config: string, files: Readonly<Record<string, string>> = {}): Promise<Site> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-site-'));
  // One thread is enough for a test, and a core less to start.
  const scan = /^scan:/m.test(config) ? '' : '\nscan: { threads: 1 }\n';
  const all = { 'gatepost.yaml': config + scan, ...files };
  for (const [name, text] of Object.entries(all)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return {
    folder,
    config: path.join(folder, 'gatepost.yaml'),
    async inbox() {
      const place = path.join(folder, 'inbox', 'new');
      const names = await readdir(place).catch(() => []);
      return await Promise.all(names.sort().map(async (name) => await readFile(path.join(place, name))));
    },
    remove: async () => await rm(folder, { recursive: true, force: true }),
  };
}

export interface RunningGateway {
  readonly port: number;
  readonly process: ChildProcess;
  /** Everything that it has logged. */
  readonly log: readonly string[];
  /** Ends it in the ordinary way. */
  stop(): Promise<number | null>;
  /** kill -9. */
  kill(): Promise<void>;
}

/** A gateway that may still be starting. */
export interface SpawnedGateway extends Omit<RunningGateway, 'port'> {
  /** The port that it listens on; rejects when it ends before. */
  readonly ready: Promise<number>;
}

/** Starts `gatepost start` as a user would, without waiting. */
export function spawnGateway(
  site: Pick<Site, 'config'>,
  environment: NodeJS.ProcessEnv = {},
  options: readonly string[] = [],
): SpawnedGateway {
  const child = spawn(process.execPath, [PROGRAM, 'start', '--json', '--config', site.config, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  const log: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => log.push(chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const port = new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      log.push(line);
      const parsed = ready.safeParse(tryJson(line));
      if (parsed.success) resolve(parsed.data.listen[0]?.port ?? 0);
    });
    void ended.then((code) => reject(new Error(`the gateway ended with ${code}:\n${log.join('\n')}`)));
  });
  return {
    ready: port,
    process: child,
    log,
    stop: async () => {
      child.kill('SIGTERM');
      return await ended;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Starts `gatepost start` as a user would, on a database that is there, and waits until it listens. */
export async function startGatewayProcess(
  site: Pick<Site, 'config'>,
  environment: NodeJS.ProcessEnv = {},
  options: readonly string[] = [],
): Promise<RunningGateway> {
  await layDatabaseOf(site.config);
  const gateway = spawnGateway(site, environment, options);
  return { ...gateway, port: await gateway.ready };
}

/** Commands that run a gateway: each has a process of its own. */
const GATEWAYS = ['start', 'demo'];

/** Runs a command of the program to its end. */
export async function runGatepost(args: readonly string[], cwd?: string): Promise<CommandResult> {
  if (process.env['GATEPOST_PROGRAM'] === undefined && !GATEWAYS.includes(args[0] ?? ''))
    return await runInTurn(args, cwd ?? process.cwd());
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (texts.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (texts.stderr += chunk.toString()));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, ...texts };
}

/** Runs a command whose output nobody reads: the pipe is closed before it says anything. */
export async function runUnread(args: readonly string[]): Promise<Omit<CommandResult, 'stdout'>> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, stderr };
}

function tryJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

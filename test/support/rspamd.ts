import { spawn, spawnSync } from 'node:child_process';
import { get } from 'node:http';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './free-port.js';
import { until } from './until.js';

export interface TestRspamd {
  readonly url: string;
  /** Ends it and removes its folder. */
  dispose(): Promise<void>;
}

/** For `describe.skipIf`: there is no rspamd on this machine (Debian: rspamd). */
export const rspamdMissing = spawnSync('rspamd', ['--version']).error !== undefined;

/**
 * A real rspamd in a temporary folder that asks nobody: one scanning process, no modules, no maps, a DNS that is not
 * there, and rules of the test's own beside the ones that are built in, such as that for GTUBE.
 * @param lua rules in Lua
 */
export async function startRspamd(lua: string): Promise<TestRspamd> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatepost-rspamd-'));
  await chmod(folder, 0o777);
  const port = await freePort();
  await writeFile(path.join(folder, 'own.lua'), lua);
  // Compiling the full list takes it ten seconds.
  await writeFile(path.join(folder, 'tld.txt'), 'com\norg\nexample\n');
  await writeFile(
    path.join(folder, 'rspamd.conf'),
    `lua = "${folder}/own.lua";
options {
  pidfile = "${folder}/rspamd.pid";
  tempdir = "${folder}";
  filters = "";
  url_tld = "${folder}/tld.txt";
  dns { nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; }
  control_socket = "${folder}/control.sock mode=0600";
  hs_cache_dir = "${folder}";
}
logging { type = "console"; level = "error"; }
actions { reject = 15; add_header = 6; }
worker "normal" { bind_socket = "127.0.0.1:${port}"; count = 1; }
`,
  );
  const root = process.getuid?.() === 0 ? ['-u', '_rspamd', '-g', '_rspamd'] : [];
  const child = spawn('rspamd', ['-f', ...root, '-c', path.join(folder, 'rspamd.conf'), ...directories(folder)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  await until('rspamd', async () => {
    if (child.exitCode !== null) throw new Error(`rspamd ended with ${child.exitCode}: ${output}`);
    return await answers(`${url}/ping`);
  });
  return {
    url,
    dispose: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(timer);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function directories(folder: string): string[] {
  return ['DBDIR', 'RUNDIR', 'LOGDIR'].flatMap((name) => ['--var', `${name}=${folder}`]);
}

async function answers(url: string): Promise<boolean> {
  return await new Promise((resolve) => {
    get(url, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on('error', () => resolve(false));
  });
}

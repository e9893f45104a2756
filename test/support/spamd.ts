import { spawn, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GTUBE } from '../../src/detectors/antispam/embedded/gtube.js';
import { freePort } from './free-port.js';
import { until } from './until.js';

export interface TestSpamd {
  readonly tcp: string;
  readonly unix: string;
  /** Ends it and removes its folder. */
  dispose(): Promise<void>;
}

const environment = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };

/** For `describe.skipIf`: there is no spamd on this machine (Debian: spamassassin). */
export const spamdMissing = spawnSync('spamd', ['--version'], { env: environment }).error !== undefined;

/**
 * A real spamd in a temporary folder that asks nobody: local tests alone, one child, and rules of the test's own beside
 * the one for GTUBE.
 * @param rules lines of a .cf file
 */
export async function startSpamd(rules: readonly string[]): Promise<TestSpamd> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatepost-spamd-'));
  // As root it reads its rules as another account.
  await chmod(folder, 0o755);
  const [rulesFolder, site] = [path.join(folder, 'rules'), path.join(folder, 'site')];
  await mkdir(rulesFolder);
  await mkdir(site);
  const lines = ['required_score 5', 'use_bayes 0', 'dns_available no', 'skip_rbl_checks 1', ...GTUBE_RULE, ...rules];
  await writeFile(path.join(rulesFolder, 'own.cf'), lines.map((line) => `${line}\n`).join(''));
  await writeFile(path.join(site, 'local.cf'), '');
  await writeFile(path.join(site, 'init.pre'), 'loadplugin Mail::SpamAssassin::Plugin::Check\n');
  const port = await freePort();
  const socket = path.join(folder, 'spamd.sock');
  const child = spawn(
    'spamd',
    [
      '--local',
      '--nouser-config',
      '--max-children=2',
      '--min-children=1',
      `--configpath=${rulesFolder}`,
      `--siteconfigpath=${site}`,
      `--helper-home-dir=${folder}`,
      `--listen=127.0.0.1:${port}`,
      `--listen=${socket}`,
      '--syslog=stderr',
      `--pidfile=${path.join(folder, 'spamd.pid')}`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: environment },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await until('spamd', async () => {
    if (child.exitCode !== null) throw new Error(`spamd ended with ${child.exitCode}: ${output}`);
    return await ping(port);
  });
  return {
    tcp: `tcp://127.0.0.1:${port}`,
    unix: `unix://${socket}`,
    dispose: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(timer);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The rule that SpamAssassin ships for its test string. */
const GTUBE_RULE = [`body GTUBE /${GTUBE.replaceAll(/[*.]/g, '\\$&')}/`, 'score GTUBE 1000'];

async function ping(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end('PING SPAMC/1.5\r\n\r\n'));
    let text = '';
    socket.on('data', (piece) => (text += piece.toString('latin1')));
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(text.includes('PONG')));
  });
}

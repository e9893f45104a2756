import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROGRAM_FOLDER } from '../../src/config/load.js';
import { layDatabaseOf } from '../support/database.js';
import { freePort } from '../support/free-port.js';
import { makeSite, runGatepost, type Site } from '../support/gateway.js';
import { makeMail } from '../support/mail.js';

const FULL = '/dev/full';

const running = new Set<ChildProcess>();

/** Runs the program with a standard output that takes nothing. */
async function spawnOnFull(args: readonly string[]): Promise<{
  readonly child: ChildProcess;
  readonly said: string[];
  readonly ended: Promise<number | null>;
}> {
  const full = await open(FULL, 'w');
  const child = spawn(process.execPath, [path.join(PROGRAM_FOLDER, 'bin', 'gatepost.js'), ...args], {
    stdio: ['ignore', full.fd, 'pipe'],
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  const said: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  await full.close();
  return { child, said, ended };
}

async function greeting(port: number): Promise<string> {
  return await new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('data', (chunk: Buffer) => {
      resolve(chunk.toString());
      socket.destroy();
    });
    socket.once('error', () => resolve(''));
  });
}

describe.skipIf(!existsSync(FULL))('a full disk behind standard output', () => {
  let site: Site;
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    site = await makeSite(`smtp: { listen: ["127.0.0.1:${port}"] }\n`);
    await layDatabaseOf(site.config);
  });

  afterAll(async () => {
    for (const child of running) child.kill('SIGKILL');
    await site.remove();
  });

  it('does not keep a gateway from its work', async () => {
    const { child, said, ended } = await spawnOnFull(['start', '--config', site.config]);
    await expect.poll(async () => await greeting(port)).toMatch(/^220 /);
    // It greets a moment before it can be asked.
    await expect.poll(async () => (await runGatepost(['status', '--config', site.config])).status).toBe(0);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(said.join('')).toMatch(/^The log cannot be written \(ENOSPC.*\n$/);
  });

  it('ends a command with one line that says so', async () => {
    const mail = path.join(site.folder, 'mail.eml');
    await writeFile(mail, makeMail('x'));
    const config = ['--config', site.config];
    const { said, ended } = await spawnOnFull([
      'explain',
      mail,
      '--sender',
      'a@b.example',
      '--recipient',
      'c@example.org',
      ...config,
    ]);
    expect(await ended).toBe(1);
    expect(said.join('')).toMatch(/^error: cannot print: ENOSPC[^\n]*\n$/);
  });
});

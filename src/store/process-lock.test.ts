import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LockedError, lockHolder, takeLock } from './process-lock.js';
import { startOf } from './processes.js';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-lock-'));
  file = path.join(folder, 'lock');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function heldBy(pid: number, start: string): Promise<void> {
  await writeFile(file, JSON.stringify({ pid, start, role: 'gateway', token: 'x' }));
}

describe('a lock', () => {
  it('is one process at a time, and free again when it is given up', async () => {
    const lock = await takeLock(file);
    await expect(takeLock(file)).rejects.toThrow(LockedError);
    expect((await lockHolder(file))?.pid).toBe(process.pid);
    await lock.release();
    expect(await lockHolder(file)).toBeUndefined();
    await (await takeLock(file)).release();
  });

  it('of several that want it at once one gets it', async () => {
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(file)));
    expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1);
  });

  it('of a dead process is taken over', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.once('exit', resolve));
    await heldBy(child.pid ?? 0, 'whenever');
    await (await takeLock(file)).release();
  });

  it('of a process whose ID was given away anew is taken over', async () => {
    await heldBy(process.pid, 'before this process');
    await (await takeLock(file)).release();
  });

  it('that was cut short by a power cut is taken over', async () => {
    await writeFile(file, '{"pid":12');
    await (await takeLock(file)).release();
  });

  it('waits a moment for a process that is being killed', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const pid = child.pid ?? 0;
    await heldBy(pid, await startOf(pid));
    await expect(takeLock(file, { patience: () => 0 })).rejects.toThrow(LockedError);
    child.kill('SIGKILL');
    await (await takeLock(file, { patience: () => 30_000 })).release();
  });

  it('is closed to other users, and clears away what others left that were killed while they took it', async () => {
    const dead = JSON.stringify({ pid: 2 ** 22 + 1, start: 'x', role: 'gateway', token: 'x' });
    const living = JSON.stringify({ pid: process.pid, start: await startOf(process.pid), role: 'gateway', token: 'x' });
    const name = (digit: string, end = ''): string => `lock.${digit.repeat(end === '' ? 18 : 12)}${end}`;
    await writeFile(path.join(folder, name('1')), dead);
    await writeFile(path.join(folder, name('2', '.stale')), dead);
    await writeFile(path.join(folder, name('3')), living);
    await writeFile(path.join(folder, name('4')), '');
    await writeFile(path.join(folder, name('5')), '');
    await utimes(path.join(folder, name('5')), 1, 1);
    await writeFile(path.join(folder, 'lock.other'), dead);
    const lock = await takeLock(file);
    expect((await readdir(folder)).sort()).toEqual(['lock', name('3'), name('4'), 'lock.other']);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await lock.release();
  });

  it('that a rival has taken meanwhile is not given up for him', async () => {
    const lock = await takeLock(file);
    await heldBy(process.pid, 'somebody else');
    await lock.release();
    expect(await readFile(file, 'utf8')).toContain('somebody else');
  });
});

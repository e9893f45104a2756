import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { isMissing } from '../store/files.js';

/** Another gateway works on the folder. */
export class SpoolLockedError extends Error {
  override readonly name = 'SpoolLockedError';
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Tells a process from a later one with the same number; empty where the system does not say. */
  readonly started: string;
}

/**
 * Takes the folder for this process; a lock whose process has ended is taken over. The returned function gives it up.
 * @throws SpoolLockedError
 */
export async function lockSpool(file: string): Promise<() => Promise<void>> {
  const own = JSON.stringify({ pid: process.pid, host: os.hostname(), started: startOf(process.pid) });
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, own, { mode: 0o600 });
  try {
    for (let tries = 0; tries < 5; tries += 1) {
      if (await linked(draft, file)) return () => rm(file, { force: true });
      const owner = await readOwner(file);
      if (owner !== undefined && isAlive(owner))
        throw new SpoolLockedError(`process ${owner.pid} on ${owner.host} works on this spool`);
      await setAside(file, owner);
    }
    throw new SpoolLockedError('other processes take and leave the lock of this spool');
  } finally {
    await rm(draft, { force: true });
  }
}

async function linked(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a dead lock. It is renamed and read again first: meanwhile another process may have taken it. */
async function setAside(file: string, dead: Owner | undefined): Promise<void> {
  const aside = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.old`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  const owner = await readOwner(aside);
  if (JSON.stringify(owner) !== JSON.stringify(dead) && owner !== undefined && isAlive(owner))
    await linked(aside, file);
  await rm(aside, { force: true });
}

async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, host, started } = value as Partial<Record<keyof Owner, unknown>>;
    if (typeof pid !== 'number' || typeof host !== 'string' || typeof started !== 'string') return undefined;
    return { pid, host, started };
  } catch (error) {
    // A lock that is damaged or gone has no owner.
    if (isMissing(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isAlive({ pid, started }: Owner): boolean {
  if (pid === process.pid) return started === startOf(pid);
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const now = startOf(pid);
  return started === '' || now === '' || now === started;
}

/** Boot and start time of a process where /proc tells them (proc(5): field 22 of stat). */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${boot}:${fields[19] ?? ''}`;
  } catch {
    return '';
  }
}

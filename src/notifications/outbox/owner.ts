import { randomBytes } from 'node:crypto';
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isMissing } from '../../store/files.js';

/** Another process, or another part of this one, works in the folder. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
}

const FILE = 'owner';

/**
 * Makes this process the only owner of a folder. A file that a dead process left is taken over, also when its process
 * ID was given to another one since.
 * @returns gives the folder up
 * @throws FolderInUseError
 */
export async function ownFolder(folder: string): Promise<() => Promise<void>> {
  const file = path.join(folder, FILE);
  const mine = path.join(folder, `${FILE}.${randomBytes(6).toString('hex')}.tmp`);
  const token = randomBytes(8).toString('hex');
  await writeFile(mine, JSON.stringify({ pid: process.pid, started: await startOf(process.pid), token }), {
    mode: 0o600,
  });
  try {
    while (!(await linked(mine, file))) await removeStale(file, folder);
  } finally {
    await unlink(mine);
  }
  return async () => {
    if ((await readOrEmpty(file)).includes(token)) await unlink(file);
  };
}

/** False when the name is taken. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function removeStale(file: string, folder: string): Promise<void> {
  const found = await readOrEmpty(file);
  if (await isAlive(found)) throw inUse(folder, found);
  const aside = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  // Another process may have taken over between the reading and the renaming: then it gets its file back.
  const moved = await readOrEmpty(aside);
  if (moved !== found && (await isAlive(moved))) {
    await linked(aside, file);
    await unlink(aside);
    throw inUse(folder, moved);
  }
  await unlink(aside);
}

function inUse(folder: string, owner: string): FolderInUseError {
  const pid = ownerOf(owner)?.pid;
  return new FolderInUseError(
    `the folder ${folder} is in use by ${pid === undefined ? 'another process' : `process ${pid}`}: one gateway, one data folder`,
  );
}

async function isAlive(text: string): Promise<boolean> {
  const owner = ownerOf(text);
  if (owner === undefined) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  return (await startOf(owner.pid)) === owner.started;
}

function ownerOf(text: string): { readonly pid: number; readonly started: string } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('started' in value)) return undefined;
  const { pid, started } = value;
  return typeof pid === 'number' && Number.isInteger(pid) && pid > 0 && typeof started === 'string'
    ? { pid, started }
    : undefined;
}

/** When the process started, in the kernel's own count: tells a process from a later one of the same ID. Empty where there is no /proc. */
async function startOf(pid: number): Promise<string> {
  const stat = await readOrEmpty(`/proc/${pid}/stat`);
  // The name in brackets may hold anything; the fields are counted from behind it (proc(5): starttime is the 22nd).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A process that has ended and that nobody has asked for yet owns nothing.
  return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : (fields[19] ?? '');
}

async function readOrEmpty(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return '';
    throw error;
  }
}

import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { codeOf } from './errors.js';
import { isAlive, startOf } from './processes.js';

const holderSchema = z.object({
  pid: z.int().positive(),
  start: z.string(),
  /** What the holder is, for the text of a refusal. */
  role: z.string(),
  token: z.string(),
});

export type LockHolder = z.output<typeof holderSchema>;

/** Somebody else has the lock. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
  readonly holder: LockHolder;

  constructor(file: string, holder: LockHolder) {
    super(`${file} is held by process ${holder.pid} (${holder.role})`);
    this.holder = holder;
  }
}

export interface LockOptions {
  readonly role?: string;
  /** How long to wait for the present holder, ms. A process that was just killed takes a moment to be gone. */
  readonly patience?: (holder: LockHolder) => number;
}

export interface ProcessLock {
  release(): Promise<void>;
}

const MOMENT = 1000;
/** Long enough for a rival that judged the same stale lock to show itself, ms. */
const SETTLE = 25;
const POLL = 50;

/**
 * Takes a lock for this process: a file that names its holder by process ID and start time. A lock whose holder is gone
 * (kill -9, power cut, process ID given away anew) is taken over.
 * @throws LockedError when the holder lives on for longer than one has patience
 */
export async function takeLock(file: string, options: LockOptions = {}): Promise<ProcessLock> {
  const { role = 'gateway', patience = () => MOMENT } = options;
  const mine: LockHolder = {
    pid: process.pid,
    start: await startOf(process.pid),
    role,
    token: randomBytes(9).toString('hex'),
  };
  const draft = `${file}.${mine.token}`;
  const since = Date.now();
  await writeFile(draft, JSON.stringify(mine), { mode: 0o644 });
  try {
    for (;;) {
      if (await tryLink(draft, file)) {
        await sleep(SETTLE);
        if ((await holderOf(file))?.token === mine.token) return { release: () => release(file, mine.token) };
        continue;
      }
      const holder = await holderOf(file);
      if (holder === undefined || !(await holds(holder))) {
        await setAside(file, holder?.token);
        continue;
      }
      // This process is not just being killed: its own locks are no reason to wait.
      if (holder.pid === process.pid || Date.now() - since >= patience(holder)) throw new LockedError(file, holder);
      await sleep(POLL);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/** Who has the lock at present; undefined when nobody has. */
export async function lockHolder(file: string): Promise<LockHolder | undefined> {
  const holder = await holderOf(file);
  return holder !== undefined && (await holds(holder)) ? holder : undefined;
}

async function tryLink(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function holderOf(file: string): Promise<LockHolder | undefined> {
  try {
    const parsed = holderSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    // A file that was cut short by a power cut holds no JSON; one that is gone has been released.
    if (error instanceof SyntaxError || codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function holds(holder: LockHolder): Promise<boolean> {
  if (!isAlive(holder.pid)) return false;
  const start = await startOf(holder.pid);
  return start === '' || start === holder.start;
}

/** Takes a stale lock away; puts it back when a rival has meanwhile replaced it by a good one. */
async function setAside(file: string, staleToken: string | undefined): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString('hex')}.stale`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await holderOf(aside))?.token !== staleToken) await tryLink(aside, file);
  await rm(aside, { force: true });
}

async function release(file: string, token: string): Promise<void> {
  if ((await holderOf(file))?.token === token) await rm(file, { force: true });
}

import { randomBytes } from 'node:crypto';
import { link, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
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
/** What drafts and locks that were set aside have behind the name of the lock. */
const LEFT = /^(?:[0-9a-f]{18}|[0-9a-f]{12}\.stale)$/;
/** Longer than anybody needs to write a draft, ms. */
const LONG = 60_000;

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
  await writeDraft(draft, JSON.stringify(mine));
  try {
    for (;;) {
      if (await tryLink(draft, file)) {
        await sleep(SETTLE);
        if ((await holderOf(file))?.token !== mine.token) continue;
        await sweep(file, draft);
        return { release: () => release(file, mine.token) };
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

/**
 * Closed to other users like all in a data folder. What root's command writes is the gateway's to read, which may run
 * as another account: that of the folder.
 */
async function writeDraft(draft: string, text: string): Promise<void> {
  const handle = await open(draft, 'wx', 0o600);
  try {
    if (process.getuid?.() === 0) {
      const { uid, gid } = await stat(path.dirname(draft));
      await handle.chown(uid, gid);
    }
    await handle.writeFile(text);
  } finally {
    await handle.close();
  }
}

/** Removes what others left that were killed while they took the lock. Never rejects: what stays does no harm. */
async function sweep(file: string, mine: string): Promise<void> {
  const [found] = await Promise.allSettled([readdir(path.dirname(file))]);
  const names = found.status === 'fulfilled' ? found.value : [];
  const start = `${path.basename(file)}.`;
  await Promise.allSettled(
    names.map(async (name) => {
      const left = path.join(path.dirname(file), name);
      if (!name.startsWith(start) || !LEFT.test(name.slice(start.length)) || left === mine) return;
      const holder = await holderOf(left);
      // One without a holder may be just being written.
      const over = holder === undefined ? Date.now() - (await stat(left)).mtimeMs > LONG : !(await holds(holder));
      if (over) await rm(left, { force: true });
    }),
  );
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

import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { codeOf, StoreError } from '../errors.js';
import { isAlive, startOf } from './processes.js';

export type LockRole = 'gateway' | 'command';

/** The right to be the only one on a data folder. */
export interface FolderLock {
  release(): Promise<void>;
}

const holderSchema = z.object({
  pid: z.int().positive(),
  start: z.string(),
  role: z.enum(['gateway', 'command']),
  token: z.string(),
});

type Holder = z.output<typeof holderSchema>;

/** Commands hold the lock for a moment only: whoever comes meanwhile waits. In ms. */
const PATIENCE = 15_000;
/** Long enough for a rival that judged the same stale lock to show itself. In ms. */
const SETTLE = 25;

/**
 * Takes the lock of a data folder: the file `gateway.lock` in it, which names its holder by process ID and start time.
 * A lock whose holder is gone (kill -9, power cut, process ID given away anew) is taken over.
 * @throws StoreError `in-use` when another gateway has it
 */
export async function lockFolder(folder: string, role: LockRole, patience: number = PATIENCE): Promise<FolderLock> {
  try {
    await mkdir(folder, { recursive: true });
    return await acquire(path.join(folder, 'gateway.lock'), folder, role, patience);
  } catch (error) {
    if (codeOf(error) === 'EACCES' || codeOf(error) === 'EPERM')
      throw new StoreError(
        'cannot-start',
        `The data folder ${folder} belongs to another user: start the gateway as that user, or set \`data\` to a folder of your own.`,
        { cause: error },
      );
    throw error;
  }
}

/** Who has the lock of a data folder at present. */
export async function lockHolder(folder: string): Promise<LockRole | undefined> {
  const holder = await holderOf(path.join(folder, 'gateway.lock'));
  return holder !== undefined && (await holds(holder)) ? holder.role : undefined;
}

async function acquire(file: string, folder: string, role: LockRole, patience: number): Promise<FolderLock> {
  const mine: Holder = {
    pid: process.pid,
    start: await startOf(process.pid),
    role,
    token: randomBytes(9).toString('hex'),
  };
  const draft = `${file}.${mine.token}`;
  const deadline = Date.now() + patience;
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
      if ((holder.role === 'gateway' && role === 'gateway') || Date.now() > deadline) throw inUse(folder, holder);
      await sleep(50);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

function inUse(folder: string, holder: Holder): StoreError {
  return new StoreError(
    'in-use',
    holder.role === 'gateway'
      ? `Another gateway (process ${holder.pid}) works on the data folder ${folder}. Stop it first, or give this one its own \`data\` folder.`
      : `A gatepost command (process ${holder.pid}) works on the data folder ${folder}. Wait until it has ended.`,
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

async function holderOf(file: string): Promise<Holder | undefined> {
  try {
    const parsed = holderSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    // A file that was cut short by a power cut holds no JSON; one that is gone has been released.
    if (error instanceof SyntaxError || codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function holds(holder: Holder): Promise<boolean> {
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

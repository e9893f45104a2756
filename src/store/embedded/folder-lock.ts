import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, StoreError } from '../errors.js';
import * as lock from '../process-lock.js';

export type LockRole = 'gateway' | 'command';

/** Commands hold the lock for a moment only: whoever comes meanwhile waits. In ms. */
const PATIENCE = 15_000;
/** What a gateway that was just killed may need to be gone. In ms. */
const MOMENT = 1000;

/**
 * Takes the lock of a data folder: the right to be the only one on it.
 * @throws StoreError `in-use` when another gateway has it
 */
export async function lockFolder(
  folder: string,
  role: LockRole,
  patience: number = PATIENCE,
): Promise<lock.ProcessLock> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o711 });
    return await lock.takeLock(fileOf(folder), {
      role,
      patience: (holder) => (holder.role === 'gateway' && role === 'gateway' ? Math.min(MOMENT, patience) : patience),
    });
  } catch (error) {
    if (error instanceof lock.LockedError) throw inUse(folder, error.holder);
    if (codeOf(error) === 'EACCES' || codeOf(error) === 'EPERM')
      throw new StoreError(
        'cannot-start',
        `The data folder ${folder} belongs to another user: start the gateway as that user, or set \`data\` to a folder of your own.`,
        { cause: error },
      );
    throw error;
  }
}

/** What has the lock of a data folder at present. */
export async function lockHolder(folder: string): Promise<LockRole | undefined> {
  const holder = await lock.lockHolder(fileOf(folder));
  if (holder === undefined) return undefined;
  return holder.role === 'gateway' ? 'gateway' : 'command';
}

function fileOf(folder: string): string {
  return path.join(folder, 'gateway.lock');
}

function inUse(folder: string, holder: lock.LockHolder): StoreError {
  return new StoreError(
    'in-use',
    holder.role === 'gateway'
      ? `Another gateway (process ${holder.pid}) works on the data folder ${folder}. Stop it first, or give this one its own \`data\` folder.`
      : `A gatepost command (process ${holder.pid}) works on the data folder ${folder}. Wait until it has ended.`,
  );
}

import { constants, open, type FileHandle } from 'node:fs/promises';
import type { Account } from './account.js';

/**
 * Opens a file for writing in a folder that belongs to the server's account. As root we must not follow a link there:
 * it could lead anywhere. The file is for its owner alone.
 */
export async function openOwned(
  file: string,
  mode: 'truncate' | 'append',
  account: Account | undefined,
): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;
  const handle = await open(file, flags | (mode === 'append' ? constants.O_APPEND : constants.O_TRUNC), 0o600);
  try {
    if (account !== undefined) await handle.chown(account.uid, account.gid);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Writes a small file in the same way. */
export async function writeOwned(file: string, text: string, account: Account | undefined): Promise<void> {
  const handle = await openOwned(file, 'truncate', account);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

import { opendir } from 'node:fs/promises';
import { isMissing } from '../store/files.js';
import { codeOf } from '../store/errors.js';

/** Refuses a data folder that this user may not look into; one that is not there yet is none to refuse. */
export async function checkDataFolder(data: string): Promise<void> {
  try {
    await (await opendir(data)).close();
  } catch (error) {
    if (isMissing(error)) return;
    if (codeOf(error) !== 'EACCES') throw error;
    throw new Error(`the data folder ${data} belongs to another user: work as the user that the gateway runs as`, {
      cause: error,
    });
  }
}

import { open, opendir, stat } from 'node:fs/promises';
import { fileReason } from '../config/file-error.js';
import { readMessageFile, UnusableMessage } from '../gateway/trial/message.js';
import { isMissing } from '../store/files.js';
import { UsageError } from './exit.js';

/**
 * What a file or folder is that was named on the command line.
 * @param option that names it; an argument when absent
 * @throws UsageError when it is not there, or cannot be read
 */
export async function kindOfGiven(given: string, option?: string): Promise<'file' | 'folder'> {
  try {
    const found = await stat(given);
    if (found.isDirectory()) {
      await (await opendir(given)).close();
      return 'folder';
    }
    // A pipe can be opened once only.
    if (found.isFile()) await (await open(given)).close();
    return 'file';
  } catch (error) {
    if (option !== undefined && isMissing(error))
      throw new UsageError(`${option}: there is no folder or file ${given}`);
    throw new UsageError(`${option === undefined ? '' : `${option}: `}cannot read ${given}: ${fileReason(error)}`);
  }
}

/** The bytes of a message that was named on the command line. @throws UsageError when it cannot be read */
export async function readGivenMessage(file: string): Promise<Buffer> {
  try {
    return await readMessageFile(file);
  } catch (error) {
    if (error instanceof UnusableMessage) throw new UsageError(`cannot read ${file}: ${error.message}`);
    throw error;
  }
}

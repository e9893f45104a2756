import path from 'node:path';
import { copiesFolder } from '../directory/copies.js';
import { removeTemporaries } from '../store/files.js';
import { controlFolder } from './control/socket.js';
import { lastGoodFolder } from './reload/last-good.js';

/**
 * Removes the temporary files that a killed process has left beside its small files of state. Spool, outbox and uploads
 * have their own ways. Only for who has the data folder, before anything is written. Never rejects.
 */
export async function removeLeftovers(data: string): Promise<void> {
  const folders = [path.resolve(data), controlFolder(data), lastGoodFolder(data), copiesFolder(data)];
  await Promise.all(folders.map(async (folder) => await removeTemporaries(folder)));
}

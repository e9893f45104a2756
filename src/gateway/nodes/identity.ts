import { randomUUID } from 'node:crypto';
import { access, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { durableFiles } from '../../store/files.js';
import type { NodeIdentity } from '../../store/node-types.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** In the data folder of each node. */
const FILE = 'node-id';

/**
 * Who this process is: its installation is kept in the data folder, so that a run after a `kill -9` takes its own place
 * at once. @throws the file system's error
 */
export async function nodeIdentity(data: string): Promise<NodeIdentity> {
  const file = path.join(data, FILE);
  const run = randomUUID();
  const kept = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (UUID.test(kept)) return { installation: kept, run };
  const installation = randomUUID();
  await mkdir(data, { recursive: true, mode: 0o711 });
  await durableFiles().replace(file, `${installation}\n`);
  return { installation, run };
}

/** Whether a gateway has ever run on this data folder: those of workers lie below it. */
export async function hasRunGateway(data: string): Promise<boolean> {
  return await access(path.join(data, FILE)).then(
    () => true,
    () => false,
  );
}

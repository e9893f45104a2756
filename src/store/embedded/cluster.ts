import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, StoreError } from '../errors.js';
import { WAY_OUT } from './account.js';
import type { Home } from './home.js';
import type { Program } from './program.js';
import { writeOwned } from './owned-file.js';
import { runAs } from './run-as.js';

export const DATABASE_USER = 'gatepost';
const MAJOR_VERSION = '18';
const DRAFT = 'cluster.tmp-';

/** Whether the home has data. @throws StoreError when they are of another version of PostgreSQL */
export async function hasCluster(home: Home): Promise<boolean> {
  let version: string;
  try {
    version = (await readFile(path.join(home.cluster, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    if (codeOf(error) === 'EACCES')
      throw new StoreError(
        'cannot-start',
        `The embedded database in ${home.folder} belongs to another user: work as the user that has run the gateway so far.`,
        { cause: error },
      );
    throw error;
  }
  if (version !== MAJOR_VERSION)
    throw new StoreError(
      'cannot-start',
      `The embedded database in ${home.cluster} is of PostgreSQL ${version}; this version of Gatepost brings PostgreSQL ${MAJOR_VERSION}. Dump it with the old version and restore it, or move the folder away to begin anew.`,
    );
  return true;
}

/**
 * Creates the data directory: made beside its place and moved there when it is whole, so that an initdb that is
 * interrupted leaves nothing half.
 * @throws StoreError with what initdb said
 */
export async function createCluster(home: Home, program: Program): Promise<void> {
  for (const name of await readdir(home.folder)) {
    if (name.startsWith(DRAFT)) await rm(path.join(home.folder, name), { recursive: true, force: true });
  }
  const draft = path.join(home.folder, `${DRAFT}${randomBytes(6).toString('hex')}`);
  await writeOwned(home.passwordFile, `${randomBytes(24).toString('base64url')}\n`, home.account);
  const { code, output } = await runAs(home.account, program.initdb, [
    `--pgdata=${draft}`,
    `--username=${DATABASE_USER}`,
    `--pwfile=${home.passwordFile}`,
    '--auth-local=trust',
    '--auth-host=scram-sha-256',
    '--encoding=UTF8',
    '--no-locale',
    '--no-instructions',
  ]);
  if (code !== 0) {
    await rm(draft, { recursive: true, force: true });
    throw new StoreError(
      'cannot-start',
      `The embedded database cannot be created in ${home.folder}: initdb ended with ${code}: ${output.trim()}\n${WAY_OUT}`,
    );
  }
  await rename(draft, home.cluster);
  await syncFolder(home.folder);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

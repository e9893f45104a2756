import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { codeOf } from '../../store/errors.js';
import { durableFiles, isMissing, type DurableFiles } from '../../store/files.js';
import { filesOf, templateFiles } from './fingerprint.js';
import type { Places } from './places.js';

/** Bytes of a set that is kept. */
const MAX_BYTES = 2 ** 30;
const AT_A_TIME = 8;
const POINTER = 'current';
const MANIFEST = 'set.json';
const NAME = /^set-[0-9a-f]{16}$/;

const manifest = z.object({
  version: z.literal(1),
  /** gatepost.yaml as it was found, for which the set is. */
  config: z.string(),
  rules: z.string(),
  templates: z.string(),
  /** Whether there was such a file. */
  hasConfig: z.boolean(),
  hash: z.string(),
  time: z.string(),
  /** Over names and contents: a set that is kept already is not written again. */
  digest: z.string(),
});

/** What is said about a kept set. */
export type Manifest = z.infer<typeof manifest>;

export interface KeptSet extends Manifest {
  /** Folder with `gatepost.yaml`, `rules/`, `rules/lists/` and `templates/`. */
  readonly folder: string;
}

export interface KeepOptions {
  readonly data: string;
  readonly places: Places;
  readonly hash: string;
  /** Whether the files are still those that were loaded: else nothing is kept. */
  readonly unchanged: () => Promise<boolean>;
  readonly files?: DurableFiles;
  readonly now?: Date;
}

/** Where sets are kept. */
export function lastGoodFolder(data: string): string {
  return path.join(data, 'last-good');
}

/**
 * Copies the files of a set as they are, readable by the owner alone. The new copy is whole on the disk before it takes
 * the place of the one before, which is then removed: a crash or a full disk at any point leaves one whole set.
 * @throws the file system's error, or Error for a set that is too large; the kept one stays
 */
export async function keepLastGood(options: KeepOptions): Promise<void> {
  const { data, places, hash, unchanged, files = durableFiles(), now = new Date() } = options;
  const home = lastGoodFolder(data);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const found = await filesToKeep(places);
  const digest = digestOf(found);
  const kept = await readKept(data);
  if (kept?.digest === digest && kept.config === places.config) {
    await tidy(home, path.basename(kept.folder));
    return;
  }
  const name = `set-${randomBytes(8).toString('hex')}`;
  const folder = path.join(home, name);
  try {
    for (const sub of new Set(['rules', 'templates', ...found.map(({ as }) => path.dirname(as))]))
      await mkdir(path.join(folder, sub), { recursive: true, mode: 0o700 });
    for (let at = 0; at < found.length; at += AT_A_TIME)
      await allDone(
        found.slice(at, at + AT_A_TIME).map(async ({ as, bytes }) => await files.create(path.join(folder, as), bytes)),
      );
    const about: Manifest = {
      version: 1,
      config: places.config,
      rules: places.rules,
      templates: places.templates,
      hasConfig: found.some(({ as }) => as === 'gatepost.yaml'),
      hash,
      time: now.toISOString(),
      digest,
    };
    await files.create(path.join(folder, MANIFEST), JSON.stringify(about));
    for (const sub of ['', 'rules', 'templates']) await files.syncFolder(path.join(folder, sub));
    await files.syncFolder(home);
    if (!(await unchanged())) {
      await rm(folder, { recursive: true, force: true });
      return;
    }
    await files.replace(path.join(home, POINTER), name);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  await tidy(home, name);
}

/** The set that is kept in a data folder, if there is a whole one. @throws the file system's errors */
export async function readKept(data: string): Promise<KeptSet | undefined> {
  const home = lastGoodFolder(data);
  try {
    const name = (await readFile(path.join(home, POINTER), 'utf8')).trim();
    if (!NAME.test(name)) return undefined;
    const folder = path.join(home, name);
    const parsed = manifest.safeParse(JSON.parse(await readFile(path.join(folder, MANIFEST), 'utf8')));
    return parsed.success ? { ...parsed.data, folder } : undefined;
  } catch (error) {
    if (isMissing(error) || codeOf(error) === 'ENOTDIR' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

interface FileToKeep {
  /** Path in the set, with slashes. */
  readonly as: string;
  readonly bytes: Buffer;
}

async function filesToKeep({ config, rules, templates }: Places): Promise<FileToKeep[]> {
  const wanted: (readonly [as: string, file: string])[] = [
    ['gatepost.yaml', config],
    ...under('rules', rules, await filesOf(rules, /\.yaml$/)),
    ...under('rules', rules, await filesOf(path.join(rules, 'lists'), /\.txt$/)),
    ...under('templates', templates, await templateFiles(templates)),
  ];
  const found: FileToKeep[] = [];
  let size = 0;
  for (const [as, file] of wanted) {
    try {
      const bytes = await readFile(file);
      size += bytes.length;
      if (size > MAX_BYTES) throw new Error(`the set is larger than ${MAX_BYTES / 2 ** 20} MiB`);
      found.push({ as, bytes });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return found;
}

function under(as: string, folder: string, files: readonly string[]): (readonly [string, string])[] {
  return files.map((file) => [`${as}/${path.relative(folder, file).split(path.sep).join('/')}`, file]);
}

function digestOf(files: readonly FileToKeep[]): string {
  const hash = createHash('sha256');
  for (const { as, bytes } of files) hash.update(`${Buffer.byteLength(as)}:${as}:${bytes.length}:`).update(bytes);
  return hash.digest('hex');
}

/** Removes all sets but one. */
async function tidy(home: string, keep: string): Promise<void> {
  for (const name of await readdir(home))
    if (NAME.test(name) && name !== keep) await rm(path.join(home, name), { recursive: true, force: true });
}

/** Waits for all of them, also when one fails: the folder may be removed after it. @throws the first failure */
async function allDone(works: readonly Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(works);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

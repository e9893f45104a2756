import { randomBytes } from 'node:crypto';
import { lstat, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import path from 'node:path';

/** The calls that writing safely consists of; a test hands in ones that fail. `node:fs/promises` fits. */
export interface FileSystem {
  open(path: string, flags: string, mode?: number): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
}

export interface OpenFile {
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ readonly bytesWritten: number }>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What a file is to hold: text is written as UTF-8, pieces one behind the other. */
export type FileContent = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** A file that lies whole and fsynced under a temporary name. */
export interface StagedFile {
  /** Gives it its name, fsynced; when that fails, there is no file of that name (as far as the disk still obeys). */
  commit(): Promise<void>;
  /** Removes it instead. Never rejects. */
  discard(): Promise<void>;
}

/** Writes files so that what was said to be written is there after a power cut. */
export interface DurableFiles {
  /**
   * Writes a new file: temporary file, fsync, rename, fsync of the folder. When it rejects, there is no file of that
   * name (as far as the disk still obeys).
   * @param temporary folder for the temporary file, on the same file system; default: the folder of the file
   */
  create(file: string, content: FileContent, temporary?: string): Promise<void>;
  /** The first half of `create`: until it is committed, only the temporary file is there. */
  stage(file: string, content: FileContent, temporary?: string): Promise<StagedFile>;
  /** As `create` for a file that may exist: when it rejects, the old content or the new one is there, whole. */
  replace(file: string, content: FileContent, temporary?: string): Promise<void>;
  /** Removes a file; one that is not there is no error. Not synced: a removal that a power cut undoes is done again. */
  remove(file: string): Promise<void>;
  /** Renames within one file system and syncs the folder that the file comes to. */
  move(from: string, to: string): Promise<void>;
  /** Fsyncs a folder. Calls at the same time share one fsync (group commit). */
  syncFolder(folder: string): Promise<void>;
}

const nodeFiles: FileSystem = { open, rename, unlink };

/** Behind the name of the file. */
const TEMPORARY = /\.[0-9a-f]{12}\.tmp$/;

/** Only the owner may read: the files hold mail. */
const MODE = 0o600;

/** Durable files on a file system; by default that of the machine. */
export function durableFiles(fs: FileSystem = nodeFiles): DurableFiles {
  const folders = new Map<string, () => Promise<void>>();

  async function syncFolder(folder: string): Promise<void> {
    let sync = folders.get(folder);
    if (sync === undefined) {
      sync = shared(() => syncOnce(fs, folder));
      folders.set(folder, sync);
    }
    await sync();
  }

  /** Writes the content under a temporary name; what fails leaves nothing behind. */
  async function write(file: string, content: FileContent, temporary: string): Promise<string> {
    const name = path.join(temporary, `${path.basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
    try {
      const handle = await fs.open(name, 'wx', MODE);
      await closing(handle, async () => {
        await writeAll(handle, content);
        await handle.sync();
      });
    } catch (error) {
      await discard(fs, name);
      throw error;
    }
    return name;
  }

  async function rename(from: string, to: string): Promise<void> {
    try {
      await fs.rename(from, to);
    } catch (error) {
      await discard(fs, from);
      throw error;
    }
  }

  async function stage(file: string, content: FileContent, temporary = path.dirname(file)): Promise<StagedFile> {
    const name = await write(file, content, temporary);
    return {
      async commit() {
        await rename(name, file);
        try {
          await syncFolder(path.dirname(file));
        } catch (error) {
          await discard(fs, file);
          throw error;
        }
      },
      discard: async () => await discard(fs, name),
    };
  }

  return {
    stage,
    async create(file, content, temporary) {
      await (await stage(file, content, temporary)).commit();
    },
    async replace(file, content, temporary = path.dirname(file)) {
      await rename(await write(file, content, temporary), file);
      await syncFolder(path.dirname(file));
    },
    async remove(file) {
      try {
        await fs.unlink(file);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
    async move(from, to) {
      await fs.rename(from, to);
      await syncFolder(path.dirname(to));
    },
    syncFolder,
  };
}

/**
 * A function whose callers share runs: a call during a run waits for the next one, which serves all that came
 * meanwhile. So each call is covered by a run that began after it (group commit).
 */
export function shared(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  function start(): Promise<void> {
    const current = run().finally(() => {
      if (running === current) running = undefined;
    });
    running = current;
    return current;
  }

  return () => {
    if (next !== undefined) return next;
    if (running === undefined) return start();
    next = settled(running).then(() => {
      next = undefined;
      return start();
    });
    return next;
  };
}

/** Which temporary files are removed. */
export interface Leftovers {
  /** Only those of this file; of all unless told. */
  readonly of?: string;
  /** Only those that are older, in ms: where others may be writing. */
  readonly age?: number;
}

/**
 * Removes the temporary files that killed processes have left in a folder. Never rejects: what stays does no harm.
 * Without an age only where nobody writes meanwhile.
 */
export async function removeTemporaries(folder: string, { of, age = 0 }: Leftovers = {}): Promise<void> {
  const [found] = await Promise.allSettled([readdir(folder)]);
  const names = found.status === 'fulfilled' ? found.value : [];
  const left = names.filter((name) => {
    const whole = name.replace(TEMPORARY, '');
    return whole !== name && (of === undefined || whole === of);
  });
  const oldest = Date.now() - age;
  await Promise.allSettled(
    left.map(async (name) => {
      const file = path.join(folder, name);
      if (age === 0 || (await stat(file)).mtimeMs < oldest) await unlink(file);
    }),
  );
}

/** Whether an error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Whether there is something of that name, a link that leads nowhere too. */
export async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function settled(promise: Promise<void>): Promise<void> {
  await Promise.allSettled([promise]);
}

async function syncOnce(fs: FileSystem, folder: string): Promise<void> {
  const handle = await fs.open(folder, 'r');
  await closing(handle, () => handle.sync());
}

/** Runs the action, then closes; an error of the action goes before one of the closing. */
async function closing(handle: OpenFile, action: () => Promise<void>): Promise<void> {
  const [result] = await Promise.allSettled([action()]);
  const [close] = await Promise.allSettled([handle.close()]);
  if (result.status === 'rejected') throw result.reason;
  if (close.status === 'rejected') throw close.reason;
}

async function writeAll(handle: OpenFile, content: FileContent): Promise<void> {
  if (typeof content === 'string') await writeChunk(handle, Buffer.from(content));
  else if (content instanceof Uint8Array) await writeChunk(handle, content);
  else for await (const chunk of content) await writeChunk(handle, chunk);
}

async function writeChunk(handle: OpenFile, bytes: Uint8Array): Promise<void> {
  let offset = 0;
  while (offset < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, offset, bytes.length - offset);
    if (bytesWritten <= 0) throw new Error('the file system took no bytes');
    offset += bytesWritten;
  }
}

/** Removes what a failed write left. The first error is the one to tell, so one of the removal is not. */
async function discard(fs: FileSystem, file: string): Promise<void> {
  await Promise.allSettled([fs.unlink(file)]);
}

import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { contentOf, type Content } from '../message/source.js';
import { messageOf } from '../store/errors.js';
import { durableFiles, exists, isMissing, removeTemporaries, type DurableFiles } from '../store/files.js';
import { takeLock, type ProcessLock } from '../store/process-lock.js';
import type { Log } from '../telemetry/log.js';
import { checkedContent } from './spool-checksum.js';
import { CorruptFolder, discard } from './spool-corrupt.js';
import {
  emlOf,
  isDamage,
  isStale,
  STALE,
  jsonOf,
  keysIn,
  loadItem,
  makeFolders,
  spoolPaths,
  type SpoolPaths,
} from './spool-folder.js';
import { SpoolIndex, type SpoolEntry } from './spool-index.js';
import { formatItem, type SpoolItem } from './spool-item.js';
import { SpoolReading } from './spool-reading.js';
import { isNoRoom, SpoolRoom, type SpoolLimits } from './spool-room.js';
import { uncounted } from './spool-replaced.js';
import { scanSpool } from './spool-scan.js';
import { writeItem } from './spool-write.js';
import { Turns } from './turns.js';
import { SpoolFullError, type SpoolState } from './types.js';

export interface SpoolOptions {
  readonly folder: string;
  readonly limits: SpoolLimits;
  readonly log: Log;
  readonly files?: DurableFiles;
  /** What the owner of the folder is called to others that want it. */
  readonly role?: string;
  /** It is logged that a start reads the spool when that takes longer, ms. */
  readonly quiet?: number;
}

/** Role of a command that works on a spool whose gateway does not run: a gateway that starts waits for its end. */
export const COMMAND = 'queue command';

/** For how long the oldest item is taken to be that, while it is there, ms. */
const AGE_FOR = 30_000;
/** How long a start waits for the folder, ms: a killed gateway takes a moment to be gone, a command may work on. */
const PATIENCE = { gateway: 1000, command: 120_000 };
const QUIET = 1000;

/**
 * The mail that waits on this node's disk. One process owns the folder; reading it is safe for all. In memory is only an
 * index: about 330 bytes for each item.
 */
export class Spool {
  readonly #paths: SpoolPaths;
  readonly #files: DurableFiles;
  readonly #log: Log;
  readonly #room: SpoolRoom;
  readonly #index = new SpoolIndex();
  readonly #reading: SpoolReading;
  readonly #lock: ProcessLock;
  readonly #corrupt: CorruptFolder;
  /** States that could not be written: they hold until they can. */
  readonly #unwritten = new Map<string, SpoolItem>();
  /** Items whose files are being written: whoever wants to read one, as its hop is back, waits for them. */
  readonly #adding = new Map<string, Promise<unknown>>();
  /** Settled items whose files could not be removed. */
  readonly #leftover = new Set<string>();
  /** Items whose messages have changed on the disk. */
  readonly #damaged = new Set<string>();
  /** One write or removal at a time for each item. */
  readonly #turns = new Turns();
  #age: { readonly at: number; readonly key: string; readonly time: number } | undefined;

  private constructor(paths: SpoolPaths, options: SpoolOptions, lock: ProcessLock) {
    this.#paths = paths;
    this.#files = options.files ?? durableFiles();
    this.#log = options.log;
    this.#room = new SpoolRoom(paths.root, options.limits, options.log);
    this.#lock = lock;
    this.#corrupt = new CorruptFolder({ paths, files: this.#files, log: options.log });
    this.#reading = new SpoolReading({
      folder: paths.root,
      index: this.#index,
      log: options.log,
      setAside: (key, reason) => this.setAside(key, reason),
    });
  }

  /**
   * Takes the folder, clears what a killed process left half-written, and looks what is there. Damaged items are set
   * aside. A large spool is read to its end afterwards (`whole`).
   * @throws LockedError
   */
  static async open(options: SpoolOptions): Promise<Spool> {
    const paths = spoolPaths(options.folder);
    await makeFolders(paths);
    const { role = 'gateway', quiet = QUIET, log } = options;
    const lock = await takeLock(paths.lock, {
      role,
      patience: (holder) => (holder.role === COMMAND ? PATIENCE.command : PATIENCE.gateway),
    });
    const telling = setTimeout(
      () => log.info('the spool is being read: with many items that takes some seconds'),
      quiet,
    );
    try {
      const spool = new Spool(paths, options, lock);
      await spool.#recover();
      await spool.#room.watch();
      await spool.#reading.start();
      return spool;
    } catch (error) {
      await lock.release();
      throw error;
    } finally {
      clearTimeout(telling);
    }
  }

  /** Number of items. */
  get size(): number {
    return this.#index.size;
  }

  has(key: string): boolean {
    return this.#index.has(key) || this.#leftover.has(key);
  }

  entry(key: string): SpoolEntry | undefined {
    return this.#index.get(key);
  }

  entries(): Iterable<SpoolEntry> {
    return this.#index.values();
  }

  /** Resolves when all items that were there at the start have been read. Never rejects. */
  get whole(): Promise<void> {
    return this.#reading.done;
  }

  get state(): SpoolState {
    const oldest = this.#oldest();
    return { ...this.#room.state, ...(oldest === undefined ? {} : { oldest: new Date(oldest) }) };
  }

  hasRoom(): boolean {
    return this.#room.has();
  }

  /**
   * Writes a new item, fsynced when this resolves; with the checksum of its message it is returned.
   * @param own our own mail (a DSN), or mail that was ours before: the limits on size and number do not hold for it
   * @throws SpoolFullError; RangeError when there is an item of that key
   */
  async add(item: SpoolItem, content: Content, own = false): Promise<SpoolItem> {
    const { size } = content;
    if (own ? !this.#room.diskOk(size) : !this.#room.has(size)) throw new SpoolFullError('the spool has no room');
    if (this.has(item.item)) throw new RangeError(`${item.item} is in the spool already`);
    this.#index.set(item);
    this.#room.take(size);
    const writing = writeItem(this.#files, this.#paths, item, content, (file) => this.#discard(file));
    this.#adding.set(item.item, Promise.allSettled([writing]));
    try {
      return await writing;
    } catch (error) {
      this.#room.release(size);
      this.#index.delete(item.item);
      if (isNoRoom(error)) throw new SpoolFullError('the item cannot be written now', { cause: error });
      throw error;
    } finally {
      this.#adding.delete(item.item);
    }
  }

  /** A key that no item has: the given one, or the next with `.rN` behind it. */
  freeKey(wanted: string): string {
    let key = wanted;
    for (let number = 2; this.has(key); number += 1) key = `${wanted}.r${number}`;
    return key;
  }

  /**
   * Reads an item; undefined when there is none, or it is damaged: then it was set aside.
   * @throws Error when it cannot be read just now
   */
  async load(key: string): Promise<SpoolItem | undefined> {
    const kept = this.#unwritten.get(key);
    if (kept !== undefined) return kept;
    await this.#adding.get(key);
    if (!this.#index.has(key)) return undefined;
    try {
      const item = await loadItem(this.#paths.root, key);
      if (item !== undefined) return item;
      if (this.#index.has(key)) await this.setAside(key, 'its .json is gone');
    } catch (error) {
      if (!isDamage(error)) throw error;
      await this.setAside(key, messageOf(error));
    }
    return undefined;
  }

  /**
   * Writes the new state of an item, fsynced when this resolves. When that fails, the state holds in memory, and is
   * written by `tidy`.
   */
  async update(item: SpoolItem): Promise<void> {
    this.#index.set(item);
    this.#unwritten.set(item.item, item);
    await this.#turns.take(item.item, () => this.#writeState(item.item));
  }

  /** Writes the state that holds now: an older one never comes after it, nor after the removal of the item. */
  async #writeState(key: string): Promise<void> {
    const item = this.#unwritten.get(key);
    if (item === undefined) return;
    await this.#files.replace(jsonOf(this.#paths.root, key), formatItem(item), this.#paths.tmp);
    if (this.#unwritten.get(key) === item) this.#unwritten.delete(key);
  }

  /** Gives an item another time for its next attempt (ms): only in memory, as a new start looks at everything anyway. */
  reschedule(key: string, next: number): void {
    this.#index.reschedule(key, next);
  }

  /** Removes a settled item. When its files cannot be removed, `tidy` does it. */
  async remove(key: string): Promise<void> {
    const entry = this.#index.delete(key);
    this.#unwritten.delete(key);
    if (entry === undefined) return;
    this.#room.release(entry.size);
    this.#leftover.add(key);
    await this.#turns.take(key, () => this.#removeFiles(key));
  }

  /** Does what could not be done before: writes states, removes files of settled items. Never rejects. */
  async tidy(): Promise<void> {
    for (const key of [...this.#unwritten.keys()]) {
      try {
        await this.#turns.take(key, () => this.#writeState(key));
      } catch (error) {
        this.#log.error({ item: key, reason: messageOf(error) }, 'the state of a spool item cannot be written');
      }
    }
    for (const key of [...this.#leftover]) await this.#turns.take(key, () => this.#removeFiles(key));
    await this.#reading.again();
  }

  /** The message of an item. When its bytes have changed, its reading fails at the end, and `isDamaged` says so. */
  content(item: SpoolItem): Content {
    const content = contentOf({ kind: 'file', path: emlOf(this.#paths.root, item.item), size: item.size });
    return checkedContent(content, item.crc32, () => this.#damaged.add(item.item));
  }

  /** Whether a reading has found the message of an item damaged: it belongs set aside. */
  isDamaged(key: string): boolean {
    return this.#damaged.has(key);
  }

  /** Sets an item aside in `corrupt`: it is not delivered, and not deleted. */
  async setAside(key: string, reason: string, from: string = this.#paths.root): Promise<void> {
    if (from === this.#paths.root) {
      const entry = this.#index.delete(key);
      this.#unwritten.delete(key);
      this.#damaged.delete(key);
      if (entry !== undefined) this.#room.release(entry.size);
    }
    await this.#turns.take(key, () => this.#corrupt.takeItem(key, reason.slice(0, 500), from));
  }

  /**
   * Puts an item of `corrupt` back, to be tried at once. Its files there are removed when it lies in the spool, fsynced:
   * until then they are the item, also after a kill.
   * @param name its key, or the name of one of its files
   * @returns undefined when there is none of that name
   * @throws Error that says why it cannot be put back
   */
  async requeue(name: string, now: Date): Promise<SpoolItem | undefined> {
    const stem = name.replace(/\.(eml|json|reason)$/, '');
    const found = await this.#corrupt.load(stem);
    if (found === undefined) return undefined;
    const waiting = { ...found.item, running: false, nextAttempt: now.toISOString() };
    const item = await this.add(waiting, found.content, true);
    await this.#corrupt.forget(stem);
    this.#log.info({ id: item.traceId, item: item.item }, 'an item that was set aside is in the spool again');
    return item;
  }

  /** Takes over what commands have put into `incoming`, and returns it. */
  async takeIncoming(): Promise<readonly SpoolItem[]> {
    const { incoming } = this.#paths;
    const taken: SpoolItem[] = [];
    for (const key of await keysIn(incoming, '.json')) {
      try {
        const item = await this.#take(key);
        if (item !== undefined) taken.push(item);
      } catch (error) {
        if (isDamage(error)) await this.setAside(key, messageOf(error), incoming);
        else this.#log.error({ item: key, reason: messageOf(error) }, 'an item cannot be taken over');
      }
    }
    return taken;
  }

  /** Gives the folder up. */
  async close(): Promise<void> {
    this.#room.stop();
    await this.#reading.stop();
    await this.#lock.release();
  }

  async #take(key: string): Promise<SpoolItem | undefined> {
    const { incoming, root } = this.#paths;
    if (this.has(key)) throw new Error('an item of this key is in the spool already');
    // The message is moved first: after a crash in between it lies in its place already.
    const moved = !(await exists(emlOf(incoming, key)));
    const item = await loadItem(incoming, key, moved ? root : incoming);
    if (item === undefined) return undefined;
    if (!moved) await this.#files.move(emlOf(incoming, key), emlOf(root, key));
    await this.#files.move(jsonOf(incoming, key), jsonOf(root, key));
    this.#room.take(item.size);
    this.#index.set(item);
    return item;
  }

  async #recover(): Promise<void> {
    const { root, tmp, incoming, corrupt } = this.#paths;
    const scan = await scanSpool(root);
    for (const [key, size] of scan.items) {
      this.#index.found(key, size);
      this.#room.take(size);
    }
    for (const key of uncounted(root, scan.items)) await this.remove(key);
    await this.takeIncoming();
    const unfinished = new Set((await readdir(tmp)).map((name) => /^(.*)\.json\./.exec(name)?.[1]));
    for (const [key, reason] of scan.incomplete) {
      if (this.#index.has(key)) continue;
      // It was being added, and was not acknowledged, or it was settled.
      if (unfinished.has(key) && !(await exists(jsonOf(root, key)))) await this.#discard(emlOf(root, key));
      else await this.setAside(key, reason);
    }
    for (const name of scan.strangers) await this.#corrupt.takeFile(name);
    await this.#corrupt.finishRequeues((key) => this.#index.has(key));
    await rm(tmp, { recursive: true, force: true });
    await makeFolders(this.#paths);
    for (const key of await keysIn(incoming, '.eml'))
      if (await isStale(incoming, key)) await this.#discard(emlOf(incoming, key));
    await removeTemporaries(incoming, { age: STALE });
    if (scan.items.size > 0) this.#log.debug({ items: scan.items.size, corrupt }, 'the spool was looked through');
  }

  /** The `.json` makes it exist: it is moved away first, and while it lies in tmp its message is known to be settled. */
  async #removeFiles(key: string): Promise<void> {
    if (!this.#leftover.has(key)) return;
    const { root, tmp } = this.#paths;
    const gone = path.join(tmp, `${key}.json.settled`);
    try {
      try {
        await this.#files.move(jsonOf(root, key), gone);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
      await this.#files.remove(emlOf(root, key));
      await this.#files.remove(gone);
      this.#leftover.delete(key);
    } catch (error) {
      this.#log.error({ item: key, reason: messageOf(error) }, 'a settled spool item could not be removed');
    }
  }

  /** When the oldest item came. Looked for only now and then, as there may be a million. */
  #oldest(): number | undefined {
    if (this.#index.size === 0) return undefined;
    const now = performance.now();
    if (this.#age !== undefined && now - this.#age.at < AGE_FOR && this.#index.has(this.#age.key))
      return this.#age.time;
    let oldest: { key: string; time: number } | undefined;
    for (const { key, facts } of this.#index.values())
      if (facts !== undefined && (oldest === undefined || facts.time < oldest.time)) oldest = { key, time: facts.time };
    if (oldest !== undefined) this.#age = { at: now, ...oldest };
    return oldest?.time;
  }

  async #discard(file: string): Promise<void> {
    await discard(this.#files, this.#log, file);
  }
}

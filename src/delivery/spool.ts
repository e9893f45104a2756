import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { contentOf, type Content } from '../message/source.js';
import { durableFiles, isMissing, type DurableFiles } from '../store/files.js';
import { takeLock, type ProcessLock } from '../store/process-lock.js';
import type { Log } from '../telemetry/log.js';
import { eachOf } from './each.js';
import { emlOf, jsonOf, keysIn, loadItem, makeFolders, spoolPaths, type SpoolPaths } from './spool-folder.js';
import { formatItem, type SpoolItem } from './spool-item.js';
import { SpoolRoom, type SpoolLimits } from './spool-room.js';
import { SpoolFullError, type SpoolState } from './types.js';

export interface SpoolOptions {
  readonly folder: string;
  readonly limits: SpoolLimits;
  readonly log: Log;
  readonly files?: DurableFiles;
}

/** Files of a dead command are removed from `incoming` after this time, ms. */
const STALE = 3_600_000;
const READERS = 32;
/** For how long the oldest item is taken to be that, while it is there, ms. */
const AGE_FOR = 30_000;

/** The mail that waits on this node's disk. One process owns the folder; reading it is safe for all. */
export class Spool {
  readonly #paths: SpoolPaths;
  readonly #files: DurableFiles;
  readonly #log: Log;
  readonly #room: SpoolRoom;
  readonly #items = new Map<string, SpoolItem>();
  readonly #lock: ProcessLock;
  #age: { readonly at: number; readonly item: string; readonly time: string } | undefined;

  private constructor(paths: SpoolPaths, options: SpoolOptions, lock: ProcessLock) {
    this.#paths = paths;
    this.#files = options.files ?? durableFiles();
    this.#log = options.log;
    this.#room = new SpoolRoom(paths.root, options.limits, options.log);
    this.#lock = lock;
  }

  /**
   * Takes the folder, clears what a killed process left half-written, and reads the items; damaged ones are set aside.
   * @throws LockedError
   */
  static async open(options: SpoolOptions): Promise<Spool> {
    const paths = spoolPaths(options.folder);
    await makeFolders(paths);
    const lock = await takeLock(paths.lock);
    try {
      const spool = new Spool(paths, options, lock);
      await rm(paths.tmp, { recursive: true, force: true });
      await makeFolders(paths);
      await spool.takeIncoming();
      await spool.#load();
      await spool.#room.watch();
      return spool;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  get items(): ReadonlyMap<string, SpoolItem> {
    return this.#items;
  }

  get state(): SpoolState {
    const oldest = this.#oldest();
    return { ...this.#room.state, ...(oldest === undefined ? {} : { oldest: new Date(oldest) }) };
  }

  hasRoom(): boolean {
    return this.#room.has();
  }

  /**
   * Writes a new item, fsynced when this resolves.
   * @param own our own mail (a DSN): the limits on size and number do not hold for it
   * @throws SpoolFullError; RangeError when there is an item of that key
   */
  async add(item: SpoolItem, content: Content, own = false): Promise<void> {
    const { size } = content;
    if (own ? !this.#room.diskOk(size) : !this.#room.has(size)) throw new SpoolFullError('the spool has no room');
    if (this.#items.has(item.item)) throw new RangeError(`${item.item} is in the spool already`);
    this.#items.set(item.item, item);
    this.#room.take(size);
    const eml = emlOf(this.#paths.root, item.item);
    try {
      await this.#files.create(eml, content.read(), this.#paths.tmp);
      await this.#files.create(jsonOf(this.#paths.root, item.item), formatItem(item), this.#paths.tmp);
    } catch (error) {
      this.#room.release(size);
      this.#items.delete(item.item);
      await this.#discard(eml);
      if (isFull(error)) throw new SpoolFullError('the disk has no room', { cause: error });
      throw error;
    }
  }

  /** When the oldest item came. Looked for only now and then, as there may be a million. */
  #oldest(): string | undefined {
    if (this.#items.size === 0) return undefined;
    const now = performance.now();
    if (this.#age !== undefined && now - this.#age.at < AGE_FOR && this.#items.has(this.#age.item))
      return this.#age.time;
    let oldest: SpoolItem | undefined;
    for (const item of this.#items.values()) if (oldest === undefined || item.time < oldest.time) oldest = item;
    if (oldest !== undefined) this.#age = { at: now, item: oldest.item, time: oldest.time };
    return oldest?.time;
  }

  /** A key that no item has: the given one, or the next with `.rN` behind it. */
  freeKey(wanted: string): string {
    let key = wanted;
    for (let number = 2; this.#items.has(key); number += 1) key = `${wanted}.r${number}`;
    return key;
  }

  /** Writes the new state of an item, fsynced when this resolves. The state in memory changes also when that fails. */
  async update(item: SpoolItem): Promise<void> {
    this.#items.set(item.item, item);
    await this.#files.replace(jsonOf(this.#paths.root, item.item), formatItem(item), this.#paths.tmp);
  }

  /** Removes a settled item: the `.json` first, as that makes it exist. */
  async remove(key: string): Promise<void> {
    const item = this.#items.get(key);
    if (item === undefined) return;
    this.#items.delete(key);
    this.#room.release(item.size);
    await this.#files.remove(jsonOf(this.#paths.root, key));
    await this.#files.syncFolder(this.#paths.root);
    await this.#files.remove(emlOf(this.#paths.root, key));
  }

  /** The message of an item. */
  content(item: SpoolItem): Content {
    return contentOf({ kind: 'file', path: emlOf(this.#paths.root, item.item), size: item.size });
  }

  /** Sets an item aside in `corrupt`: it is not delivered, and not deleted. */
  async setAside(key: string, reason: string, from: string = this.#paths.root): Promise<void> {
    const item = this.#items.get(key);
    if (item !== undefined) this.#room.release(item.size);
    this.#items.delete(key);
    this.#log.error({ item: key, reason }, 'a damaged spool item was set aside in spool/corrupt');
    for (const pathOf of [jsonOf, emlOf]) {
      try {
        await this.#files.move(pathOf(from, key), pathOf(this.#paths.corrupt, key));
      } catch (error) {
        if (!isMissing(error)) this.#log.error({ item: key, err: error }, 'a damaged spool item could not be moved');
      }
    }
  }

  /** Takes over what commands have put into `incoming`, and returns it. */
  async takeIncoming(): Promise<readonly SpoolItem[]> {
    const { incoming, root } = this.#paths;
    const taken: SpoolItem[] = [];
    for (const key of await keysIn(incoming, '.json')) {
      if (this.#items.has(key)) continue;
      try {
        // The message is moved first: after a crash in between it lies in its place already.
        const moved = !(await exists(emlOf(incoming, key)));
        const item = await loadItem(incoming, key, moved ? root : incoming);
        if (item === undefined) continue;
        if (!moved) await this.#files.move(emlOf(incoming, key), emlOf(root, key));
        await this.#files.move(jsonOf(incoming, key), jsonOf(root, key));
        this.#room.take(item.size);
        this.#items.set(key, item);
        taken.push(item);
      } catch (error) {
        await this.setAside(key, reasonOf(error), incoming);
      }
    }
    return taken;
  }

  /** Gives the folder up. */
  async close(): Promise<void> {
    this.#room.stop();
    await this.#lock.release();
  }

  async #load(): Promise<void> {
    const { root, incoming } = this.#paths;
    await eachOf(await keysIn(root, '.json'), READERS, async (key) => {
      if (this.#items.has(key)) return;
      try {
        const item = await loadItem(root, key);
        if (item === undefined) return;
        this.#items.set(key, item);
        this.#room.take(item.size);
      } catch (error) {
        await this.setAside(key, reasonOf(error));
      }
    });
    // A message without its .json was never acknowledged, or is settled.
    for (const key of await keysIn(root, '.eml')) if (!this.#items.has(key)) await this.#discard(emlOf(root, key));
    for (const key of await keysIn(incoming, '.eml')) await this.#discardStale(incoming, key);
  }

  async #discardStale(folder: string, key: string): Promise<void> {
    if (await exists(jsonOf(folder, key))) return;
    const file = emlOf(folder, key);
    const { mtimeMs } = await stat(file);
    if (Date.now() - mtimeMs > STALE) await this.#discard(file);
  }

  async #discard(file: string): Promise<void> {
    try {
      await this.#files.remove(file);
    } catch (error) {
      this.#log.warn({ file: path.basename(file), err: error }, 'a file of the spool could not be removed');
    }
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 500) : 'it cannot be read';
}

import path from 'node:path';
import { contentOf, type Content } from '../message/source.js';
import { messageOf } from '../store/errors.js';
import { exists, isMissing, type DurableFiles } from '../store/files.js';
import type { Log } from '../telemetry/log.js';
import { checksumOf } from './spool-checksum.js';
import { emlOf, jsonOf, keysIn, loadItem, loadSetAside, type SpoolPaths } from './spool-folder.js';
import type { SpoolItem } from './spool-item.js';

/** Behind the key: why the item was set aside, for people. */
export const REASON = '.reason';

export interface CorruptOptions {
  readonly paths: SpoolPaths;
  readonly files: DurableFiles;
  readonly log: Log;
}

/** The folder `corrupt` of the spool: what is damaged, or none of the spool's, until somebody mends it. */
export class CorruptFolder {
  readonly #paths: SpoolPaths;
  readonly #files: DurableFiles;
  readonly #log: Log;

  constructor({ paths, files, log }: CorruptOptions) {
    this.#paths = paths;
    this.#files = files;
    this.#log = log;
  }

  /**
   * Moves the files of an item there, with a file that says why. Nothing there is ever written over: an item whose key is
   * taken gets `.2` behind it. Never rejects: what cannot be moved is logged and stays.
   * @param folder where it lies
   */
  async takeItem(key: string, reason: string, folder: string): Promise<void> {
    const { corrupt, tmp } = this.#paths;
    try {
      const name = await freeName(corrupt, key, ['.json', '.eml', REASON]);
      this.#log.error({ item: key, reason, corrupt: name }, 'a damaged spool item was set aside in spool/corrupt');
      for (const pathOf of [jsonOf, emlOf]) await this.#moveIfThere(pathOf(folder, key), pathOf(corrupt, name));
      await this.#files.create(path.join(corrupt, `${name}${REASON}`), `${reason}\n`, tmp);
    } catch (error) {
      this.#log.error({ item: key, reason: messageOf(error) }, 'a damaged spool item could not be set aside');
    }
  }

  /** Moves a file there that is none of the spool's. Never rejects. */
  async takeFile(name: string): Promise<void> {
    const { root, corrupt } = this.#paths;
    try {
      const free = await freeName(corrupt, name, ['']);
      this.#log.warn(
        { file: name, corrupt: free },
        'a file that is no part of the spool was set aside in spool/corrupt',
      );
      await this.#moveIfThere(path.join(root, name), path.join(corrupt, free));
    } catch (error) {
      this.#log.error({ file: name, reason: messageOf(error) }, 'a file could not be set aside');
    }
  }

  /**
   * Reads an item that lies there.
   * @param stem its key, or its key with a number behind it
   * @returns undefined when there is none
   * @throws Error that says why it cannot be put back
   */
  async load(stem: string): Promise<{ readonly item: SpoolItem; readonly content: Content } | undefined> {
    const { corrupt } = this.#paths;
    const there = await Promise.all([jsonOf, emlOf].map(async (pathOf) => await exists(pathOf(corrupt, stem))));
    if (!there.includes(true)) return undefined;
    if (there[0] !== true) throw new Error('its .json is missing: nothing says whom the message is for');
    const item = await loadSetAside(corrupt, stem);
    return { item, content: contentOf({ kind: 'file', path: emlOf(corrupt, stem), size: item.size }) };
  }

  /** Removes what lies there of an item that is in the spool again: first what could put it back once more. */
  async forget(stem: string): Promise<void> {
    for (const end of ['.json', REASON, '.eml'])
      await discard(this.#files, this.#log, path.join(this.#paths.corrupt, `${stem}${end}`));
  }

  /**
   * A kill, or the disk, kept files whose item had been put back: the same message lies in the spool, whole.
   * @param has whether the spool has an item of that key
   */
  async finishRequeues(has: (key: string) => boolean): Promise<void> {
    const { root, corrupt } = this.#paths;
    for (const stem of await keysIn(corrupt, '.eml')) {
      // Its name is its key, or has a number behind it.
      const key = [stem, stem.replace(/\.\d+$/, '')].find(has);
      if (key === undefined) continue;
      try {
        if ((await exists(jsonOf(corrupt, stem))) && (await loadSetAside(corrupt, stem)).item !== key) continue;
        const crc32 = (await loadItem(root, key))?.crc32;
        const sums = [await checksumOf(emlOf(root, key)), await checksumOf(emlOf(corrupt, stem))];
        if (sums.every((sum) => sum === crc32)) await this.forget(stem);
      } catch (error) {
        this.#log.debug({ item: stem, err: error }, 'an item that was set aside stays in spool/corrupt');
      }
    }
  }

  async #moveIfThere(from: string, to: string): Promise<void> {
    try {
      await this.#files.move(from, to);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}

/** Removes a file that nobody needs. Never rejects. */
export async function discard(files: DurableFiles, log: Log, file: string): Promise<void> {
  try {
    await files.remove(file);
  } catch (error) {
    log.warn({ file: path.basename(file), err: error }, 'a file of the spool could not be removed');
  }
}

async function freeName(folder: string, name: string, ends: readonly string[]): Promise<string> {
  for (let number = 1; ; number += 1) {
    const wanted = number === 1 ? name : `${name}.${number}`;
    const taken = await Promise.all(ends.map(async (end) => await exists(path.join(folder, `${wanted}${end}`))));
    if (!taken.includes(true)) return wanted;
  }
}

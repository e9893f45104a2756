import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { DirectorySettings, GroupDefinition } from '../config/schema-directory.js';
import { durableFiles, isMissing } from '../store/files.js';
import { isPlainAddress } from './addresses.js';
import type { GroupCopy } from './types.js';
import { MAX_ENTRIES } from './walk.js';

const VERSION = 1;
/** A million addresses of 60 characters, and some. */
const MAX_BYTES = 96 * 2 ** 20;

const count = z.int().nonnegative();

const fileSchema = z.object({
  version: z.literal(VERSION),
  name: z.string(),
  /** Fingerprint of what the group was defined as. */
  definition: z.string(),
  readAt: z.int().positive(),
  members: count,
  absent: count,
  withoutAddress: count,
  badAddresses: count,
  addresses: z.array(z.string().max(330)).max(MAX_ENTRIES),
});

/** Where the copies lie below the data folder. */
export function copiesFolder(data: string): string {
  return path.join(data, 'directory');
}

/** The copies of groups on this node's disk: one file a group. */
export class GroupCopies {
  readonly #folder: string;
  readonly #settings: DirectorySettings;
  readonly #files = durableFiles();

  constructor(data: string, settings: DirectorySettings) {
    this.#folder = copiesFolder(data);
    this.#settings = settings;
  }

  /**
   * The copy of a configured group.
   * @returns undefined when there is none of this definition; a text for an operator when there is one that is of no use
   */
  async read(name: string): Promise<GroupCopy | string | undefined> {
    const definition = this.#settings.groups[name];
    if (definition === undefined) return undefined;
    let text;
    try {
      text = await readBounded(this.#file(name));
    } catch (error) {
      if (isMissing(error)) return undefined;
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
      return `its copy cannot be read (${code})`;
    }
    const parsed = text === undefined ? undefined : fileSchema.safeParse(parseJson(text));
    if (parsed?.success !== true) return 'its copy is damaged';
    const { data: found } = parsed;
    // Members of what the name meant before are members of another group.
    if (found.name !== name || found.definition !== fingerprint(definition, this.#settings)) return undefined;
    const { members, absent, withoutAddress, badAddresses, readAt } = found;
    const addresses = found.addresses.filter(isPlainAddress);
    return { name, readAt, members, absent, withoutAddress, badAddresses, addresses };
  }

  /** @throws Error when the disk does not take it; the old copy is there then */
  async write(copy: GroupCopy): Promise<void> {
    const definition = this.#settings.groups[copy.name];
    if (definition === undefined) return;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const { addresses, ...facts } = copy;
    const head = JSON.stringify({ version: VERSION, definition: fingerprint(definition, this.#settings), ...facts });
    const lines = addresses.map((address) => JSON.stringify(address)).join(',\n');
    await this.#files.replace(this.#file(copy.name), `${head.slice(0, -1)},"addresses":[\n${lines}\n]}\n`);
  }

  #file(name: string): string {
    return path.join(this.#folder, `${name}.json`);
  }
}

function fingerprint(definition: GroupDefinition, settings: DirectorySettings): string {
  const { base, memberAttributes, mailAttributes, userAttribute } = settings;
  return createHash('sha256')
    .update(JSON.stringify({ definition, base, memberAttributes, mailAttributes, userAttribute }))
    .digest('hex');
}

/** @returns undefined when the file is larger than a copy can be */
async function readBounded(file: string): Promise<string | undefined> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    return size > MAX_BYTES ? undefined : await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

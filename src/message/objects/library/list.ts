import type { Budget, Refusal } from '../budget.js';
import type { ArchiveEntry, Listing, Unpacked } from '../entry.js';
import { LibrarySession } from './session.js';
import { LibraryFailure } from './wasm.js';

/** Unpacked bytes of one archive that are held from listing it until its entries are asked for. */
const HOLD_BYTES = 32 * 1024 * 1024;

/**
 * Lists an archive by libarchive: 7z, rar, cab, lha. Entries of a solid archive can be had in their order only, so
 * small archives are unpacked while they are listed; of larger ones each reader goes through the archive once more.
 * @param known how many entries the archive has, where that is known: the last one need not be got past
 */
export function listByLibrary(archive: Buffer, budget: Budget, known = Infinity): Listing {
  const session = open(archive);
  if (session === undefined)
    return { entries: [], damage: ['unscannable: the unpacker cannot be started'], cut: false };
  const entries: ArchiveEntry[] = [];
  const cursor = new Cursor();
  const maxEntries = budget.entriesLeft;
  let held = 0;
  let skipped = 0;
  let stopped: Refusal | undefined;
  let cut = false;
  for (let index = 0; entries.length < known; index += 1) {
    const head = session.next();
    if (head === undefined) break;
    if (entries.length >= maxEntries || index > 2 * maxEntries + 1000) {
      cut = true;
      break;
    }
    if (head.folder) continue;
    const common = { name: head.name, packed: archive.length, claimed: head.size, encrypted: head.encrypted };
    const { bytes: max, bound } = budget.allowance(archive.length);
    const again = (bytes: Buffer, most: number): Unpacked => cursor.extract(bytes, index, most);
    if (head.encrypted) {
      entries.push({ ...common, unpack: () => ({ kind: 'damaged', detail: 'it is encrypted' }) });
    } else if (head.size > max - skipped - held) {
      // To get past it would mean to unpack it.
      entries.push({ ...common, unpack: () => ({ kind: 'over' }) });
      stopped = bound;
      break;
    } else if (held + head.size <= HOLD_BYTES) {
      const result = session.read(max - skipped - held);
      held += result.kind === 'over' ? max : (result.bytes?.length ?? 0);
      entries.push({ ...common, unpack: once(result, again) });
    } else {
      skipped += head.size;
      entries.push({ ...common, unpack: again });
    }
  }
  // What ends at an encrypted entry is encrypted as a whole: no reader gets past it without the password.
  const locked = !cut && stopped === undefined && session.encrypted;
  const damage = session.failure === undefined || locked ? [] : [`unscannable: ${session.failure}`];
  return {
    entries,
    damage,
    cut,
    ...(locked ? { encrypted: true } : {}),
    ...(stopped === undefined ? {} : { stopped }),
  };
}

function open(archive: Buffer): LibrarySession | undefined {
  try {
    return new LibrarySession(archive);
  } catch (error) {
    if (error instanceof LibraryFailure) return undefined;
    throw error;
  }
}

/** Hands out what was unpacked already, and unpacks again from then on. */
function once(first: Unpacked, again: (archive: Buffer, max: number) => Unpacked): ArchiveEntry['unpack'] {
  let held: Unpacked | undefined = first;
  return (archive, max) => {
    const result = held ?? again(archive, max);
    held = undefined;
    return result.kind === 'ok' && result.bytes.length > max ? { kind: 'over' } : result;
  };
}

/** Goes through the archive entry by entry for a reader that asks in order, and starts anew for one that goes back. */
class Cursor {
  #session: LibrarySession | undefined;
  #next = 0;

  extract(archive: Buffer, index: number, max: number): Unpacked {
    if (this.#session === undefined || index < this.#next) {
      this.#session = open(archive);
      this.#next = 0;
    }
    while (this.#session !== undefined) {
      if (this.#session.next() === undefined) break;
      this.#next += 1;
      if (this.#next > index) return this.#session.read(max);
    }
    this.#session = undefined;
    return { kind: 'damaged', detail: 'unscannable: it could not be unpacked' };
  }
}

import type { Unpacked } from '../entry.js';
import { Library, LibraryFailure } from './wasm.js';

/** What an instance may need besides the archive itself: the largest dictionaries are of 64 MiB, and grow by copying. */
const WORKING_MEMORY = 208 * 1024 * 1024;
/** Small, as an error loses what the same call had read before it. */
const CHUNK = 64 * 1024;
/** Turns of loops that are allowed for each byte that goes in or comes out: PPMd takes 1,500 where nothing repeats. */
const STEPS_PER_BYTE = 4000;
const STEPS_PER_ENTRY = 1_000_000;
const KIND_MASK = 0o170000;
const KIND_FOLDER = 0o040000;

/** The header of an entry, as the library reads it. */
export interface LibraryEntry {
  readonly name: string;
  /** Unpacked size that the archive claims, modulo 2^32. */
  readonly size: number;
  readonly encrypted: boolean;
  readonly folder: boolean;
}

/**
 * An archive that is read from its start to its end by libarchive. Filters (an archive in a gzip, and so on) are not
 * undone: those are layers of their own, with bounds of their own.
 */
export class LibrarySession {
  readonly #library: Library;
  readonly #archive: number;
  readonly #chunk: number;
  #failure: string | undefined;
  /** Size of the entry that `next` went to and that nobody has read yet: to get past it is to unpack it. */
  #unread = 0;

  /** @throws {LibraryFailure} when the library cannot even be started */
  constructor(bytes: Buffer) {
    this.#library = new Library(WORKING_MEMORY + bytes.length);
    this.#chunk = this.#library.allocate(CHUNK);
    this.#archive = this.#library.call('archive_read_new');
    this.#library.call('archive_read_support_format_all', this.#archive);
    const at = this.#library.put(bytes);
    this.#library.allow(bytes.length * STEPS_PER_BYTE);
    if (this.#library.call('archive_read_open_memory', this.#archive, at, bytes.length) !== 0)
      this.#failure = this.#error();
  }

  /** Why reading ended before the end of the archive, if it did. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Whether anything that was met so far is encrypted, the list of entries included. */
  get encrypted(): boolean {
    return this.#guard(() => this.#library.call('archive_read_has_encrypted_entries', this.#archive) > 0) ?? false;
  }

  /** Goes to the next entry; undefined at the end, or when `failure` says why not. */
  next(): LibraryEntry | undefined {
    if (this.#failure !== undefined) return undefined;
    return this.#guard(() => {
      if (this.#unread > 0) this.#passOver();
      this.#library.allow(STEPS_PER_ENTRY);
      const entry = this.#library.call('archive_read_next_entry', this.#archive);
      if (entry === 0) {
        const error = this.#error();
        if (error !== '') this.#failure = error;
        return undefined;
      }
      const size = this.#library.call('archive_entry_size', entry) >>> 0;
      const encrypted = this.#library.call('archive_entry_is_encrypted', entry) !== 0;
      this.#unread = encrypted ? 0 : size;
      return {
        name: this.#library.text(this.#library.call('archive_entry_pathname_utf8', entry)).replaceAll('\\', '/'),
        size,
        encrypted,
        folder: (this.#library.call('archive_entry_filetype', entry) & KIND_MASK) === KIND_FOLDER,
      };
    });
  }

  /** Unpacks the entry that `next` went to. */
  read(max: number): Unpacked {
    const pieces: Buffer[] = [];
    let length = 0;
    this.#unread = 0;
    for (;;) {
      const got = this.#guard(() => this.#library.call('archive_read_data', this.#archive, this.#chunk, CHUNK));
      if (got === undefined || got < 0) {
        const detail = `unscannable: ${this.#failure ?? this.#error()}`;
        return length === 0 ? { kind: 'damaged', detail } : { kind: 'damaged', bytes: Buffer.concat(pieces), detail };
      }
      if (got === 0) return { kind: 'ok', bytes: Buffer.concat(pieces) };
      length += got;
      this.#library.allow(got * STEPS_PER_BYTE);
      if (length > max) return { kind: 'over' };
      pieces.push(this.#library.copy(this.#chunk, got));
    }
  }

  /** Unpacks what nobody asked for, piece by piece: what is allowed grows with what comes out, however much that is. */
  #passOver(): void {
    for (let left = this.#unread; left > 0;) {
      const got = this.#library.call('archive_read_data', this.#archive, this.#chunk, CHUNK);
      // What is wrong shows when the next entry is asked for.
      if (got <= 0) break;
      this.#library.allow(got * STEPS_PER_BYTE);
      left -= got;
    }
    this.#unread = 0;
  }

  #error(): string {
    const text = this.#library.text(this.#library.call('archive_error_string', this.#archive));
    return text.slice(0, 200);
  }

  /** Runs calls into the library; when it stops, the archive ends here. */
  #guard<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof LibraryFailure)) throw error;
      this.#failure = `the unpacker gave up (${error.message})`;
      return undefined;
    }
  }
}

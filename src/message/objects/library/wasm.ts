import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { metered, STEPS } from './metered.js';

/** The version whose short names stand below; the package is pinned to it. */
const VERSION = 'libarchive 3.7.7';
const PAGE = 65536;

/** Short names of the build's exports. */
const NAMES = {
  construct: 'x',
  archive_read_new: 'z',
  archive_read_support_format_all: 'B',
  archive_read_open_memory: 'D',
  archive_read_next_entry: 'E',
  archive_entry_filetype: 'J',
  archive_entry_pathname_utf8: 'M',
  archive_entry_size: 'N',
  archive_entry_is_encrypted: 'P',
  malloc: 'R',
  archive_read_has_encrypted_entries: 'S',
  archive_read_data: 'T',
  archive_version_string: 'W',
  archive_error_string: 'X',
} as const;
const MEMORY = 'w';
/** Imports that do something; it gets no files, no clock and no environment. */
const IMPORT_ABORT = 'i';
const IMPORT_EXIT = 'd';
const IMPORT_ENVIRON_GET = 'f';
const IMPORT_ENVIRON_SIZES = 'g';
const IMPORT_GROW = 'o';

/** What starting takes, and small archives. */
const START_STEPS = 20_000_000;
/** What may be left over at any time: some seconds. */
const MAX_STEPS = 6_000_000_000;

type LibraryCall = keyof typeof NAMES;

/** The library failed in itself: it ran out of its memory, or stopped. The instance is of no further use. */
export class LibraryFailure extends Error {}

/** A fresh instance of libarchive with a memory of its own. What goes wrong in it harms no other. */
export class Library {
  readonly #exports: Readonly<Record<string, WebAssembly.ExportValue>>;
  readonly #memory: WebAssembly.Memory;
  readonly #steps: WebAssembly.Global;
  /** Turns of its loops that it may still make. */
  #allowed = 0;

  /** @param maxMemory bytes that the instance may have in all */
  constructor(maxMemory: number) {
    const module = compiled();
    const imports: Record<string, WebAssembly.ImportFunction> = {};
    for (const { name } of WebAssembly.Module.imports(module)) imports[name] = () => -1;
    imports[IMPORT_ABORT] = stop;
    imports[IMPORT_EXIT] = stop;
    imports[IMPORT_ENVIRON_GET] = () => 0;
    imports[IMPORT_ENVIRON_SIZES] = (count = 0, size = 0) => {
      const view = new DataView(this.#memory.buffer);
      view.setUint32(count, 0, true);
      view.setUint32(size, 0, true);
      return 0;
    };
    imports[IMPORT_GROW] = (wanted = 0) => (this.#grow(wanted >>> 0, maxMemory) ? 1 : 0);
    this.#exports = new WebAssembly.Instance(module, { a: imports }).exports;
    const memory = this.#exports[MEMORY];
    const steps = this.#exports[STEPS];
    if (!(memory instanceof WebAssembly.Memory)) throw new LibraryFailure('no memory is exported');
    if (!(steps instanceof WebAssembly.Global)) throw new LibraryFailure('its steps are not counted');
    this.#memory = memory;
    this.#steps = steps;
    this.allow(START_STEPS);
    this.call('construct');
    const version = this.text(this.call('archive_version_string'));
    if (version !== VERSION) throw new LibraryFailure(`${VERSION} is expected, not ${version}`);
  }

  /**
   * Calls a function of the library. Numbers of 64 bits come back as their low 32.
   * @throws {LibraryFailure} when the library stops
   */
  call(name: LibraryCall, ...args: readonly number[]): number {
    const target = this.#exports[NAMES[name]];
    if (typeof target !== 'function') throw new LibraryFailure(`${name} is not exported`);
    const allowed = this.#allowed;
    this.#steps.value = BigInt(allowed);
    try {
      return target(...args);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) {
        throw new LibraryFailure(error.message, { cause: error });
      }
      throw error;
    } finally {
      this.#allowed -= allowed - Number(this.#steps.value);
    }
  }

  /** Lets its loops go round so many times more. Who has used that up is stopped: nothing else would end a loop. */
  allow(steps: number): void {
    this.#allowed = Math.min(this.#allowed + steps, MAX_STEPS);
  }

  /** Copies bytes into the instance; gives where they stand. */
  put(bytes: Uint8Array): number {
    const at = this.allocate(bytes.length);
    new Uint8Array(this.#memory.buffer).set(bytes, at);
    return at;
  }

  allocate(length: number): number {
    const at = this.call('malloc', Math.max(1, length));
    if (at === 0) throw new LibraryFailure('out of memory');
    return at >>> 0;
  }

  /** A copy of bytes of the instance. */
  copy(at: number, length: number): Buffer {
    return Buffer.from(new Uint8Array(this.#memory.buffer, at, length));
  }

  /** A text that ends at a NUL; empty for the null pointer. */
  text(at: number): string {
    if (at === 0) return '';
    const memory = Buffer.from(this.#memory.buffer);
    const end = memory.indexOf(0, at >>> 0);
    return memory.toString('utf8', at >>> 0, end < 0 ? memory.length : end);
  }

  #grow(wanted: number, maxMemory: number): boolean {
    if (wanted > maxMemory) return false;
    try {
      this.#memory.grow(Math.ceil(Math.max(0, wanted - this.#memory.buffer.byteLength) / PAGE));
      return true;
    } catch (error) {
      // The machine has no more: the library reports that as its own failure.
      if (error instanceof RangeError) return false;
      throw error;
    }
  }
}

function stop(): number {
  throw new LibraryFailure('it stopped');
}

let module: WebAssembly.Module | undefined;

/** Compiled when first needed, and once in each thread: some milliseconds. */
function compiled(): WebAssembly.Module {
  const file = createRequire(import.meta.url).resolve('libarchive-wasm/dist/libarchive.wasm');
  module ??= new WebAssembly.Module(metered(readFileSync(file)));
  return module;
}

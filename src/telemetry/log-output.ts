import fs from 'node:fs';
import { codeOf } from '../config/file-error.js';

/** Lines are put together to writes of about so many bytes: a container runtime reads no more at a time. */
const MAX_WRITE = 16_384;
/** So many characters wait for a reader that stands still; what is logged beyond them is lost. */
const MAX_WAITING = 16 * 2 ** 20;
/** Pause before a reader that takes nothing just now is tried again, ms. */
const BUSY_PAUSE = 50;
/** How long the end of the process waits for such a reader, ms. */
const EXIT_PATIENCE = 5_000;
/** How often it is tried, without anything new to log, whether lines can be written again, ms. */
const RETRY = 5_000;

const NEWLINE = 0x0a;

export interface LogOutputOptions {
  /** Each line is written before `write` returns, in order with what else is printed. */
  readonly sync?: boolean;
  /** The line that tells, as soon as lines can be written again, how many were lost. */
  readonly notice: (lost: number, reason: string) => string;
  /** Told each time that lines begin to be lost. */
  readonly onLoss: (reason: string) => void;
}

/** The calls that write. */
export type WriteCalls = Pick<typeof fs, 'writeSync'> & {
  write(fd: number, bytes: Buffer, done: (error: NodeJS.ErrnoException | null, count: number) => void): void;
};

/** What is being written, as far as it is not yet written. */
interface Chunk {
  readonly bytes: Buffer;
  /** Lost lines of which it tells; absent when it holds lines of the log. */
  readonly tells?: number;
}

/**
 * Where the lines of the log go. It never throws and never holds up its caller: what cannot be written, such as to a
 * full disk, is lost and counted, and the log itself says so when it can be written again. A reader may be slow: lines
 * that wait for him when the process ends are written then.
 */
export class LogOutput {
  readonly #fd: number;
  readonly #options: LogOutputOptions;
  readonly #calls: WriteCalls;
  #waiting: string[] = [];
  #length = 0;
  #chunk: Chunk | undefined;
  /** The chunk is in the hands of another thread. */
  #writing = false;
  /** The last byte written was none that ends a line. */
  #midLine = false;
  #lost = 0;
  #reason = '';
  #readerGone = false;
  #pause: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(fd: number, options: LogOutputOptions, calls: WriteCalls = fs) {
    this.#fd = fd;
    this.#options = options;
    this.#calls = calls;
    process.on('exit', () => this.#flush());
  }

  /** @param line with its line end */
  write(line: string): void {
    if (this.#readerGone) return;
    if (this.#length + line.length > MAX_WAITING) {
      this.#lose(1, 'its reader stands still');
      return;
    }
    this.#waiting.push(line);
    this.#length += line.length;
    this.#go();
  }

  #go(): void {
    if (this.#writing || this.#pause !== undefined) return;
    if (this.#options.sync === true) {
      if (!this.#writeAll()) this.#rest();
      return;
    }
    const chunk = (this.#chunk ??= this.#next());
    if (chunk === undefined) return;
    this.#writing = true;
    this.#calls.write(this.#fd, chunk.bytes, (error, count) => {
      this.#writing = false;
      if (error === null) this.#written(chunk, count);
      else if (isBusy(error)) this.#rest();
      else this.#failed(chunk, error);
      this.#go();
    });
  }

  /** Writes all that waits. @returns whether that is done, or the reader takes nothing just now */
  #writeAll(): boolean {
    for (;;) {
      const chunk = (this.#chunk ??= this.#next());
      if (chunk === undefined) return true;
      try {
        this.#written(chunk, this.#calls.writeSync(this.#fd, chunk.bytes));
      } catch (error) {
        if (isBusy(error)) return false;
        this.#failed(chunk, error);
      }
    }
  }

  /** At the end of the process. What another thread is writing is left to it. */
  #flush(): void {
    if (this.#writing) this.#chunk = undefined;
    const since = performance.now();
    while (!this.#writeAll() && performance.now() - since < EXIT_PATIENCE)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_PAUSE);
  }

  /** After lines were lost: an end for the line that was cut off, and how many there were, before those that follow. */
  #next(): Chunk | undefined {
    if (this.#lost > 0 && (this.#waiting.length > 0 || this.#retry === undefined)) {
      const text = this.#options.notice(this.#lost, this.#reason);
      return { bytes: Buffer.from(this.#midLine ? `\n${text}` : text), tells: this.#lost };
    }
    let [count, length] = [0, 0];
    for (const line of this.#waiting) {
      if (count > 0 && length + line.length > MAX_WRITE) break;
      count += 1;
      length += line.length;
    }
    if (count === 0) return undefined;
    this.#length -= length;
    return { bytes: Buffer.from(this.#waiting.splice(0, count).join('')) };
  }

  #written({ bytes, tells }: Chunk, count: number): void {
    if (count > 0) this.#midLine = bytes[count - 1] !== NEWLINE;
    this.#chunk =
      count === bytes.length ? undefined : { bytes: bytes.subarray(count), ...(tells === undefined ? {} : { tells }) };
    if (this.#chunk === undefined && tells !== undefined) this.#lost -= tells;
  }

  /** All that waits is lost with what could not be written. */
  #failed({ bytes, tells }: Chunk, error: unknown): void {
    const lines = this.#waiting.length + (tells === undefined ? bytes.filter((byte) => byte === NEWLINE).length : 0);
    this.#chunk = undefined;
    this.#waiting = [];
    this.#length = 0;
    this.#readerGone = codeOf(error) === 'EPIPE';
    if (this.#readerGone) return;
    this.#lose(lines, error instanceof Error ? error.message : String(error));
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#go();
    }, RETRY).unref();
  }

  #lose(lines: number, reason: string): void {
    this.#reason = reason;
    const isFirst = this.#lost === 0;
    this.#lost += lines;
    if (isFirst && lines > 0) this.#options.onLoss(reason);
  }

  #rest(): void {
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#go();
    }, BUSY_PAUSE).unref();
  }
}

function isBusy(error: unknown): boolean {
  return ['EAGAIN', 'EBUSY', 'EINTR'].includes(codeOf(error) ?? '');
}

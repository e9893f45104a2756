import { open, readdir, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { PieceList } from './piece-list.js';

const SUFFIX = '.upload';
/** Bytes that may wait to be written before the client is made to wait. */
const MAX_WAITING = 64 * 1024;

/** The file of one large message while it comes in. Written in order, in the background, with bounded memory. */
export class UploadFile {
  readonly path: string;
  size = 0;
  readonly #handle: Promise<FileHandle>;
  #waiting = new PieceList();
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #failure: unknown;

  /** @param name unique name, such as the trace ID */
  constructor(folder: string, name: string) {
    this.path = path.join(folder, name + SUFFIX);
    this.#handle = open(this.path, 'wx', 0o600);
    this.#handle.catch((error: unknown) => {
      this.#failure ??= error;
    });
  }

  add(piece: Buffer): void {
    this.size += piece.length;
    if (this.#failure !== undefined) return;
    this.#waiting.add(piece);
    this.#waitingBytes += piece.length;
    if (this.#waitingBytes >= MAX_WAITING) this.#write();
  }

  /** Why the file could not be written; what is added afterwards is dropped. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Resolves (never rejects) when there is room again; undefined when there is. */
  get pressure(): Promise<void> | undefined {
    return this.#waitingBytes >= MAX_WAITING ? this.#writing : undefined;
  }

  /** Writes what waits and closes. @throws what made the writing fail */
  async finish(): Promise<void> {
    while (this.#waitingBytes > 0 && this.#failure === undefined) {
      this.#write();
      await this.#writing;
    }
    await this.#writing;
    const handle = await this.#handle;
    await handle.close();
    if (this.#failure !== undefined) {
      throw this.#failure instanceof Error ? this.#failure : new Error('the upload file cannot be written');
    }
  }

  /** Closes and removes the file, whatever state it is in. Never rejects. */
  async discard(): Promise<void> {
    this.#failure ??= new Error('discarded');
    this.#waiting = new PieceList();
    await this.#writing;
    await this.#handle.then(
      (handle) => handle.close(),
      () => undefined,
    );
    await removeUpload(this.path);
  }

  #write(): void {
    if (this.#writing !== undefined) return;
    const batch = Buffer.concat(this.#waiting.take());
    this.#waiting = new PieceList();
    this.#writing = this.#handle
      .then((handle) => handle.writeFile(batch))
      .catch((error: unknown) => {
        this.#failure ??= error;
        this.#waiting = new PieceList();
        this.#waitingBytes = batch.length;
      })
      .then(() => {
        this.#waitingBytes -= batch.length;
        this.#writing = undefined;
        if (this.#waitingBytes >= MAX_WAITING) this.#write();
      });
  }
}

/** Removes a file that is no longer needed; one that stays behind is removed at the next start. Never rejects. */
export async function removeUpload(file: string): Promise<void> {
  await rm(file, { force: true }).catch(() => undefined);
}

/** Removes what an earlier process left behind. @returns how many files */
export async function removeLeftovers(folder: string): Promise<number> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(SUFFIX));
  await Promise.all(names.map((name) => rm(path.join(folder, name), { force: true })));
  return names.length;
}

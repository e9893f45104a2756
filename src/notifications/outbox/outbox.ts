import { createReadStream } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import path from 'node:path';
import { ulid } from 'ulid';
import type { Content } from '../../message/source.js';
import type { TraceId } from '../../message/trace-id.js';
import { durableFiles, isMissing, shared, type DurableFiles } from '../../store/files.js';
import { takeLock, type ProcessLock } from '../../store/process-lock.js';
import type { Log } from '../../telemetry/log.js';
import type { OutboxEntry } from '../webhooks/types.js';
import { decodeLine, encodeLine } from './batch.js';
import { BATCH, ORIGINAL, readFolder } from './folder.js';

/** Where an entry lies: the notification itself stays on disk. */
interface Entry {
  readonly batch: string;
  readonly start: number;
  readonly length: number;
  readonly traceId: TraceId;
  readonly original: boolean;
  /** Of a call of a webhook. */
  readonly hook?: string;
}

export interface OutboxOptions {
  /** `data/outbox`; made when it is not there. */
  readonly folder: string;
  readonly log: Log;
  readonly files?: DurableFiles;
}

/**
 * Notifications that are owed, on this node's disk until the ledger has a final state for them. Files of JSON lines,
 * one for all that was put at the same time; a file goes when the last of its entries is settled.
 */
export class Outbox {
  private readonly folder: string;
  private readonly log: Log;
  private readonly files: DurableFiles;
  private readonly lock: ProcessLock;
  private readonly entries = new Map<string, Entry>();
  /** Number of entries of each file that are not settled. */
  private readonly live = new Map<string, number>();
  /** Number of entries, written or being written, that need the original of a message. */
  private readonly originals = new Map<TraceId, number>();
  /** Number of calls of each webhook. */
  private readonly calls = new Map<string, number>();
  private waiting: (readonly OutboxEntry[])[] = [];
  private readonly flush = shared(() => this.writeWaiting());

  private constructor(options: OutboxOptions, files: DurableFiles, lock: ProcessLock) {
    this.folder = options.folder;
    this.log = options.log;
    this.files = files;
    this.lock = lock;
  }

  /** Reads what a former run left. @throws LockedError when another process works in the folder */
  static async open(options: OutboxOptions): Promise<Outbox> {
    const files = options.files ?? durableFiles();
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const lock = await takeLock(path.join(options.folder, 'lock'));
    try {
      const outbox = new Outbox(options, files, lock);
      const { batches, originals } = await readFolder(options.folder, options.log, files);
      for (const batch of batches) {
        for (const { notification, start, length } of batch.lines) {
          if (outbox.entries.has(notification.id)) continue;
          outbox.keep(notification, { batch: batch.name, start, length });
        }
        if (!outbox.live.has(batch.name)) await files.remove(path.join(options.folder, batch.name));
      }
      const needed = new Set<string>(outbox.originals.keys());
      for (const name of originals)
        if (!needed.has(name)) await files.remove(path.join(options.folder, `${name}${ORIGINAL}`));
      return outbox;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Number of entries that are not settled. */
  get size(): number {
    return this.entries.size;
  }

  /** Number of calls that are owed to a webhook. */
  callsOf(hook: string): number {
    return this.calls.get(hook) ?? 0;
  }

  ids(): readonly string[] {
    return [...this.entries.keys()];
  }

  has(id: string): boolean {
    return this.entries.has(id);
  }

  /**
   * Resolves when all of them are fsynced; rejects when they cannot be written, and then none is owed. Calls at the same
   * time share one write and one fsync. An ID that is there already is not written again.
   * @param original the message, for `attach: original`
   */
  async put(owed: readonly OutboxEntry[], original?: Content): Promise<void> {
    if (owed.length === 0) return;
    const attached = owed.filter((each) => each.attach === 'original');
    for (const each of attached) this.count(each.traceId, 1);
    try {
      const traceId = attached[0]?.traceId;
      if (traceId !== undefined && original !== undefined)
        await this.files.replace(this.originalFile(traceId), original.read());
      this.waiting.push(owed);
      await this.flush();
    } finally {
      // What was written has been counted by its entry meanwhile.
      await Promise.all(attached.map((each) => this.uncount(each.traceId)));
    }
  }

  /** The notification, read from disk; undefined when it is settled. */
  async read(id: string): Promise<OutboxEntry | undefined> {
    const entry = this.entries.get(id);
    if (entry === undefined) return undefined;
    try {
      const handle = await open(path.join(this.folder, entry.batch), 'r');
      try {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(entry.length), 0, entry.length, entry.start);
        const notification = decodeLine(buffer.subarray(0, bytesRead));
        if (notification === undefined) this.log.error({ id, file: entry.batch }, 'an entry of the outbox is damaged');
        return notification;
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (isMissing(error) && !this.entries.has(id)) return undefined;
      throw error;
    }
  }

  /** The original of a message, for `attach: original`; undefined when it is not kept here. */
  async original(traceId: TraceId): Promise<Content | undefined> {
    const file = this.originalFile(traceId);
    try {
      const { size } = await stat(file);
      return { size, read: (): AsyncIterable<Buffer> => createReadStream(file, { highWaterMark: 256 * 1024 }) };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** These have a final state in the ledger: they leave. IDs that are not here are no error. */
  async settle(ids: Iterable<string>): Promise<void> {
    const empty: string[] = [];
    const originals: TraceId[] = [];
    for (const id of ids) {
      const entry = this.entries.get(id);
      if (entry === undefined) continue;
      this.entries.delete(id);
      if (entry.original) originals.push(entry.traceId);
      if (entry.hook !== undefined) this.countCall(entry.hook, -1);
      const left = (this.live.get(entry.batch) ?? 1) - 1;
      if (left > 0) this.live.set(entry.batch, left);
      else {
        this.live.delete(entry.batch);
        empty.push(entry.batch);
      }
    }
    for (const name of empty) await this.files.remove(path.join(this.folder, name));
    for (const traceId of originals) await this.uncount(traceId);
  }

  /** Waits for what is being written and gives the folder up. */
  async close(): Promise<void> {
    if (this.waiting.length > 0) await this.flush();
    await this.lock.release();
  }

  private async writeWaiting(): Promise<void> {
    const fresh = new Map<string, OutboxEntry>();
    for (const owed of this.waiting) for (const each of owed) if (!this.entries.has(each.id)) fresh.set(each.id, each);
    this.waiting = [];
    if (fresh.size === 0) return;
    const batch = `${ulid()}${BATCH}`;
    const lines = [...fresh.values()].map((notification) => ({ notification, bytes: encodeLine(notification) }));
    await this.files.create(
      path.join(this.folder, batch),
      lines.map((line) => line.bytes),
    );
    let start = 0;
    for (const { notification, bytes } of lines) {
      this.keep(notification, { batch, start, length: bytes.length - 1 });
      start += bytes.length;
    }
  }

  private keep(
    entry: OutboxEntry,
    place: { readonly batch: string; readonly start: number; readonly length: number },
  ): void {
    const { id, traceId, attach } = entry;
    const original = attach === 'original';
    const hook = entry.kind === 'webhook' ? { hook: entry.hook } : {};
    this.entries.set(id, { ...place, traceId, original, ...hook });
    if (entry.kind === 'webhook') this.countCall(entry.hook, 1);
    this.live.set(place.batch, (this.live.get(place.batch) ?? 0) + 1);
    if (original) this.count(traceId, 1);
  }

  private countCall(hook: string, by: number): void {
    const left = this.callsOf(hook) + by;
    if (left > 0) this.calls.set(hook, left);
    else this.calls.delete(hook);
  }

  private count(traceId: TraceId, by: number): void {
    this.originals.set(traceId, (this.originals.get(traceId) ?? 0) + by);
  }

  private async uncount(traceId: TraceId): Promise<void> {
    const left = (this.originals.get(traceId) ?? 1) - 1;
    if (left > 0) {
      this.originals.set(traceId, left);
      return;
    }
    this.originals.delete(traceId);
    await this.files.remove(this.originalFile(traceId));
  }

  private originalFile(traceId: TraceId): string {
    return path.join(this.folder, `${traceId}${ORIGINAL}`);
  }
}

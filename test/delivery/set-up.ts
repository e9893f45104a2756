import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { loadConfig, type Config } from '../../src/config/load.js';
import { openDelivery, type DeliveryOptions } from '../../src/delivery/delivery.js';
import { type SpoolListing } from '../../src/delivery/spool-list.js';
import { listSpool } from '../support/spool.js';
import type { Delivery, DeliveryRequest } from '../../src/delivery/types.js';
import type { Content } from '../../src/message/source.js';
import { newTraceId } from '../../src/message/trace-id.js';
import type { DeliveryRecord } from '../../src/store/types.js';
import { silentLog } from '../../src/telemetry/log.js';
import { MemoryBackend } from '../support/memory-queue.js';
import { startFakeSmtp, type FakeOptions, type FakeSmtp } from '../support/fake-smtp.js';
import { afterEach } from 'vitest';

export const TEXT = 'From: a@example.org\r\nSubject: hello\r\n\r\nbody\r\n.dot\r\n';

export function content(text: string | Buffer = TEXT): Content {
  const bytes = Buffer.from(text);
  return { size: bytes.length, read: () => [bytes] };
}

/** A request from a trusted client of our own domain. */
export function request(changes: Partial<DeliveryRequest> = {}, ...recipients: readonly string[]): DeliveryRequest {
  const traceId = newTraceId();
  return {
    item: traceId,
    traceId,
    envelope: {
      sender: 'a@example.org',
      recipients: (recipients.length === 0 ? ['b@example.net'] : recipients).map((address) => ({ address })),
      client: '127.0.0.1',
      helo: 'client.test',
      tls: false,
      trusted: true,
      smtpUtf8: false,
      eightBit: false,
    },
    content: content(),
    eightBit: false,
    bounce: 'allowed',
    ...changes,
  };
}

export interface Setting {
  readonly delivery: Delivery;
  readonly queue: MemoryBackend;
  readonly records: DeliveryRecord[];
  readonly folder: string;
  readonly list: () => Promise<readonly SpoolListing[]>;
  readonly close: () => Promise<void>;
}

export interface SettingOptions {
  readonly delivery?: Partial<Config['delivery']>;
  readonly options?: Partial<DeliveryOptions>;
  /** Data folder of an earlier one. */
  readonly folder?: string;
}

/** Delivery on a temporary folder, with retries in tens of ms. */
export async function setting(nextHop: readonly string[], given: SettingOptions = {}): Promise<Setting> {
  const folder = given.folder ?? (await mkdtemp(path.join(os.tmpdir(), 'gatepost-delivery-')));
  const { config } = await loadConfig(undefined, folder);
  const queue = new MemoryBackend();
  const records: DeliveryRecord[] = [];
  const delivery = await openDelivery({
    config: {
      ...config,
      delivery: {
        ...config.delivery,
        nextHop: [...nextHop],
        inlineTimeout: 2000,
        retry: { delays: [60], lifetime: 60_000, warnAfter: 'off' },
        ...given.delivery,
      },
    },
    queue,
    log: silentLog(),
    events: { settled: (_id, settled) => void records.push(...settled) },
    reinspect: () => Promise.resolve({ state: 'again', reason: 'not in this test' }),
    hop: { timeouts: { connect: 1000, hello: 3000, command: 3000, data: 3000, end: 3000 } },
    probeInterval: 100,
    ...given.options,
  });
  return {
    delivery,
    queue,
    records,
    folder,
    list: () => listSpool(path.join(folder, 'data', 'spool')),
    async close() {
      await queue.close();
      await delivery.close(1000);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Servers and deliveries that are closed after each test of the file that calls it, once. */
export function closedAfterEach(): {
  readonly fake: (options?: FakeOptions) => Promise<FakeSmtp>;
  readonly open: (nextHop: readonly string[], options?: SettingOptions) => Promise<Setting>;
} {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  return {
    fake: async (options) => {
      const server = await startFakeSmtp(options);
      closing.push(() => server.close());
      return server;
    },
    open: async (nextHop, options) => {
      const made = await setting(nextHop, options);
      closing.push(() => made.close());
      return made;
    },
  };
}

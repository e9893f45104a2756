import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { finishReleases } from '../../src/gateway/release-folder.js';
import { release } from '../../src/gateway/release.js';
import { newTraceId, type TraceId } from '../../src/message/trace-id.js';
import type { Quarantine, QuarantineItem } from '../../src/store/types.js';
import { startTestStore, type TestStore } from '../support/postgres.js';

const ORIGINAL = Buffer.from('From: a@partner.example\r\nSubject: x\r\n\r\nbody\0\xff\r\n', 'latin1');

let test: TestStore;
let spool: string;

beforeAll(async () => {
  test = await startTestStore();
  spool = path.join(test.dataFolder, 'spool');
});

afterEach(async () => {
  await rm(spool, { recursive: true, force: true });
});

afterAll(async () => {
  await test.stop();
});

const config = (): Parameters<typeof release>[1]['config'] => ({
  data: test.dataFolder,
  node: { name: 'gw1', address: '127.0.0.1', comment: '', timezone: 'UTC' },
  smtp: { hostname: 'mx.example.org' },
});

async function put(bytes: Buffer = ORIGINAL): Promise<TraceId> {
  const item: QuarantineItem = {
    id: newTraceId(),
    time: new Date(),
    node: 'gw1',
    envelope: {
      sender: 'a@partner.example',
      recipients: [{ address: 'b@example.org', notify: ['never'] }, { address: 'c@example.org' }],
      client: '192.0.2.1',
      helo: 'x',
      tls: false,
      trusted: false,
      smtpUtf8: false,
      eightBit: false,
    },
    recipients: ['b@example.org'],
    subject: 'x',
    messageId: '',
    size: bytes.length,
    rules: ['inbound'],
    findings: [],
    state: 'stored',
  };
  await test.store.quarantine.put(item, [bytes]);
  return item.id;
}

/** Items that the gateway would take. */
async function handedOver(): Promise<string[]> {
  const names = await readdir(path.join(spool, 'incoming')).catch(() => []);
  return names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -5));
}

/** The store of a process that dies at a call: before it reaches the store, or after the store has done it. */
function dyingAt(call: 'read' | 'released', when: 'before' | 'after'): Quarantine {
  const real = test.store.quarantine;
  return {
    ...real,
    read: async function* (id) {
      for await (const piece of real.read(id)) {
        yield piece;
        if (call === 'read') throw new Error('killed');
      }
    },
    released: async (...args) => {
      if (call === 'released' && when === 'before') throw new Error('killed');
      const done = await real.released(...args);
      if (call === 'released') throw new Error('killed');
      return done;
    },
    // The dead tidy nothing up.
    unclaim: () => Promise.resolve(),
  };
}

describe('a release', () => {
  it('hands the very bytes over to the spool, marked, for those that it was kept for', async () => {
    const id = await put();
    const result = await release(id, { config: config(), store: test.store, to: [], again: false });
    expect(result).toMatchObject({ outcome: 'released', recipients: ['b@example.org'] });
    const [item = ''] = await handedOver();
    const eml = await readFile(path.join(spool, 'incoming', `${item}.eml`));
    expect(eml.subarray(-ORIGINAL.length).equals(ORIGINAL)).toBe(true);
    const [marks = '', received = ''] = eml
      .subarray(0, -ORIGINAL.length)
      .toString()
      .split(/^(?=Received: )/m);
    expect(marks).toBe(`X-Gatepost-ID: ${id}\r\nX-Gatepost-Rule: inbound\r\nX-Gatepost-Action: released\r\n`);
    // Last, so that a folded line at the start of the message continues none of our fields but this.
    expect(received).toMatch(/^Received: from x \(\[192\.0\.2\.1\]\)\r\n\tby mx\.example\.org with ESMTP\r\n/);
    expect(received).toContain(`\r\n\tid ${id}`);
    expect(JSON.parse(await readFile(path.join(spool, 'incoming', `${item}.json`), 'utf8'))).toMatchObject({
      traceId: id,
      stage: 'deliver',
      eightBit: true,
      recipients: [{ address: 'b@example.org', notify: ['never'], state: 'waiting' }],
    });
    expect(await readdir(path.join(spool, 'releasing'))).toEqual([]);
  });

  it('is not done twice by accident, only when it is asked for', async () => {
    const id = await put();
    const request = { config: config(), store: test.store, to: [], again: false };
    await release(id, request);
    const second = await release(id, request);
    expect(second).toMatchObject({ outcome: 'refused' });
    expect(JSON.stringify(second)).toContain('--again');
    expect(await handedOver()).toHaveLength(1);
    await release(id, { ...request, to: ['audit@example.org'], again: true });
    expect(await handedOver()).toHaveLength(2);
    expect((await test.store.quarantine.get(id))?.releases.map((r) => r.recipients)).toEqual([
      ['b@example.org'],
      ['audit@example.org'],
    ]);
  });

  it('of many at the same time, one goes out', async () => {
    const id = await put();
    const request = { config: config(), store: test.store, to: [], again: false };
    const results = await Promise.all(Array.from({ length: 8 }, async () => await release(id, request)));
    expect(results.filter(({ outcome }) => outcome === 'released')).toHaveLength(1);
    expect(await handedOver()).toHaveLength(1);
  });

  it.each([
    ['read', 'before'],
    ['released', 'before'],
  ] as const)('killed at %s (%s), it has not gone out, and a second one does', async (call, when) => {
    const id = await put();
    const dying = { config: config(), store: { quarantine: dyingAt(call, when) }, to: [], again: false };
    await expect(release(id, dying)).rejects.toThrow('killed');
    expect(await finishReleases(spool, test.store)).toEqual([]);
    expect(await handedOver()).toEqual([]);
    expect((await test.store.quarantine.get(id))?.state).toBe('releasing');
    const again = await release(id, { ...dying, store: test.store });
    expect(again.outcome).toBe('released');
    await finishReleases(spool, test.store, new Date(Date.now() + 2 * 3_600_000));
    expect(await handedOver()).toHaveLength(1);
    expect(await readdir(path.join(spool, 'releasing'))).toEqual([]);
  });

  it('killed after it was done, goes out when the gateway finds it, and a second one is refused', async () => {
    const id = await put();
    const dying = { config: config(), store: { quarantine: dyingAt('released', 'after') }, to: [], again: false };
    await expect(release(id, dying)).rejects.toThrow('killed');
    expect(await handedOver()).toEqual([]);
    expect((await release(id, { ...dying, store: test.store })).outcome).toBe('refused');
    expect(await finishReleases(spool, test.store)).toHaveLength(1);
    expect(await finishReleases(spool, test.store)).toEqual([]);
    expect(await handedOver()).toHaveLength(1);
  });

  it('killed in the middle of handing over, goes on where it was', async () => {
    const id = await put();
    const dying = { config: config(), store: { quarantine: dyingAt('released', 'after') }, to: [], again: false };
    await expect(release(id, dying)).rejects.toThrow('killed');
    const [eml = ''] = (await readdir(path.join(spool, 'releasing'))).filter((name) => name.endsWith('.eml'));
    // The link was made, the rename was not.
    await mkdir(path.join(spool, 'incoming'), { recursive: true });
    await writeFile(path.join(spool, 'incoming', eml), await readFile(path.join(spool, 'releasing', eml)));
    expect(await finishReleases(spool, test.store)).toHaveLength(1);
    expect(await handedOver()).toHaveLength(1);
  });

  it('leaves no file of one that was given up behind', async () => {
    const folder = path.join(spool, 'releasing');
    await mkdir(folder, { recursive: true });
    const file = path.join(folder, `${newTraceId()}.r1.eml`);
    await writeFile(file, 'half');
    await finishReleases(spool, test.store);
    expect(await readdir(folder)).toHaveLength(1);
    await utimes(file, new Date(0), new Date(0));
    await finishReleases(spool, test.store);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('originals', () => {
  it('come back as they were put, in whatever pieces', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300_000 }), { maxLength: 4 }), async (pieces) => {
        const id = await put(Buffer.concat(pieces));
        const read: Buffer[] = [];
        for await (const piece of test.store.quarantine.read(id)) read.push(piece);
        expect(Buffer.concat(read).equals(Buffer.concat(pieces))).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  it('of 50 MiB are streamed: they do not lie in memory', async () => {
    const size = 50 * 2 ** 20;
    const piece = Buffer.alloc(64 * 1024, 'x');
    setFlagsFromString('--expose-gc');
    const collect: unknown = runInNewContext('gc');
    if (typeof collect !== 'function') throw new Error('no gc');
    const held = (): number => {
      // The first frees the buffers' owners, the second what they held.
      for (let i = 0; i < 2; i++) Reflect.apply(collect, undefined, []);
      return process.memoryUsage().external;
    };
    const before = held();
    let most = 0;
    let looks = 0;
    const look = (): void => {
      if (looks++ % 100 === 50) most = Math.max(most, held() - before);
    };
    function* pieces(): Generator<Buffer> {
      for (let n = 0; n < size; n += piece.length) {
        look();
        yield piece;
      }
    }
    const id = newTraceId();
    const like = await test.store.quarantine.get(await put());
    if (like === undefined) throw new Error('nothing was put');
    await test.store.quarantine.put({ ...like, id, size }, pieces());
    let seen = 0;
    for await (const chunk of test.store.quarantine.read(id)) {
      seen += chunk.length;
      look();
    }
    expect(seen).toBe(size);
    expect(looks).toBeGreaterThan(800);
    expect(most).toBeLessThan(20 * 2 ** 20);
  });

  it('are not kept by half when the server is killed while they are put', async () => {
    const like = await test.store.quarantine.get(await put());
    if (like === undefined) throw new Error('nothing was put');
    const id = newTraceId();
    function* pieces(): Generator<Buffer> {
      for (let n = 0; n < 40; n++) {
        if (n === 20) test.killServer();
        yield Buffer.alloc(256 * 1024);
      }
    }
    await expect(test.store.quarantine.put({ ...like, id, size: 40 * 256 * 1024 }, pieces())).rejects.toThrow();
    await expect
      .poll(
        async () =>
          await test.store.ping().then(
            () => 'up',
            () => 'down',
          ),
        { timeout: 20_000 },
      )
      .toBe('up');
    expect(await test.store.quarantine.get(id)).toBeUndefined();
    const { items } = await test.store.quarantine.total();
    expect(items).toBe((await test.store.quarantine.list()).length);
  });
});

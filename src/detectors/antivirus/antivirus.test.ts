import { afterEach, describe, expect, it } from 'vitest';
import {
  FAKE_THREATS,
  startFakeClamd,
  type FakeClamd,
  type FakeClamdOptions,
} from '../../../test/support/fake-clamd.js';
import { makeMail } from '../../../test/support/mail.js';
import { makeZip } from '../../../test/support/zip.js';
import { until } from '../../../test/support/until.js';
import { readMessage } from '../../message/read.js';
import { runDetectors } from '../runner.js';
import type { Detector, Finding } from '../types.js';
import { antivirus } from './antivirus.js';

const LIMITS = { maxDepth: 16, maxParts: 1000, maxArchiveEntries: 1000, maxUnpacked: 2 ** 26 };
const WORM = Buffer.from(FAKE_THREATS['Fake.Worm'] ?? '');
const CLEAN = makeMail('Good morning');
const envelope = {
  sender: '',
  recipients: [],
  client: '192.0.2.1',
  helo: '',
  tls: false,
  trusted: false,
  smtpUtf8: false,
  eightBit: false,
};

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function fake(options: FakeClamdOptions = {}): Promise<FakeClamd> {
  const server = await startFakeClamd(options);
  closers.push(() => server.close());
  return server;
}

async function detectorFor(settings: object): Promise<Detector> {
  const detector = await antivirus.create(antivirus.settings.parse(settings), { baseDirectory: '.' });
  closers.push(async () => await detector.close?.());
  return detector;
}

async function scan(detector: Detector, bytes: Buffer, timeout = 10_000): Promise<readonly Finding[]> {
  const spec = {
    name: 'antivirus',
    settings: {},
    baseDirectory: '.',
    timeout,
    onError: 'defer',
    statuses: antivirus.statuses,
  } as const;
  const input = { message: readMessage(bytes, LIMITS), envelope, intake: { anomalies: [], received: 0 } };
  return (await runDetectors([{ spec, detector }], input, timeout)).findings;
}

const statusesOf = (findings: readonly Finding[]): string[] => findings.map((finding) => finding.status);

describe.each([
  ['over TCP, in sessions', {}],
  ['over TCP, a connection for each scan', { sessions: false }],
  ['over a unix socket', { unix: true }],
])('%s', (_, options) => {
  it('tells clean from infected, and names threat and attachment', async () => {
    const server = await fake(options);
    const detector = await detectorFor({ clamd: server.address });
    expect(await scan(detector, CLEAN)).toEqual([{ module: 'antivirus', status: 'clean' }]);
    expect(server.streams[0]?.equals(CLEAN)).toBe(true);
    const mail = makeMail('See', [
      { name: 'good.txt', bytes: Buffer.from('good') },
      { name: 'bad.bin', bytes: WORM },
    ]);
    // The fake does not decode base64, as clamd does: the word stands in the text as well.
    const both = Buffer.from(mail.toString('latin1').replace('See', WORM.toString('latin1')), 'latin1');
    expect(await scan(detector, both)).toEqual([
      { module: 'antivirus', status: 'infected', name: 'Fake.Worm' },
      { module: 'antivirus', status: 'infected', name: 'Fake.Worm', object: 'bad.bin', size: WORM.length },
    ]);
  });
});

describe('what clamd says', () => {
  it.each([
    ['fake-encrypted-body', 'encrypted', 'Heuristics.Encrypted.Zip'],
    ['fake-macro-body', 'macro', 'Heuristics.OLE2.ContainsMacros.VBA'],
    ['fake-limits-body', 'limit', undefined],
  ])('%s is %s', async (word, status, name) => {
    const server = await fake();
    const [finding] = await scan(await detectorFor({ clamd: server.address }), makeMail(word));
    expect(finding).toMatchObject({ module: 'antivirus', status });
    expect(finding?.name).toBe(name);
  });

  it.each([
    ['stream: OK\nstream: X FOUND', 'error'],
    ['stream: FOUND', 'error'],
    ['stream: ', 'error'],
    ['OK', 'error'],
    ["stream: Can't allocate memory ERROR", 'error'],
    ['x'.repeat(10_000), 'error'],
  ])('%j is no verdict', async (text, status) => {
    const server = await fake({ behaviour: { kind: 'say', text } });
    const findings = await scan(await detectorFor({ clamd: server.address }), CLEAN);
    expect(statusesOf(findings)).toEqual([status]);
    expect(findings[0]?.detail).not.toContain('allocate');
  });
});

describe('a clamd that fails', () => {
  it('is an error when it refuses, closes early, or is gone', async () => {
    const server = await fake({ behaviour: { kind: 'close' } });
    const detector = await detectorFor({ clamd: server.address });
    expect(statusesOf(await scan(detector, CLEAN))).toEqual(['error']);
    await server.close();
    expect(await scan(detector, CLEAN)).toEqual([
      { module: 'antivirus', status: 'error', detail: 'the engine cannot be reached' },
    ]);
    expect(statusesOf(await scan(await detectorFor({ clamd: 'unix:///nowhere/clamd.ctl' }), CLEAN))).toEqual(['error']);
  });

  it('is a timeout when it stalls, and the connection is not used again', async () => {
    const server = await fake({ behaviour: { kind: 'hold' } });
    const detector = await detectorFor({ clamd: server.address });
    expect(statusesOf(await scan(detector, makeMail(WORM.toString()), 100))).toEqual(['timeout']);
    // A late answer to the first must not be taken for the second's.
    const second = scan(detector, CLEAN);
    await until('the second stream', () => Promise.resolve(server.streams.length === 2));
    server.release();
    expect(statusesOf(await second)).toEqual(['clean']);
  });

  it('is not noticed when it has ended an idle session', async () => {
    const server = await fake();
    const detector = await detectorFor({ clamd: server.address });
    await scan(detector, CLEAN);
    server.behaviour = { kind: 'close-used' };
    expect(statusesOf(await scan(detector, CLEAN))).toEqual(['clean']);
  });

  it('gives way to the next address, which is then asked first', async () => {
    const gone = await fake();
    await gone.close();
    const silent = await fake({ behaviour: { kind: 'stall' } });
    const works = await fake();
    const detector = await detectorFor({ clamd: [gone.address, silent.address, works.address] });
    expect(statusesOf(await scan(detector, CLEAN, 1_500))).toEqual(['timeout']);
    expect(statusesOf(await scan(detector, CLEAN))).toEqual(['clean']);
    expect(works.streams).toHaveLength(1);
  });
});

describe('sizes', () => {
  const large = makeMail(`${'x'.repeat(70)}\r\n`.repeat(5_000), [{ name: 'bad.bin', bytes: WORM }]);

  it("reports clamd's own limit, and looks at the attachments nevertheless", async () => {
    const server = await fake({ behaviour: { kind: 'limit', bytes: 100_000 } });
    const detector = await detectorFor({ clamd: server.address });
    const findings = await scan(detector, large);
    expect(findings[0]).toMatchObject({ status: 'limit', detail: 'larger than the engine takes' });
    expect(findings[1]).toMatchObject({ status: 'infected', object: 'bad.bin' });
    expect(statusesOf(await scan(detector, CLEAN))).toEqual(['clean']);
  });

  it('does not send what is over maxSize', async () => {
    const server = await fake();
    const findings = await scan(await detectorFor({ clamd: server.address, maxSize: '1000' }), large);
    expect(statusesOf(findings)).toEqual(['limit', 'infected']);
    expect(server.streams.map((stream) => stream.length)).toEqual([WORM.length]);
  });
});

describe('objects one by one', () => {
  const hidden = makeMail('x', [
    { name: 'a.zip', bytes: makeZip([{ name: 'in/bad.exe', bytes: WORM }]) },
    { name: 'b.txt', bytes: Buffer.from('fine') },
  ]);

  it('are sent always, never, or where the structure is anomalous', async () => {
    const server = await fake();
    const counts = async (settings: object, mail: Buffer): Promise<number> => {
      const before = server.streams.length;
      await scan(await detectorFor({ clamd: server.address, ...settings }), mail);
      return server.streams.length - before;
    };
    expect(await counts({}, hidden)).toBe(1);
    expect(await counts({ objects: 'always' }, hidden)).toBe(4);
    const twice = Buffer.concat([Buffer.from('Content-Type: text/plain\r\n'), hidden]);
    expect(readMessage(twice, LIMITS).structure.anomalies).not.toEqual([]);
    expect(await counts({}, twice)).toBeGreaterThan(1);
    expect(await counts({ objects: 'never' }, twice)).toBe(1);
  });

  it('name the innermost infected entry', async () => {
    const server = await fake();
    const findings = await scan(await detectorFor({ clamd: server.address, objects: 'always' }), hidden);
    expect(findings).toEqual([
      { module: 'antivirus', status: 'infected', name: 'Fake.Worm', object: 'a.zip/in/bad.exe', size: WORM.length },
    ]);
  });
});

describe('many messages', () => {
  it('share a bounded number of connections, and each gets its own verdict', async () => {
    const server = await fake();
    const detector = await detectorFor({ clamd: server.address, connections: 3 });
    const all = await Promise.all(
      Array.from({ length: 60 }, async (_, i) => await scan(detector, makeMail(i % 3 === 0 ? WORM.toString() : 'x'))),
    );
    expect(all.map((findings) => findings[0]?.status)).toEqual(all.map((_, i) => (i % 3 === 0 ? 'infected' : 'clean')));
    expect(server.mostOpen).toBeLessThanOrEqual(4);
    expect(server.connections).toBeLessThanOrEqual(5);
  });
});

describe('health and databases', () => {
  it('come from PING and VERSION', async () => {
    const server = await fake();
    const detector = await detectorFor({ clamd: server.address, maxDatabaseAge: '3d' });
    const signal = AbortSignal.timeout(5_000);
    await expect(detector.health?.(signal)).resolves.toBeUndefined();
    expect(await detector.databases?.(signal)).toEqual({
      version: '27823',
      date: new Date(2026, 10, 21, 9, 12, 31),
      maxAge: 3 * 86_400_000,
    });
    server.version = 'ClamAV 1.4.6';
    expect(await detector.databases?.(signal)).toBeUndefined();
    server.version = 'ClamAV 1.4.6/27823/yesterday';
    await expect(detector.databases?.(signal)).rejects.toThrow('cannot be read');
    server.behaviour = { kind: 'say', text: 'PING' };
    await expect(detector.health?.(signal)).rejects.toThrow('no PONG');
    await server.close();
    await expect(detector.health?.(signal)).rejects.toThrow('cannot be reached');
  });
});

describe('settings', () => {
  it.each(['127.0.0.1:3310', 'tcp://', 'tcp://host:99999', 'unix:relative', 'http://x', `unix:///${'x'.repeat(120)}`])(
    'refuses the address %s',
    (clamd) => expect(antivirus.settings.safeParse({ clamd }).success).toBe(false),
  );

  it.each(['tcp://127.0.0.1:3310', 'tcp://[::1]:3310', 'tcp://clamav', 'unix:///run/clamav/clamd.ctl'])(
    'takes the address %s',
    (clamd) => expect(antivirus.settings.safeParse({ clamd }).success).toBe(true),
  );
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { LIMITS, mailWith } from '../../../test/message/mail.js';
import { writeCompound } from '../../../test/message/compound-writer.js';
import { writeRar5 } from '../../../test/message/rar-writer.js';
import { writeTar } from '../../../test/message/tar-writer.js';
import { writeZip } from '../../../test/message/zip-writer.js';
import { has } from '../../../test/support/programs.js';
import { readMessage } from '../read.js';
import type { Message, ScanLimits } from '../types.js';

const EXE = Buffer.concat([Buffer.from('MZ\x90\0', 'latin1'), Buffer.alloc(100)]);
const TEXT = Buffer.from('hello '.repeat(1000));

function open(name: string, content: Buffer, limits: Partial<ScanLimits> = {}): Message {
  return readMessage(mailWith([{ name, content }]), { ...LIMITS, ...limits });
}

function paths(message: Message): string[] {
  return message.objects.map(({ path }) => path);
}

/** Changes 32-bit numbers at places counted from where some bytes first stand. */
function patch(bytes: Buffer, mark: string, ...changes: readonly (readonly [offset: number, value: number])[]): Buffer {
  const copy = Buffer.from(bytes);
  const at = copy.indexOf(mark, 0, 'latin1');
  for (const [offset, value] of changes) copy.writeUInt32LE(value, at + offset);
  return copy;
}

/** A zip whose sizes and offsets all stand in zip64 fields (APPNOTE 4.5.3, 4.3.14, 4.3.15). */
function writeZip64(name: string, content: Buffer): Buffer {
  const data = deflateRawSync(content);
  const wide = (...values: readonly number[]): Buffer => {
    const field = Buffer.alloc(4 + values.length * 8);
    field.writeUInt16LE(1);
    field.writeUInt16LE(values.length * 8, 2);
    for (const [index, value] of values.entries()) field.writeBigUInt64LE(BigInt(value), 4 + index * 8);
    return field;
  };
  const plain = writeZip([{ name, content }]);
  const crc = plain.readUInt32LE(14);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50);
  local.writeUInt16LE(45, 4);
  local.writeUInt16LE(8, 8);
  local.writeUInt32LE(crc, 14);
  local.fill(0xff, 18, 26);
  local.writeUInt16LE(name.length, 26);
  local.writeUInt16LE(20, 28);
  const head = Buffer.concat([local, Buffer.from(name), wide(content.length, data.length), data]);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50);
  central.writeUInt16LE(45, 6);
  central.writeUInt16LE(8, 10);
  central.writeUInt32LE(crc, 16);
  central.fill(0xff, 20, 28);
  central.writeUInt16LE(name.length, 28);
  central.writeUInt16LE(28, 30);
  central.fill(0xff, 42, 46);
  const directory = Buffer.concat([central, Buffer.from(name), wide(content.length, data.length, 0)]);
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(0x06064b50);
  end64.writeBigUInt64LE(44n, 4);
  end64.writeBigUInt64LE(1n, 24);
  end64.writeBigUInt64LE(1n, 32);
  end64.writeBigUInt64LE(BigInt(directory.length), 40);
  end64.writeBigUInt64LE(BigInt(head.length), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50);
  locator.writeBigUInt64LE(BigInt(head.length + directory.length), 8);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.fill(0xff, 8, 20);
  return Buffer.concat([head, directory, end64, locator, end]);
}

describe('zip64', () => {
  it('is read, also behind other bytes', () => {
    for (const before of [Buffer.alloc(0), EXE]) {
      const message = open('a.zip', Buffer.concat([before, writeZip64('setup.exe', EXE)]));
      expect(message.problems).toEqual([]);
      expect(message.objects[1]).toMatchObject({ path: 'a.zip/setup.exe', type: 'executable', size: EXE.length });
      expect(message.objects[1]?.content()?.equals(EXE)).toBe(true);
    }
  });
});

describe('zips that contradict themselves', () => {
  const two = writeZip([
    { name: 'a.txt', content: TEXT, stored: true },
    { name: 'b.exe', content: EXE },
  ]);

  it('are reported when entries overlap, wholly or in part', () => {
    const second = two.indexOf('PK\x01\x02', two.indexOf('PK\x01\x02') + 4, 'latin1');
    const same = Buffer.from(two);
    same.writeUInt32LE(0, second + 42);
    expect(open('a.zip', same).problems.map(({ detail }) => detail)).toContain('entries overlap');
    const partly = patch(two, 'PK\x01\x02', [20, TEXT.length + 40], [24, TEXT.length + 40]);
    expect(open('a.zip', partly).problems.map(({ detail }) => detail)).toContain('entries overlap');
    expect(paths(open('a.zip', partly))).toContain('a.zip/b.exe');
  });

  it('show what the central directory skips over', () => {
    // The directory knows one entry, which claims all bytes up to the directory.
    const hidden = writeZip([
      { name: 'a.txt', content: TEXT, stored: true },
      { name: 'b.exe', content: EXE, localOnly: true },
    ]);
    const directory = hidden.indexOf('PK\x01\x02', 0, 'latin1');
    const wide = patch(hidden, 'PK\x01\x02', [20, directory - 35], [24, directory - 35]);
    expect(paths(open('a.zip', wide))).toContain('a.zip/b.exe');
  });

  it('are reported when data stands behind a packed stream', () => {
    const content = Buffer.concat([deflateRawSync(TEXT), EXE]);
    const message = open('a.zip', writeZip([{ name: 'a.txt', content, method: 8, raw: true }]));
    expect(message.problems.map(({ detail }) => detail)).toContain('it has data behind its end');
  });

  it('are read with a wrong directory, and with none', () => {
    const wrong = patch(two, 'PK\x05\x06', [16, 5]);
    expect(paths(open('a.zip', wrong))).toEqual(expect.arrayContaining(['a.zip/a.txt', 'a.zip/b.exe']));
    const none = two.subarray(0, two.indexOf('PK\x01\x02', 0, 'latin1'));
    const message = open('a.zip', none);
    expect(paths(message)).toEqual(['a.zip', 'a.zip/a.txt', 'a.zip/b.exe']);
    expect(message.problems).toMatchObject([{ detail: 'it has no central directory' }]);
  });

  it('are read with bytes behind them, and with a second one behind them', () => {
    expect(paths(open('a.zip', Buffer.concat([two, Buffer.alloc(3000)])))).toEqual(paths(open('a.zip', two)));
    const other = writeZip([{ name: 'c.js', content: Buffer.from('c') }]);
    expect(paths(open('a.zip', Buffer.concat([two, other])))).toEqual(
      expect.arrayContaining(['a.zip/a.txt', 'a.zip/b.exe', 'a.zip/c.js']),
    );
  });

  it('are read when they were split and joined, and reported when a part is missing', () => {
    for (const mark of ['PK\x07\x08', 'PK00'])
      expect(paths(open('x', Buffer.concat([Buffer.from(mark, 'latin1'), two])))).toContain('x/b.exe');
    expect(open('a.zip', patch(two, 'PK\x05\x06', [4, 0x00010001])).problems).toMatchObject([
      { detail: 'unscannable: it is a part of a split archive' },
    ]);
  });
});

describe('zips behind files of other formats', () => {
  it.each([
    ['gzip', gzipSync(TEXT)],
    ['tar', writeTar([{ name: 'a.txt', content: TEXT }])],
    ['OLE', writeCompound([{ name: 'WordDocument', content: Buffer.alloc(5000) }])],
    ['rar', writeRar5([{ name: 'a.txt', content: TEXT }])],
  ])('are opened as well: %s', (_, before) => {
    const zip = writeZip([{ name: 'hidden.exe', content: EXE }]);
    const message = open('a.zip', Buffer.concat([before, zip]));
    expect(message.objects.find(({ path }) => path === 'a.zip/hidden.exe')).toMatchObject({ type: 'executable' });
  });
});

describe('names in zips', () => {
  it('stay as they are, each with a path of its own', () => {
    const names = ['../../etc/passwd', '/root/.profile', 'C:\\Windows\\a.exe', 'a.txt', 'a.txt', ''];
    const message = open('a.zip', writeZip(names.map((name) => ({ name, content: Buffer.from('x') }))));
    expect(message.objects.slice(1).map(({ name }) => name)).toEqual([
      '../../etc/passwd',
      '/root/.profile',
      'C:/Windows/a.exe',
      'a.txt',
      'a.txt',
      '',
    ]);
    expect(new Set(paths(message)).size).toBe(7);
  });

  it('have a second reading where they hold a NUL', () => {
    const message = open('a.zip', writeZip([{ name: 'a.exe\0.txt', content: Buffer.from('x') }]));
    expect(message.objects[1]?.otherNames).toEqual(['a.exe']);
  });
});

describe('packing methods of zips', () => {
  it.skipIf(!has('7z'))('are undone: bzip2, LZMA, xz; others are named', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'gatepost-zip-'));
    try {
      writeFileSync(path.join(folder, 'text.txt'), TEXT);
      const make = (method: string): Buffer => {
        const name = `${method}.zip`;
        execFileSync('7z', ['a', '-tzip', `-mm=${method}`, name, 'text.txt'], { cwd: folder, stdio: 'ignore' });
        return readFileSync(path.join(folder, name));
      };
      for (const method of ['Deflate', 'BZip2', 'LZMA']) {
        const message = open('a.zip', make(method));
        expect(message.problems).toEqual([]);
        expect(message.objects[1]?.content()?.equals(TEXT)).toBe(true);
      }
      for (const [method, number] of [['PPMd', 98] as const, ['Deflate64', 9] as const]) {
        expect(open('a.zip', make(method)).problems).toMatchObject([
          { detail: `unscannable: zip compression method ${number}` },
        ]);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it.skipIf(!has('xz'))('are undone: xz', () => {
    const packed = execFileSync('xz', ['-c'], { input: TEXT });
    const zip = writeZip([{ name: 'a.txt', content: packed, method: 95, raw: true }]);
    // The writer takes the packed bytes for the content.
    const message = open('a.zip', zip);
    expect(message.objects[1]?.content()?.equals(TEXT)).toBe(true);
  });
});

describe('bombs end quickly, as a limit', () => {
  function quick(run: () => Message): Message {
    const start = performance.now();
    const message = run();
    expect(performance.now() - start).toBeLessThan(30_000);
    return message;
  }

  it('many layers of zips, each with sixteen of the one below', () => {
    let content = writeZip([{ name: 'zeros', content: Buffer.alloc(10_000_000) }]);
    for (let level = 0; level < 5; level += 1) {
      content = writeZip(Array.from({ length: 16 }, (_, at) => ({ name: `${at}.zip`, content })));
    }
    const message = quick(() => open('42.zip', content));
    expect(message.problems.some(({ kind }) => kind === 'limit')).toBe(true);
    expect(message.objects.length).toBeLessThanOrEqual(10_001);
  });

  it('a gzip in a gzip in a gzip ...', () => {
    let content = Buffer.alloc(1000);
    for (let level = 0; level < 200; level += 1) content = gzipSync(content);
    const message = quick(() => open('a.gz', content));
    expect(message.problems).toMatchObject([{ kind: 'limit', detail: 'it is nested more than 16 levels deep' }]);
  });

  it('a gzip of a great many members', () => {
    const member = gzipSync(Buffer.from('a'));
    const message = quick(() => open('a.gz', Buffer.concat(Array.from({ length: 100_000 }, () => member))));
    expect(message.problems).toMatchObject([{ kind: 'limit' }]);
  });

  it('thousands of entries that fail late, in the slowest of the methods', () => {
    const packed = Buffer.concat([Buffer.from('BZh91AY&SY', 'latin1'), Buffer.alloc(20_000, 0x5a)]);
    const entries = Array.from({ length: 5000 }, (_, at) => ({
      name: `${at}`,
      content: packed,
      method: 12,
      raw: true,
    }));
    const message = quick(() => open('a.zip', writeZip(entries), { maxUnpacked: 50_000_000 }));
    expect(message.problems.some(({ kind }) => kind === 'limit')).toBe(true);
    expect(message.problems).toHaveLength(5000);
  });

  it('a thousand entries that share one packed stream', () => {
    const packed = deflateRawSync(Buffer.alloc(15_000_000));
    const one = writeZip([{ name: 'zeros', content: packed, method: 8, raw: true }]);
    const directory = one.subarray(one.indexOf('PK\x01\x02', 0, 'latin1'), one.length - 22);
    const end = Buffer.from(one.subarray(one.length - 22));
    end.writeUInt16LE(1000, 8);
    end.writeUInt16LE(1000, 10);
    end.writeUInt32LE(directory.length * 1000, 12);
    const head = one.subarray(0, one.length - 22 - directory.length);
    const message = quick(() =>
      open('a.zip', Buffer.concat([head, ...Array.from({ length: 1000 }, () => directory), end])),
    );
    expect(message.problems.map(({ detail }) => detail)).toContain('entries overlap');
    expect(message.problems.some(({ kind }) => kind === 'limit')).toBe(true);
  });
});

describe('gzip', () => {
  it('is read with junk behind it, and in several members', () => {
    const whole = Buffer.concat([gzipSync(TEXT), gzipSync(EXE)]);
    for (const behind of [Buffer.alloc(0), Buffer.alloc(512), Buffer.from('junk that is no member')]) {
      const message = open('a.gz', Buffer.concat([whole, behind]));
      expect(message.problems).toEqual([]);
      expect(message.objects[1]?.content()?.equals(Buffer.concat([TEXT, EXE]))).toBe(true);
    }
  });

  it('is reported when its checksum is wrong', () => {
    const damaged = gzipSync(TEXT);
    damaged.writeUInt32LE(7, damaged.length - 8);
    expect(open('a.gz', damaged).problems).toMatchObject([{ detail: 'its checksum is wrong' }]);
  });
});

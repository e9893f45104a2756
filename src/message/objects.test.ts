import { deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS, mail, mailWith } from '../../test/message/mail.js';
import { writeTar } from '../../test/message/tar-writer.js';
import { writeZip } from '../../test/message/zip-writer.js';
import { readMessage } from './read.js';
import type { Message, ScanLimits } from './types.js';

const EXE = Buffer.concat([Buffer.from('MZ\x90\0', 'latin1'), Buffer.alloc(100)]);

function open(name: string, content: Buffer, limits: Partial<ScanLimits> = {}): Message {
  return readMessage(mailWith([{ name, content }]), { ...LIMITS, ...limits });
}

function paths(message: Message): string[] {
  return message.objects.map(({ path }) => path);
}

describe('objects: zip', () => {
  it('lists any entries with their content, sizes and types', () => {
    const entry = fc.record({
      name: fc.stringMatching(/^[a-z]{1,8}\.(txt|bin)$/),
      content: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      stored: fc.boolean(),
      descriptor: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ({ name }) => name, maxLength: 6 }), (entries) => {
        const message = open('a.zip', writeZip(entries));
        expect(message.problems).toEqual([]);
        expect(message.objects.slice(1).map(({ path, size }) => ({ path, size }))).toEqual(
          entries.map(({ name, content }) => ({ path: `a.zip/${name}`, size: content.length })),
        );
        for (const [index, { content }] of entries.entries()) {
          expect(message.objects[index + 1]?.content()?.equals(content)).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('walks a zip in a zip', () => {
    const inner = writeZip([{ name: 'setup.exe', content: EXE }]);
    const message = open('outer.zip', writeZip([{ name: 'dir/inner.zip', content: inner }]));
    expect(message.objects.map(({ path, depth, type, part }) => [path, depth, type, part])).toEqual([
      ['outer.zip', 0, 'archive', 2],
      ['outer.zip/dir/inner.zip', 1, 'archive', 2],
      ['outer.zip/dir/inner.zip/setup.exe', 2, 'executable', 2],
    ]);
  });

  it('finds entries that only the local headers name, and names that differ', () => {
    const hidden = open(
      'a.zip',
      writeZip([
        { name: 'a.txt', content: Buffer.from('a') },
        { name: 'b.exe', content: EXE, localOnly: true },
      ]),
    );
    expect(paths(hidden)).toContain('a.zip/b.exe');
    expect(hidden.problems.map(({ kind }) => kind)).toContain('error');
    const renamed = open('a.zip', writeZip([{ name: 'b.exe', centralName: 'b.txt', content: EXE }]));
    expect(paths(renamed)).toEqual(expect.arrayContaining(['a.zip/b.exe', 'a.zip/b.txt']));
    const bare = open('a.zip', writeZip([{ name: 'c.exe', content: EXE, descriptor: true }], { directory: false }));
    expect(bare.objects[1]).toMatchObject({ path: 'a.zip/c.exe', type: 'executable' });
  });

  it('reads a zip with bytes before it, and one behind a program', () => {
    const zip = writeZip([{ name: 'x.txt', content: Buffer.from('x') }]);
    const message = open('sfx.exe', Buffer.concat([EXE, zip]));
    expect(message.objects[0]).toMatchObject({ type: 'executable' });
    expect(message.objects[1]?.content()?.toString()).toBe('x');
  });

  it('marks encrypted entries and their archive, which stays an archive', () => {
    const message = open('a.zip', writeZip([{ name: 'b.exe', content: EXE, encrypted: true }]));
    expect(message.objects[0]).toMatchObject({ type: 'archive', encrypted: true });
    expect(message.objects[1]).toMatchObject({ type: 'encrypted', encrypted: true, size: EXE.length });
    expect(message.objects[1]?.content()).toBeUndefined();
    expect(message.problems).toEqual([]);
  });

  it('reports damage and methods that it does not know', () => {
    const zip = writeZip([{ name: 'a.bin', content: Buffer.from('abcdefgh'.repeat(10)), stored: true }]);
    zip[zip.indexOf('abcd')] = 0x58;
    expect(open('a.zip', zip).problems).toEqual([
      { kind: 'error', object: 'a.zip/a.bin', detail: 'its checksum is wrong' },
    ]);
    const unknown = open('a.zip', writeZip([{ name: 'a.bin', content: EXE, method: 97 }]));
    expect(unknown.problems[0]?.detail).toMatch(/^unscannable: /);
  });
});

describe('objects: bounds', () => {
  const entries = Array.from({ length: 20 }, (_, at) => ({ name: `${at}.txt`, content: Buffer.from(`${at}`) }));

  it('stops at maxArchiveEntries', () => {
    const message = open('a.zip', writeZip(entries), { maxArchiveEntries: 5 });
    expect(message.objects).toHaveLength(6);
    expect(message.problems).toMatchObject([{ kind: 'limit', object: 'a.zip' }]);
  });

  it('stops at maxUnpacked, over all archives of the message', () => {
    const zip = writeZip([{ name: 'zeros', content: Buffer.alloc(600_000) }]);
    const bytes = mailWith([
      { name: 'a.zip', content: zip },
      { name: 'b.zip', content: zip },
    ]);
    const message = readMessage(bytes, { ...LIMITS, maxUnpacked: 1_000_000 });
    expect(message.problems).toMatchObject([{ kind: 'limit', object: 'b.zip/zeros' }]);
    expect(message.objects.at(-1)?.content()).toBeUndefined();
  });

  it('stops at a ratio that no honest archive has', () => {
    const message = open('a.zip', writeZip([{ name: 'bomb', content: Buffer.alloc(40 * 1024 * 1024) }]));
    expect(message.problems).toMatchObject([{ kind: 'limit', object: 'a.zip/bomb' }]);
  });

  it('counts what is unpacked in vain, so that failing entries cannot cost without end', () => {
    const bomb = deflateRawSync(Buffer.alloc(15 * 1024 * 1024));
    bomb.fill(0xff, bomb.length - 20);
    const entries = Array.from({ length: 2000 }, (_, at) => ({
      name: `${at}`,
      content: bomb,
      method: 8 as const,
      raw: true,
    }));
    const start = performance.now();
    const message = open('a.zip', writeZip(entries));
    expect(performance.now() - start).toBeLessThan(30_000);
    expect(message.objects).toHaveLength(2001);
    expect(message.problems).toHaveLength(2000);
  });

  it('reports archives that stay closed because a bound was passed before', () => {
    const zip = writeZip([
      { name: '1', content: EXE },
      { name: '2', content: EXE },
    ]);
    const bytes = mailWith([
      { name: 'a.zip', content: zip },
      { name: 'b.zip', content: zip },
    ]);
    const message = readMessage(bytes, { ...LIMITS, maxArchiveEntries: 1 });
    expect(message.problems.map(({ kind, object }) => [kind, object])).toEqual([
      ['limit', 'a.zip'],
      ['limit', 'b.zip'],
    ]);
  });

  it('stops at maxDepth, counting multiparts and archives together', () => {
    let zip = writeZip([{ name: 'x.txt', content: Buffer.from('x') }]);
    for (let level = 0; level < 5; level += 1) zip = writeZip([{ name: 'z.zip', content: zip }]);
    const message = open('z.zip', zip, { maxDepth: 4 });
    expect(message.problems).toMatchObject([{ kind: 'limit' }]);
    expect(Math.max(...message.objects.map(({ depth }) => depth))).toBe(3);
    expect(open('z.zip', zip).problems).toEqual([]);
  });

  it('gives the same content again when it is not kept', () => {
    const large = Buffer.alloc(40 * 1024 * 1024, 'abcdefghij');
    const zip = writeZip([
      { name: '1', content: large, stored: true },
      { name: '2', content: large, stored: true },
    ]);
    const message = open('a.zip', zip);
    expect(message.objects[2]?.content()?.equals(large)).toBe(true);
  });
});

describe('objects: other containers', () => {
  it('opens a tar in a gzip, with pax and GNU names', () => {
    const long = `${'d/'.repeat(80)}long.txt`;
    const tar = writeTar([
      { name: 'a.exe', content: EXE },
      { name: long, content: Buffer.from('pax'), style: 'pax' },
      { name: `g${long}`, content: Buffer.from('gnu'), style: 'gnu' },
    ]);
    const message = open('a.tgz', gzipSync(tar));
    expect(paths(message)).toEqual([
      'a.tgz',
      'a.tgz/a.tar',
      'a.tgz/a.tar/a.exe',
      `a.tgz/a.tar/${long}`,
      `a.tgz/a.tar/g${long}`,
    ]);
    expect(message.objects[2]?.type).toBe('executable');
    expect(message.objects.at(-1)?.content()?.toString()).toBe('gnu');
  });

  it('reports a gzip that is cut, and gives what there is', () => {
    const whole = gzipSync(Buffer.from('hello '.repeat(1000)));
    const message = open('a.gz', whole.subarray(0, whole.length - 10));
    expect(message.problems).toMatchObject([{ kind: 'error', object: 'a.gz/a' }]);
    expect(message.objects[1]?.content()?.length).toBeGreaterThan(0);
  });

  it.each([
    ['zstd', '\x28\xb5\x2f\xfd'],
    ['lz4', '\x04\x22\x4d\x18'],
    ['arj', '\x60\xea'],
    ['xar', 'xar!'],
  ])('says that a %s cannot be opened', (format, magic) => {
    const message = open('file', Buffer.concat([Buffer.from(magic, 'latin1'), Buffer.alloc(50)]));
    expect(message.objects[0]).toMatchObject({ type: 'archive', format });
    expect(message.problems).toMatchObject([{ kind: 'error', detail: `unscannable: ${format} cannot be opened` }]);
  });

  it('opens enclosed messages, plain and in base64', () => {
    const inner = mailWith([{ name: 'a.zip', content: writeZip([{ name: 'b.exe', content: EXE }]) }]);
    for (const encoded of [false, true]) {
      const bytes = Buffer.concat([
        mail(
          'From: a@b',
          'Content-Type: multipart/mixed; boundary="top"',
          '',
          '--top',
          'Content-Type: message/rfc822',
          encoded ? 'Content-Transfer-Encoding: base64' : 'X-Plain: 1',
          'Content-Disposition: attachment; filename="fwd.eml"',
          '',
          '',
        ),
        encoded ? Buffer.from(inner.toString('base64')) : inner,
        mail('', '--top--', ''),
      ]);
      const message = readMessage(bytes, LIMITS);
      expect(message.objects.map(({ path, depth, part }) => [path, depth, part])).toEqual([
        ['fwd.eml', 0, 1],
        ['fwd.eml/a.zip', 1, 1],
        ['fwd.eml/a.zip/b.exe', 2, 1],
      ]);
      expect(message.problems).toEqual([]);
    }
  });
});

describe('objects: names', () => {
  it('makes paths unique and shows what cannot be seen', () => {
    const message = readMessage(
      mailWith([
        { name: 'a.txt', content: Buffer.from('1') },
        { name: 'a.txt', content: Buffer.from('2') },
        { name: 'x\u202etxt.exe', content: EXE },
        { name: 'dots.exe. . ', content: EXE },
      ]),
      LIMITS,
    );
    expect(paths(message)).toEqual(['a.txt', 'a.txt (2)', 'x\\u{202e}txt.exe', 'dots.exe. . ']);
    expect(message.objects[2]?.name).toBe('x\u202etxt.exe');
    expect(message.objects[3]?.extension).toBe('exe');
  });
});

describe('objects: anything', () => {
  it('never throws on damaged archives', () => {
    const zip = writeZip([
      { name: 'a.txt', content: Buffer.from('hello '.repeat(50)) },
      { name: 'b.tar', content: writeTar([{ name: 'c', content: EXE }]) },
    ]);
    const samples = [zip, gzipSync(zip), writeTar([{ name: 'a.zip', content: zip }])];
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }),
        fc.nat(),
        (sample, damage, cut) => {
          const bytes = Buffer.from(sample).subarray(0, sample.length - (cut % 40));
          for (const [place, value] of damage) bytes[place % bytes.length] = value;
          const message = open('a.zip', bytes, { maxUnpacked: 1_000_000 });
          for (const object of message.objects) object.content();
          expect(new Set(paths(message)).size).toBe(message.objects.length);
        },
      ),
      { numRuns: 300 },
    );
  });
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { LIMITS, mailWith } from '../../../test/message/mail.js';
import { writeRar4, writeRar5 } from '../../../test/message/rar-writer.js';
import { writeSevenZip } from '../../../test/message/seven-zip-writer.js';
import { has } from '../../../test/support/programs.js';
import { readMessage } from '../read.js';
import type { Message, ScanLimits } from '../types.js';

const EXE = Buffer.concat([Buffer.from('MZ\x90\0', 'latin1'), Buffer.alloc(100)]);
const TEXT = Buffer.from(Array.from({ length: 20_000 }, (_, at) => `line ${at}\n`).join(''));

function open(name: string, content: Buffer, limits: Partial<ScanLimits> = {}): Message {
  return readMessage(mailWith([{ name, content }]), { ...LIMITS, ...limits });
}

function paths(message: Message): string[] {
  return message.objects.map(({ path }) => path);
}

describe('rar and 7z, written by hand', () => {
  const inputs = [
    { name: 'a.txt', content: Buffer.from('hello') },
    { name: 'dir/setup.exe', content: EXE },
  ];

  it.each([
    ['rar', writeRar4(inputs)],
    ['rar', writeRar5(inputs)],
    ['7z', writeSevenZip(inputs)],
  ])('lists and unpacks a %s', (format, archive) => {
    const message = open('a.bin', archive);
    expect(message.problems).toEqual([]);
    expect(message.objects.map(({ path, type, depth, encrypted }) => [path, type, depth, encrypted])).toEqual([
      ['a.bin', 'archive', 0, false],
      ['a.bin/a.txt', 'text', 1, false],
      ['a.bin/dir/setup.exe', 'executable', 1, false],
    ]);
    expect(message.objects[0]?.format).toBe(format);
    expect(message.objects[2]?.content()?.equals(EXE)).toBe(true);
  });

  it.each([
    ['rar 4', writeRar4(inputs, { headersEncrypted: true })],
    ['rar 5', writeRar5(inputs, { headersEncrypted: true })],
    ['7z', writeSevenZip([{ name: 'x.exe', content: EXE, encrypted: true }])],
    ['rar 4, one file', writeRar4([{ name: 'x.exe', content: EXE, encrypted: true }])],
    ['rar 5, one file', writeRar5([{ name: 'x.exe', content: EXE, encrypted: true }])],
  ])('says that a %s is encrypted', (_, archive) => {
    const message = open('a.bin', archive);
    expect(message.objects[0]).toMatchObject({ type: 'archive', encrypted: true });
    expect(message.problems).toEqual([]);
  });

  it('lists all names, also behind what is encrypted, and unpacks what is not', () => {
    const mixed = [
      { name: 'über-日本.exe', content: EXE },
      { name: 'locked.txt', content: Buffer.from('x'), encrypted: true },
      { name: 'behind.exe', content: EXE },
    ];
    const ascii = mixed.map((input) => ({ ...input, name: input.name.replace(/[^ -~]/g, 'x') }));
    for (const [archive, inputs] of [
      [writeRar5(mixed), mixed],
      [writeRar4(ascii), ascii],
      [writeSevenZip(mixed), mixed],
    ] as const) {
      const message = open('a.bin', archive);
      expect(message.objects.map(({ name, encrypted }) => [name, encrypted])).toEqual([
        ['a.bin', true],
        ...inputs.map((input) => [input.name, input.encrypted === true]),
      ]);
      expect(message.objects[1]?.type).toBe('executable');
      // Nothing that is not opened goes unsaid.
      for (const object of message.objects) {
        const said = object.encrypted || message.problems.some((problem) => problem.object === object.path);
        expect(object.content() !== undefined || said).toBe(true);
      }
    }
  });

  it('reports a RAR that goes on in another volume', () => {
    const archive = writeRar4([{ name: 'a.exe', content: EXE }]);
    const header = archive.subarray(20);
    header.writeUInt16LE(header.readUInt16LE(3) | 2, 3);
    expect(open('a.rar', archive).problems).toMatchObject([
      { object: 'a.rar/a.exe', detail: 'unscannable: it goes on in another volume' },
    ]);
  });

  it('is found behind other bytes: in a program that unpacks itself, and in a picture', () => {
    const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(2000)]);
    for (const before of [EXE, png]) {
      for (const archive of [writeRar4(inputs), writeRar5(inputs), writeSevenZip(inputs)]) {
        const message = open('x', Buffer.concat([before, archive]));
        expect(paths(message)).toEqual(['x', 'x/a.txt', 'x/dir/setup.exe']);
        expect(message.objects[2]?.content()?.equals(EXE)).toBe(true);
      }
    }
    // A mark without an archive is nothing.
    const marks = Buffer.concat([
      EXE,
      Buffer.from("Rar!\x1a\x07\0 7z\xbc\xaf'\x1c MSCF\0\0\0\0", 'latin1'),
      Buffer.alloc(900),
    ]);
    const message = open('x', marks);
    expect(paths(message)).toEqual(['x']);
    expect(message.problems).toEqual([]);
  });

  it('never throws on damaged ones, and reports what it cannot read', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(writeRar4(inputs), writeRar5(inputs), writeSevenZip(inputs)),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
        fc.nat(),
        (sample, damage, cut) => {
          const bytes = Buffer.from(sample).subarray(0, sample.length - (cut % 30));
          for (const [place, value] of damage) bytes[8 + (place % (bytes.length - 8))] = value;
          const message = open('a.bin', bytes, { maxUnpacked: 1_000_000 });
          for (const object of message.objects) object.content();
          expect(message.objects.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 150 },
    );
  });
});

const folder = mkdtempSync(path.join(tmpdir(), 'gatepost-archives-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function make(result: string, command: string, ...args: readonly string[]): Buffer {
  execFileSync(command, args, { cwd: folder, stdio: 'ignore' });
  return readFileSync(path.join(folder, result));
}

writeFileSync(path.join(folder, 'setup.exe'), EXE);
writeFileSync(path.join(folder, 'text.txt'), TEXT);

function execute7z(args: readonly string[]): Buffer {
  execFileSync('7z', args, { cwd: folder, stdio: 'ignore', env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  return readFileSync(path.join(folder, 'n.7z'));
}

describe.skipIf(!has('7z'))('7z of 7-Zip', () => {
  it.each([
    ['lzma2', ['-m0=lzma2']],
    ['lzma', ['-m0=lzma']],
    ['ppmd', ['-m0=ppmd']],
    ['bzip2', ['-m0=bzip2']],
    ['bcj2', ['-m0=bcj2', '-m1=lzma', '-m2=lzma', '-m3=lzma', '-mb0:1', '-mb0s1:2', '-mb0s2:3']],
    ['not solid', ['-ms=off']],
  ])('unpacks %s', (name, options) => {
    const archive = make(`${name}.7z`, '7z', 'a', `${name}.7z`, ...options, 'setup.exe', 'text.txt');
    const message = open('a.7z', archive);
    expect(message.problems).toEqual([]);
    expect(paths(message).sort()).toEqual(['a.7z', 'a.7z/setup.exe', 'a.7z/text.txt']);
    const text = message.objects.find((object) => object.name === 'text.txt');
    expect(text?.content()?.equals(TEXT)).toBe(true);
    expect(text?.content()?.equals(TEXT)).toBe(true);
  });

  it('reads names that are not ASCII, solid and not, in a packed header and a plain one', () => {
    const names = ['ärger.txt', '日本語.exe', 'Прайс.bin', 'plain.txt'];
    for (const name of names) writeFileSync(path.join(folder, name), `${name} ${'x'.repeat(3000)}`);
    for (const options of [[], ['-ms=off'], ['-mhc=off'], ['-m0=copy']]) {
      rmSync(path.join(folder, 'n.7z'), { force: true });
      const archive = execute7z(['a', ...options, 'n.7z', ...names]);
      const message = open('n.7z', archive);
      expect(message.problems).toEqual([]);
      for (const name of names) {
        const object = message.objects.find((one) => one.name === name);
        expect(object?.content()?.toString()).toBe(`${name} ${'x'.repeat(3000)}`);
      }
    }
  });

  it('tells encrypted files and encrypted headers', () => {
    const files = open('a.7z', make('e.7z', '7z', 'a', '-psecret', 'e.7z', 'setup.exe', 'text.txt'));
    expect(files.objects[0]).toMatchObject({ type: 'archive', encrypted: true });
    expect(files.problems).toEqual([]);
    const headers = open('a.7z', make('h.7z', '7z', 'a', '-psecret', '-mhe=on', 'h.7z', 'setup.exe'));
    expect(headers.objects).toHaveLength(1);
    expect(headers.objects[0]).toMatchObject({ type: 'archive', encrypted: true });
    expect(headers.problems).toEqual([]);
  });

  it('stops at a bomb quickly', () => {
    writeFileSync(path.join(folder, 'zeros'), Buffer.alloc(100 * 1024 * 1024));
    const archive = make('bomb.7z', '7z', 'a', '-mx1', 'bomb.7z', 'zeros');
    const start = performance.now();
    const message = open('bomb.7z', archive);
    expect(performance.now() - start).toBeLessThan(5000);
    expect(message.problems).toMatchObject([{ kind: 'limit' }, { kind: 'limit' }]);
  });
});

describe.skipIf(!has('gcab'))('cab', () => {
  it.each([
    ['stored', []],
    ['mszip', ['-z']],
  ])('unpacks a %s one', (name, options) => {
    const message = open(
      'a.cab',
      make(`${name}.cab`, 'gcab', '-c', ...options, `${name}.cab`, 'setup.exe', 'text.txt'),
    );
    expect(message.problems).toEqual([]);
    expect(message.objects.map(({ path, type }) => [path, type])).toEqual([
      ['a.cab', 'archive'],
      ['a.cab/setup.exe', 'executable'],
      ['a.cab/text.txt', 'text'],
    ]);
    expect(message.objects[2]?.content()?.equals(TEXT)).toBe(true);
  });
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS, mailWith } from '../../../test/message/mail.js';
import { has } from '../../../test/support/programs.js';
import { readMessage } from '../read.js';
import type { Message } from '../types.js';
import { listUdf } from './disk/udf.js';

const EXE = Buffer.concat([Buffer.from('MZ\x90\0', 'latin1'), Buffer.alloc(5000, 7)]);
const LONG = 'a name that is longer than eight and three ünd hät umlauts.exe';

function open(name: string, content: Buffer): Message {
  return readMessage(mailWith([{ name, content }]), LIMITS);
}

describe.skipIf(!has('genisoimage'))('optical images', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'gatepost-iso-'));
    mkdirSync(path.join(folder, 'in', 'sub', 'deeper'), { recursive: true });
    writeFileSync(path.join(folder, 'in', LONG), EXE);
    writeFileSync(path.join(folder, 'in', 'sub', 'deeper', 'b.txt'), 'hello');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function image(...options: readonly string[]): Buffer {
    const out = path.join(folder, 'image.iso');
    execFileSync('genisoimage', ['-quiet', '-input-charset', 'utf-8', ...options, '-o', out, path.join(folder, 'in')]);
    return readFileSync(out);
  }

  it.each([
    ['Joliet', ['-J', '-joliet-long']],
    ['Rock Ridge', ['-R']],
    ['both', ['-J', '-joliet-long', '-R']],
    ['both, and UDF', ['-J', '-joliet-long', '-R', '-udf']],
  ])('are listed by the names of %s', (_, options) => {
    const message = open('a.iso', image(...options));
    expect(message.problems).toEqual([]);
    expect(message.objects.map(({ path, type }) => [path, type]).sort()).toEqual(
      [
        ['a.iso', 'disk-image'],
        [`a.iso/${LONG}`, 'executable'],
        ['a.iso/sub/deeper/b.txt', 'text'],
      ].sort(),
    );
    expect(
      message.objects
        .find(({ name }) => name === LONG)
        ?.content()
        ?.equals(EXE),
    ).toBe(true);
  });

  it('are listed by their short names where there are no others', () => {
    const message = open('a.iso', image('-quiet'));
    expect(message.objects.map(({ type }) => type)).toContain('executable');
    expect(message.objects.map(({ path }) => path)).toContain('a.iso/SUB/DEEPER/B.TXT');
  });

  it('show the files of UDF on their own', () => {
    const bytes = image('-udf');
    expect(listUdf(bytes, 100)?.files.map(({ name, size }) => [name, size])).toEqual([
      [LONG, EXE.length],
      ['sub/deeper/b.txt', 5],
    ]);
    expect(listUdf(bytes, 1)).toMatchObject({ cut: true });
    // The files of ISO 9660 are made unreadable; UDF still names them.
    const bare = Buffer.from(bytes);
    bare.fill(0, 16 * 2048, 16 * 2048 + 8);
    bare.write('BEA01', 16 * 2048 + 1);
    expect(open('a.img', bare).objects.map(({ path }) => path)).toContain(`a.img/${LONG}`);
  });

  it('end on anything', () => {
    const sample = image('-J', '-R', '-udf');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 16 * 2048, max: 300 * 2048 }), fc.integer({ min: 0, max: 255 })), {
          minLength: 1,
          maxLength: 30,
        }),
        (damage) => {
          const bytes = Buffer.from(sample);
          for (const [place, value] of damage) bytes[place % bytes.length] = value;
          const message = open('a.iso', bytes);
          expect(message.objects.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('images that cannot be opened', () => {
  function at(offset: number, text: string, size = 2048): Buffer {
    const bytes = Buffer.alloc(size);
    bytes.write(text, offset, 'latin1');
    return bytes;
  }
  const fat = at(3, 'MSDOS5.0');
  fat.set([0xeb, 0x3c, 0x90]);
  fat.write('FAT16   ', 54);
  fat.set([0x55, 0xaa], 510);
  const disk = at(512, 'EFI PART');
  disk.set([0x55, 0xaa], 510);

  it.each([
    ['vhd', at(2048 - 512, 'conectix')],
    ['vhdx', at(0, 'vhdxfile')],
    ['vmdk', at(0, 'KDMV')],
    ['wim', at(0, 'MSWIM\0\0\0')],
    ['dmg', at(2048 - 512, 'koly')],
    ['qcow2', at(0, 'QFI\xfb')],
    ['img', fat],
    ['img', disk],
  ])('say so: %s', (format, content) => {
    const message = open('x', content);
    expect(message.objects[0]).toMatchObject({ type: 'disk-image', format });
    expect(message.problems).toEqual([
      { kind: 'error', object: 'x', detail: `unscannable: ${format} cannot be opened` },
    ]);
  });
});

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { has } from '../../../test/support/programs.js';
import type { Unpacked } from './entry.js';
import { unpackBzip2 } from './unpack/bzip2.js';
import { isLzma, unpackLzma } from './unpack/lzma.js';
import { unpackLzw } from './unpack/lzw.js';
import { unpackXz } from './unpack/xz.js';

const MAX = 64 * 1024 * 1024;
const TEXT = Buffer.from(Array.from({ length: 30_000 }, (_, at) => `line ${at * 7919}\n`).join(''));
const INPUTS: readonly (readonly [string, Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from('a')],
  ['text', TEXT],
  ['zeros', Buffer.alloc(3_000_000)],
  ['noise', randomBytes(300_000)],
  ['mixed', Buffer.concat([TEXT, randomBytes(50_000), TEXT, Buffer.alloc(100_000, 'ab')])],
];

interface Format {
  readonly program: string;
  readonly args: readonly string[];
  unpack(packed: Buffer, max: number): Unpacked;
}

const FORMATS: readonly (readonly [string, Format])[] = [
  ['xz', { program: 'xz', args: ['-c'], unpack: unpackXz }],
  [
    'xz -9e, several blocks, CRC-32',
    { program: 'xz', args: ['-9e', '-c', '--block-size=100000', '-C', 'crc32'], unpack: unpackXz },
  ],
  ['xz with lc, lp, pb', { program: 'xz', args: ['-c', '--lzma2=lc=1,lp=3,pb=0'], unpack: unpackXz }],
  ['lzma', { program: 'xz', args: ['-c', '--format=lzma'], unpack: unpackLzma }],
  ['bzip2', { program: 'bzip2', args: ['-c'], unpack: unpackBzip2 }],
  ['bzip2 -1', { program: 'bzip2', args: ['-1', '-c'], unpack: unpackBzip2 }],
];

function pack({ program, args }: Format, input: Buffer): Buffer {
  return execFileSync(program, args, { input, maxBuffer: MAX });
}

describe.each(FORMATS)('%s', (_, format) => {
  describe.skipIf(!has(format.program))('as its program packs', () => {
    it.each(INPUTS)('unpacks %s', (_name, input) => {
      const result = format.unpack(pack(format, input), MAX);
      expect(result.kind).toBe('ok');
      expect(result.kind === 'ok' && result.bytes.equals(input)).toBe(true);
    });

    it('makes no more than it may', () => {
      const packed = pack(format, TEXT);
      expect(format.unpack(packed, TEXT.length - 1)).toEqual({ kind: 'over' });
      expect(format.unpack(packed, TEXT.length).kind).toBe('ok');
      expect(format.unpack(packed, 0)).toEqual({ kind: 'over' });
    });

    it('gives what there is of a file that is cut', () => {
      const packed = pack(format, TEXT);
      const result = format.unpack(packed.subarray(0, packed.length - 40), MAX);
      expect(result.kind).toBe('damaged');
    });

    it('ends on damage, within its bound', () => {
      const packed = pack(format, INPUTS[5]?.[1].subarray(0, 20_000) ?? TEXT);
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 5 }),
          (damage) => {
            const bytes = Buffer.from(packed);
            for (const [place, value] of damage) bytes[place % bytes.length] = value;
            const result = format.unpack(bytes, 100_000);
            if (result.kind !== 'over') expect(result.bytes?.length ?? 0).toBeLessThanOrEqual(100_000);
          },
        ),
        { numRuns: 60 },
      );
    });
  });
});

describe('several streams in one file', () => {
  it.skipIf(!has('xz') || !has('bzip2'))('are all unpacked', () => {
    for (const [name, format] of FORMATS) {
      if (name === 'lzma') continue;
      const packed = Buffer.concat([pack(format, TEXT), pack(format, Buffer.from('more'))]);
      const result = format.unpack(packed, MAX);
      expect(result.kind === 'ok' && result.bytes.equals(Buffer.concat([TEXT, Buffer.from('more')]))).toBe(true);
    }
  });
});

describe('lzma', () => {
  it('is told from other files', () => {
    expect(isLzma(Buffer.from('5d00008000ffffffffffffffff00182200', 'hex').subarray(0, 17))).toBe(false);
    expect(isLzma(Buffer.from('5d00008000ffffffffffffffff00182200aa', 'hex'))).toBe(true);
    expect(isLzma(Buffer.from(']000 plain text with some length', 'latin1'))).toBe(false);
  });
});

describe('compress', () => {
  /** Codes of 9 bits alone: the first 200 and no more, which is what fits before the width changes. */
  function nineBits(codes: readonly number[]): Buffer {
    const out = Buffer.alloc(3 + Math.ceil((codes.length * 9) / 8));
    out.set([0x1f, 0x9d, 0x90]);
    for (const [index, code] of codes.entries()) {
      for (let bit = 0; bit < 9; bit += 1) {
        const at = index * 9 + bit;
        if ((code & (1 << bit)) !== 0) out[3 + (at >> 3)] = (out[3 + (at >> 3)] ?? 0) | (1 << (at & 7));
      }
    }
    return out;
  }

  it('unpacks codes that name earlier strings, the one being made included', () => {
    const result = unpackLzw(nineBits([0x61, 0x62, 257, 259, 260]), MAX);
    expect(result.kind === 'ok' && result.bytes.toString()).toBe('abababaabaa');
  });

  it('reports codes that name nothing', () => {
    expect(unpackLzw(nineBits([0x61, 300]), MAX).kind).toBe('damaged');
    expect(unpackLzw(Buffer.from([0x1f, 0x9d, 0x88]), MAX).kind).toBe('damaged');
  });

  it('ends on anything', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 9, max: 16 }), (codes, bits) => {
        const result = unpackLzw(Buffer.concat([Buffer.from([0x1f, 0x9d, 0x80 | bits]), codes]), 50_000);
        if (result.kind !== 'over') expect(result.bytes?.length ?? 0).toBeLessThanOrEqual(50_000);
      }),
    );
  });
});

describe('bzip2', () => {
  it('takes thousands of empty streams at no cost', () => {
    const stream = Buffer.from('BZh9\x17rE8P\x90\0\0\0\0', 'latin1');
    const start = performance.now();
    expect(unpackBzip2(Buffer.alloc(stream.length * 40_000, stream), MAX)).toMatchObject({ kind: 'ok' });
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

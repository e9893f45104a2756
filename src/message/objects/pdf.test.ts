import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS, mailWith } from '../../../test/message/mail.js';
import { readMessage } from '../read.js';
import type { Message, ScanLimits } from '../types.js';

const EXE = Buffer.concat([Buffer.from('MZ\x90\0', 'latin1'), Buffer.alloc(100)]);

function open(content: Buffer, limits: Partial<ScanLimits> = {}): Message {
  return readMessage(mailWith([{ name: 'a.pdf', content, type: 'application/pdf' }]), { ...LIMITS, ...limits });
}

function pdf(...objects: readonly (string | Buffer)[]): Buffer {
  const pieces = objects.map((one) => (typeof one === 'string' ? Buffer.from(one, 'latin1') : one));
  return Buffer.concat([Buffer.from('%PDF-1.7\n'), ...pieces, Buffer.from('trailer\n<< /Root 1 0 R >>\n%%EOF\n')]);
}

function stream(number: number, dictionary: string, bytes: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`${number} 0 obj\n<< ${dictionary} >>\nstream\n`, 'latin1'),
    bytes,
    Buffer.from('\nendstream\nendobj\n'),
  ]);
}

const packed = deflateSync(EXE);
const FILE = `/Type /EmbeddedFile /Filter /FlateDecode /Length ${packed.length} /Params << /Size ${EXE.length} >>`;
const SPECIFICATION = '4 0 obj\n<< /Type /Filespec /F (setup.exe) /UF (setup.exe) /EF << /F 5 0 R >> >>\nendobj\n';
const ascii85 = '87cURD]i,"Ebo80~>';

describe('files in a PDF', () => {
  it('are found, with their names', () => {
    const message = open(pdf(SPECIFICATION, stream(5, FILE, packed)));
    expect(message.problems).toEqual([]);
    expect(message.objects.map(({ path, type, depth }) => [path, type, depth])).toEqual([
      ['a.pdf', 'document', 0],
      ['a.pdf/setup.exe', 'executable', 1],
    ]);
    expect(message.objects[1]?.content()?.equals(EXE)).toBe(true);
  });

  it.each([
    ['without a specification', pdf(stream(5, FILE, packed)), 'embedded-5'],
    ['under a name with escapes', pdf(stream(5, FILE.replace('EmbeddedFile', 'Embedded#46ile'), packed)), 'embedded-5'],
    [
      'without a type, named by a specification',
      pdf(SPECIFICATION, stream(5, '/Filter [/FlateDecode]', packed)),
      'setup.exe',
    ],
    ['with a wrong length', pdf(SPECIFICATION, stream(5, FILE.replace(/Length \d+/, 'Length 7'), packed)), 'setup.exe'],
    [
      'with a length in another object',
      pdf(stream(5, FILE.replace(/Length \d+/, 'Length 9 0 R'), packed)),
      'embedded-5',
    ],
    [
      'with its name in UTF-16',
      pdf(SPECIFICATION.replace('(setup.exe) /EF', '<FEFF00E4002E006500780065> /EF'), stream(5, FILE, packed)),
      'ä.exe',
    ],
    [
      'with its name in octal',
      pdf(SPECIFICATION.replaceAll('setup.exe', 'a\\050\\).exe'), stream(5, FILE, packed)),
      'a().exe',
    ],
    [
      'in hexadecimal digits',
      pdf(stream(5, '/Type /EmbeddedFile /Filter [/AHx /Fl]', Buffer.from(`${packed.toString('hex')}>`))),
      'embedded-5',
    ],
  ])('are found %s', (_, content, name) => {
    const message = open(content);
    expect(message.problems).toEqual([]);
    expect(message.objects[1]).toMatchObject({ path: `a.pdf/${name}`, type: 'executable' });
  });

  it('are named by specifications in object streams', () => {
    const objects = deflateSync(Buffer.from('4 0 << /Type /Filespec /UF (run.js) /EF << /F 5 0 R >> >>'));
    const message = open(
      pdf(
        stream(7, '/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode', objects),
        stream(5, '/Filter /FlateDecode', packed),
      ),
    );
    expect(message.objects.map(({ path }) => path)).toEqual(['a.pdf', 'a.pdf/run.js']);
  });

  it('are read in ASCII85', () => {
    const message = open(pdf(stream(5, '/Type /EmbeddedFile /Filter /ASCII85Decode', Buffer.from(ascii85))));
    expect(message.objects[1]?.content()?.toString()).toBe('Hello World!');
  });

  it('are reported where they cannot be read', () => {
    const encrypted = open(Buffer.concat([pdf(SPECIFICATION, stream(5, FILE, packed)), Buffer.from('/Encrypt 9 0 R')]));
    expect(encrypted.objects.map(({ encrypted }) => encrypted)).toEqual([true, true]);
    expect(encrypted.problems).toEqual([]);
    const filter = open(pdf(stream(5, '/Type /EmbeddedFile /Filter /LZWDecode', packed)));
    expect(filter.problems).toMatchObject([
      { object: 'a.pdf/embedded-5', detail: 'unscannable: PDF filter LZWDecode' },
    ]);
    const damaged = open(pdf(stream(7, '/Type /ObjStm /Filter /FlateDecode', Buffer.from('no zlib at all'))));
    expect(damaged.problems).toMatchObject([
      { object: 'a.pdf', detail: 'unscannable: a part of the PDF cannot be read' },
    ]);
  });

  it('are held to the bounds', () => {
    const bomb = deflateSync(Buffer.alloc(40 * 1024 * 1024));
    const message = open(pdf(stream(5, '/Type /EmbeddedFile /Filter /FlateDecode', bomb)));
    expect(message.problems).toMatchObject([{ kind: 'limit' }]);
    const many = Array.from({ length: 20 }, (_, at) => stream(at + 5, FILE, packed));
    expect(open(pdf(...many), { maxArchiveEntries: 5 }).problems).toMatchObject([{ kind: 'limit' }]);
  });

  it('are found quickly in a file made to be slow', () => {
    const start = performance.now();
    open(pdf('1 0 obj << /EF '.repeat(100_000), 'obj stream\n'.repeat(100_000), '/EF << 1 0 R >> ('.repeat(50_000)));
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it('ends on anything', () => {
    const whole = pdf(SPECIFICATION, stream(5, FILE, packed));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 10 }),
        (damage) => {
          const bytes = Buffer.from(whole);
          for (const [place, value] of damage) bytes[8 + (place % (bytes.length - 8))] = value;
          expect(open(bytes).objects.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 200 },
    );
  });
});

import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeCompound } from '../../../test/message/compound-writer.js';
import { LIMITS, mailWith } from '../../../test/message/mail.js';
import { writeZip } from '../../../test/message/zip-writer.js';
import { readMessage } from '../read.js';
import type { Message, ScanLimits } from '../types.js';

const EXE = Buffer.concat([Buffer.from('MZ\x90\0', 'latin1'), Buffer.alloc(100)]);
const LARGE = Buffer.concat([Buffer.from('MZ\x90\0', 'latin1'), Buffer.alloc(9000, 7)]);

function open(name: string, content: Buffer, limits: Partial<ScanLimits> = {}): Message {
  return readMessage(mailWith([{ name, content }]), { ...LIMITS, ...limits });
}

/** An `\u0001Ole10Native` stream of the packager. */
function native(name: string, content: Buffer): Buffer {
  const text = (value: string): Buffer => Buffer.from(`${value}\0`, 'latin1');
  const temporary = text(`C:\\Temp\\${name}`);
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const body = Buffer.concat([
    Buffer.from([2, 0]),
    text(name),
    text(`C:\\Users\\x\\${name}`),
    number(0x30000),
    number(temporary.length),
    temporary,
    number(content.length),
    content,
    number(0),
  ]);
  return Buffer.concat([number(body.length), body]);
}

const PACKAGE = writeCompound([{ name: '\u0001Ole10Native', content: native('setup.exe', EXE) }]);

describe('files in compound files', () => {
  it('finds the file in a package, small or large', () => {
    for (const content of [EXE, LARGE]) {
      const file = writeCompound([{ name: '\u0001Ole10Native', content: native('setup.exe', content) }]);
      const message = open('object.bin', file);
      expect(message.problems).toEqual([]);
      expect(message.objects[0]).toMatchObject({ format: 'ole-package' });
      expect(message.objects[1]).toMatchObject({ path: 'object.bin/setup.exe', type: 'executable', depth: 1 });
      expect(message.objects[1]?.content()?.equals(content)).toBe(true);
    }
  });

  it('finds packages in the objects of a document', () => {
    const file = writeCompound([
      { name: 'WordDocument', content: Buffer.alloc(5000) },
      {
        name: 'ObjectPool',
        children: [{ name: '_1234', children: [{ name: '\u0001Ole10Native', content: native('run.js', EXE) }] }],
      },
    ]);
    const message = open('a.doc', file);
    expect(message.objects.map(({ path, format }) => [path, format])).toEqual([
      ['a.doc', 'doc'],
      ['a.doc/run.js', 'dos'],
    ]);
  });

  it('takes a stream of another form as a whole', () => {
    const file = writeCompound([{ name: '\u0001Ole10Native', content: Buffer.concat([Buffer.alloc(4), EXE]) }]);
    expect(open('x', file).objects[1]).toMatchObject({ path: 'x/package', type: 'executable', size: EXE.length });
  });

  it('lists the attachments of an Outlook message, and of the messages in it', () => {
    const attachment = (number: number, name: string, content: Buffer) => ({
      name: `__attach_version1.0_#0000000${number}`,
      children: [
        { name: '__substg1.0_3707001F', content: Buffer.from(name, 'utf16le') },
        { name: '__substg1.0_37010102', content },
      ],
    });
    const file = writeCompound([
      { name: '__properties_version1.0', content: Buffer.alloc(32) },
      attachment(0, 'ärger.exe', EXE),
      {
        name: '__attach_version1.0_#00000001',
        children: [
          {
            name: '__substg1.0_3701000D',
            children: [
              attachment(0, 'inner.zip', writeZip([{ name: 'b.exe', content: EXE }])),
              { name: '__properties_version1.0', content: Buffer.alloc(24) },
            ],
          },
        ],
      },
    ]);
    const message = open('mail.msg', file);
    expect(message.problems).toEqual([]);
    expect(message.objects.map(({ path, type }) => [path, type])).toEqual([
      ['mail.msg', 'other'],
      ['mail.msg/ärger.exe', 'executable'],
      ['mail.msg/inner.zip', 'archive'],
      ['mail.msg/inner.zip/b.exe', 'executable'],
    ]);
    expect(message.objects[0]?.format).toBe('msg');
  });

  it('ends on anything', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 10 }),
        (damage) => {
          const bytes = Buffer.from(PACKAGE);
          for (const [place, value] of damage) bytes[8 + (place % (bytes.length - 8))] = value;
          const message = open('a', bytes);
          for (const object of message.objects) object.content();
          expect(message.objects.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('files in RTF documents', () => {
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const text = (value: string): Buffer => Buffer.concat([number(value.length + 1), Buffer.from(`${value}\0`)]);
  const object = (className: string, data: Buffer): string =>
    Buffer.concat([
      number(0x501),
      number(2),
      text(className),
      number(0),
      number(0),
      number(data.length),
      data,
    ]).toString('hex');
  const rtf = (digits: string): Buffer =>
    Buffer.from(`{\\rtf1{\\object\\objemb{\\*\\objclass x}{\\*\\objdata ${digits}}{\\result text}}}`);

  it.each([
    ['an OLE object', rtf(object('Word.Document.8', PACKAGE)), ['a.rtf', 'a.rtf/object-1', 'a.rtf/object-1/setup.exe']],
    ['a package', rtf(object('Package', native('run.exe', EXE).subarray(4))), ['a.rtf', 'a.rtf/run.exe']],
    [
      'digits that are broken up',
      rtf(object('Package', native('run.exe', EXE).subarray(4)).replace(/.{31}/g, '$&\r\n {\\*\\x ab}\\par1 ')),
      ['a.rtf', 'a.rtf/run.exe'],
    ],
  ])('are found: %s', (_, content, expected) => {
    const message = open('a.rtf', content);
    expect(message.problems).toEqual([]);
    expect(message.objects.map(({ path }) => path)).toEqual(expected);
    expect(message.objects.at(-1)?.content()?.equals(EXE)).toBe(true);
  });

  it('objects within objects are given up, and told', () => {
    const start = performance.now();
    const message = open('a.rtf', Buffer.from(`{\\rtf1${'{\\object{\\objdata 4142 '.repeat(80_000)}`));
    expect(message.problems.map(({ detail }) => detail)).toContain('it is damaged (RTF object)');
    expect(performance.now() - start).toBeLessThan(8000);
  });

  it('is nothing where there are none', () => {
    expect(open('a.rtf', rtf('zz')).objects).toHaveLength(1);
    expect(open('a.rtf', Buffer.from('{\\rtf1 hello}')).objects).toHaveLength(1);
  });
});

describe('files in Office documents', () => {
  const docx = (name: string, content: Buffer): Buffer =>
    writeZip([
      { name: '[Content_Types].xml', content: Buffer.from('<x/>') },
      { name: 'word/document.xml', content: Buffer.from('<x/>') },
      { name: `word/embeddings/${name}`, content },
    ]);

  it('are objects; the other parts are not', () => {
    const message = open('a.docx', docx('oleObject1.bin', PACKAGE));
    expect(message.problems).toEqual([]);
    expect(message.objects.map(({ path, type }) => [path, type])).toEqual([
      ['a.docx', 'document'],
      ['a.docx/word/embeddings/oleObject1.bin', 'other'],
      ['a.docx/word/embeddings/oleObject1.bin/setup.exe', 'executable'],
    ]);
  });

  it('count for the bound on depth', () => {
    expect(open('a.docx', docx('oleObject1.bin', PACKAGE), { maxDepth: 2 }).problems).toMatchObject([
      { kind: 'limit' },
    ]);
  });
});

describe('an old presentation', () => {
  const record = (instance: number, type: number, body: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt16LE(instance << 4, 0);
    head.writeUInt16LE(type, 2);
    head.writeUInt32LE(body.length, 4);
    return Buffer.concat([head, body]);
  };
  const size = Buffer.alloc(4);
  size.writeUInt32LE(PACKAGE.length);

  it.each([
    ['packed', record(1, 0x1011, Buffer.concat([size, deflateSync(PACKAGE)]))],
    ['plain', record(0, 0x1011, PACKAGE)],
  ])('shows what is embedded in it, %s', (_, object) => {
    const stream = Buffer.concat([record(0, 0x03e8, Buffer.alloc(5000)), object]);
    const message = open('a.ppt', writeCompound([{ name: 'PowerPoint Document', content: stream }]));
    expect(message.problems).toEqual([]);
    expect(message.objects.map(({ path, type }) => [path, type])).toEqual([
      ['a.ppt', 'presentation'],
      ['a.ppt/object-1', expect.any(String)],
      ['a.ppt/object-1/setup.exe', 'executable'],
    ]);
  });
});

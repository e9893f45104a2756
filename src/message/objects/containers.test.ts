import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS, mailWith } from '../../../test/message/mail.js';
import { readMessage } from '../read.js';
import type { Message, ScanLimits } from '../types.js';

const EXE = Buffer.concat([Buffer.from('MZ\x90\0', 'latin1'), Buffer.alloc(101)]);

function open(name: string, content: Buffer, limits: Partial<ScanLimits> = {}): Message {
  return readMessage(mailWith([{ name, content }]), { ...LIMITS, ...limits });
}

function paths(message: Message): string[] {
  return message.objects.map(({ path }) => path);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function padded(bytes: Buffer, unit: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((unit - (bytes.length % unit)) % unit)]);
}

interface File {
  readonly name: string;
  readonly content: Buffer;
}

function newCpio(files: readonly File[]): Buffer {
  return Buffer.concat(
    [...files, { name: 'TRAILER!!!', content: Buffer.alloc(0) }].map(({ name, content }) => {
      const path = Buffer.from(`${name}\0`);
      const numbers = [1, 0o100644, 0, 0, 1, 0, content.length, 0, 0, 0, 0, path.length, 0];
      const head = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`;
      return Buffer.concat([padded(Buffer.concat([Buffer.from(head), path]), 4), padded(content, 4)]);
    }),
  );
}

function oldCpio(files: readonly File[]): Buffer {
  return Buffer.concat(
    [...files, { name: 'TRAILER!!!', content: Buffer.alloc(0) }].map(({ name, content }) => {
      const octal = (value: number, width: number): string => value.toString(8).padStart(width, '0');
      const head = `070707${octal(0, 6)}${octal(1, 6)}${octal(0o100644, 6)}${octal(0, 24)}${octal(0, 11)}`;
      const sizes = `${octal(name.length + 1, 6)}${octal(content.length, 11)}`;
      return Buffer.concat([Buffer.from(`${head}${sizes}${name}\0`), content]);
    }),
  );
}

function ar(files: readonly { readonly field: string; readonly content: Buffer }[]): Buffer {
  return Buffer.concat([
    Buffer.from('!<arch>\n'),
    ...files.map(({ field, content }) =>
      Buffer.concat([
        Buffer.from(
          `${field.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(12)}${'100644'.padEnd(8)}${String(content.length).padEnd(10)}\`\n`,
        ),
        padded(content, 2),
      ]),
    ),
  ]);
}

function rpm(payload: Buffer): Buffer {
  const header = (store: number): Buffer => {
    const bytes = Buffer.alloc(16 + 16 + store);
    bytes.writeUInt32BE(0x8eade801);
    bytes.writeUInt32BE(1, 8);
    bytes.writeUInt32BE(store, 12);
    return bytes;
  };
  const lead = Buffer.alloc(96);
  lead.writeUInt32BE(0xedabeedb);
  return Buffer.concat([lead, padded(header(13), 8), header(20), payload]);
}

describe('plain archives', () => {
  const files = [
    { name: 'a.txt', content: Buffer.from('hello') },
    { name: 'dir/ü.exe', content: EXE },
  ];

  it.each([
    ['newc', newCpio(files)],
    ['odc', oldCpio(files.map(({ name, content }) => ({ name: name.replace('ü', 'u'), content })))],
  ])('lists a cpio: %s', (_, archive) => {
    const message = open('a.cpio', archive);
    expect(message.problems).toEqual([]);
    expect(message.objects.map(({ type, format }) => `${type} ${format}`)).toEqual([
      'archive cpio',
      'text txt',
      'executable dos',
    ]);
    expect(message.objects[2]?.content()?.equals(EXE)).toBe(true);
  });

  it('lists an ar with the long names of GNU and BSD', () => {
    const long = 'a-name-that-does-not-fit.exe';
    const archive = ar([
      { field: '//', content: Buffer.from(`${long}/\n`) },
      { field: 'short.txt/', content: Buffer.from('x') },
      { field: '/0', content: EXE },
      { field: `#1/${long.length}`, content: Buffer.concat([Buffer.from(long), EXE]) },
    ]);
    const message = open('a.deb', archive);
    expect(message.problems).toEqual([]);
    expect(paths(message)).toEqual(['a.deb', 'a.deb/short.txt', `a.deb/${long}`, `a.deb/${long} (2)`]);
    expect(message.objects[3]?.content()?.equals(EXE)).toBe(true);
  });

  it('goes through an RPM to its files', () => {
    const message = open('a.rpm', rpm(gzipSync(newCpio(files))));
    expect(message.problems).toEqual([]);
    expect(message.objects.map(({ format }) => format)).toEqual(['rpm', 'gzip', 'cpio', 'txt', 'dos']);
  });

  it('reports damage, and keeps to the bound on entries', () => {
    expect(open('a.cpio', newCpio(files).subarray(0, 150)).problems).toMatchObject([{ kind: 'error' }]);
    expect(open('a', Buffer.from('!<arch>\nno header at all'.padEnd(100))).problems).toMatchObject([{ kind: 'error' }]);
    expect(open('a.rpm', rpm(Buffer.alloc(0)).subarray(0, 100)).problems).toMatchObject([{ kind: 'error' }]);
    for (const archive of [newCpio(files), ar([1, 2].map((at) => ({ field: `${at}/`, content: EXE })))])
      expect(open('a', archive, { maxArchiveEntries: 1 }).problems).toMatchObject([{ kind: 'limit' }]);
  });
});

function attribute(id: number, data: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([2]),
    u32(id),
    u32(data.length),
    data,
    u16(data.reduce((sum, byte) => (sum + byte) & 0xffff, 0)),
  ]);
}

function properties(...list: readonly (readonly [type: number, id: number, value: Buffer])[]): Buffer {
  return Buffer.concat([
    u32(list.length),
    ...list.flatMap(([type, id, value]) => {
      const named = id >= 0x8000 ? [Buffer.alloc(16), u32(0), u32(7)] : [];
      const counted = type === 0x03 ? [value] : [u32(1), u32(value.length), padded(value, 4)];
      return [u16(type), u16(id), ...named, ...counted];
    }),
  ]);
}

function tnef(...attributes: readonly Buffer[]): Buffer {
  return Buffer.concat([u32(0x223e9f78), u16(1), ...attributes]);
}

describe('winmail.dat', () => {
  const START = attribute(0x00069002, Buffer.alloc(14));

  it('lists attachments with their long names', () => {
    const file = tnef(
      attribute(0x00069003, properties([0x03, 0x8001, u32(5)], [0x102, 0x1013, Buffer.from('<html><p>hello')])),
      START,
      attribute(0x00018010, Buffer.from('SETUP~1.EXE\0')),
      attribute(0x0006800f, EXE),
      attribute(
        0x00069005,
        properties([0x03, 0x3705, u32(1)], [0x1f, 0x3707, Buffer.from('ärger setup.exe\0', 'utf16le')]),
      ),
      START,
      attribute(0x00018010, Buffer.from('b.txt\0')),
      attribute(0x0006800f, Buffer.from('b')),
    );
    const message = open('winmail.dat', file);
    expect(message.problems).toEqual([]);
    expect(message.objects.map(({ path, format }) => [path, format])).toEqual([
      ['winmail.dat', 'tnef'],
      ['winmail.dat/body.html', 'html'],
      ['winmail.dat/ärger setup.exe', 'dos'],
      ['winmail.dat/b.txt', 'txt'],
    ]);
    expect(message.objects[2]?.content()?.equals(EXE)).toBe(true);
  });

  it('goes into a message that is embedded in it', () => {
    const inner = tnef(START, attribute(0x00018010, Buffer.from('x.exe\0')), attribute(0x0006800f, EXE));
    const file = tnef(
      START,
      attribute(0x00018010, Buffer.from('fwd\0')),
      attribute(0x00069005, properties([0x0d, 0x3701, Buffer.concat([Buffer.alloc(16), inner])])),
    );
    expect(paths(open('winmail.dat', file))).toEqual(['winmail.dat', 'winmail.dat/fwd', 'winmail.dat/fwd/x.exe']);
  });

  it('unpacks the text in compressed RTF', () => {
    // The example of MS-OXRTFCP 4.1.1.
    const packed = Buffer.from(
      '2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232 0af32068656c090020627705b06c647d0a800fa0'.replaceAll(
        ' ',
        '',
      ),
      'hex',
    );
    const message = open('winmail.dat', tnef(attribute(0x00069003, properties([0x102, 0x1009, packed]))));
    expect(message.objects[1]).toMatchObject({ path: 'winmail.dat/body.rtf', format: 'rtf' });
    expect(message.objects[1]?.content()?.toString()).toBe('{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n');
  });

  it('reports one that is cut', () => {
    const file = tnef(START, attribute(0x00018010, Buffer.from('x.exe\0')), attribute(0x0006800f, EXE));
    const message = open('winmail.dat', file.subarray(0, file.length - 30));
    expect(message.objects[1]).toMatchObject({ type: 'executable' });
    expect(message.problems).toMatchObject([{ kind: 'error', object: 'winmail.dat' }]);
  });
});

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  const length =
    body.length < 128 ? Buffer.from([body.length]) : Buffer.from([0x82, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), length, body]);
}

function indefinite(tag: number, ...contents: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([tag, 0x80]), ...contents, Buffer.alloc(2)]);
}

const DATA = der(6, Buffer.from('2a864886f70d010701', 'hex'));

function cms(type: string, wrap: typeof der, octets: Buffer | undefined, algorithm = false): Buffer {
  const inner = octets === undefined ? der(0x30, DATA) : wrap(0x30, DATA, wrap(0xa0, octets));
  const before = algorithm ? der(0x30, der(6, Buffer.from('2a864886f70d0109100308', 'hex'))) : der(0x31);
  const data = wrap(0x30, der(2, Buffer.from([1])), before, inner, der(0x31));
  return wrap(0x30, der(6, Buffer.from(type, 'hex')), wrap(0xa0, data));
}

describe('S/MIME', () => {
  const SIGNED = '2a864886f70d010702';
  const entity = mailWith([{ name: 'setup.exe', content: EXE }]);

  it.each([
    ['DER', cms(SIGNED, der, der(4, entity))],
    [
      'BER of indefinite length, in pieces',
      cms(SIGNED, indefinite, indefinite(0x24, der(4, entity.subarray(0, 100)), der(4, entity.subarray(100)))),
    ],
    ['compressed', cms('2a864886f70d0109100109', der, der(4, deflateSync(entity)), true)],
  ])('is opened when it is signed or compressed: %s', (_, content) => {
    const message = open('smime.p7m', content);
    expect(message.problems).toEqual([]);
    expect(paths(message)).toEqual(['smime.p7m', 'smime.p7m/smime.eml', 'smime.p7m/smime.eml/setup.exe']);
    expect(message.objects[2]?.content()?.equals(EXE)).toBe(true);
  });

  it('gives a signed file its name', () => {
    expect(paths(open('contract.pdf.p7m', cms(SIGNED, der, der(4, Buffer.from('%PDF-1.4 x')))))).toEqual([
      'contract.pdf.p7m',
      'contract.pdf.p7m/contract.pdf',
    ]);
  });

  it('holds nothing when it is a signature alone', () => {
    const message = open('smime.p7s', cms(SIGNED, der, undefined));
    expect(paths(message)).toEqual(['smime.p7s']);
    expect(message.problems).toEqual([]);
  });

  it('is encrypted when it says so', () => {
    expect(open('smime.p7m', cms('2a864886f70d010703', der, undefined)).objects[0]).toMatchObject({
      type: 'encrypted',
      encrypted: true,
    });
  });

  it('is reported when it is damaged', () => {
    const damaged = cms(SIGNED, der, der(4, entity)).subarray(0, 200);
    expect(open('smime.p7m', damaged).problems).toMatchObject([{ kind: 'error', object: 'smime.p7m' }]);
  });

  it('does not follow nesting without end', () => {
    const nested = Buffer.concat([
      cms(SIGNED, indefinite, undefined).subarray(0, 15),
      Buffer.alloc(100_000, '\x30\x80', 'latin1'),
    ]);
    expect(open('smime.p7m', nested).problems).toMatchObject([{ kind: 'error' }]);
  });
});

describe('the text of a message inside an attachment', () => {
  const entity = Buffer.from(
    'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8gdGhlcmU=\r\n',
  );

  it('belongs to the text of the mail when clients show it there, and is to be had in any case', async () => {
    const signed = open('smime.p7m', cms('2a864886f70d010702', der, der(4, entity)));
    expect(signed.enclosedBodies).toMatchObject([
      { object: 'smime.p7m/smime.eml', mime: 'text/plain', archived: false },
    ]);
    expect((await signed.text()).text).toContain('hello there');
    const packed = open('a.gz', gzipSync(Buffer.from('Note: a\r\nNote: b\r\n\r\nhello there\r\n')));
    expect(packed.enclosedBodies).toEqual([]);
    const kept = open('a.eml.gz', gzipSync(Buffer.concat([Buffer.from('From: a@b\r\n'), entity])));
    expect(kept.enclosedBodies.map(({ content, archived }) => [content.toString(), archived])).toEqual([
      ['hello there', true],
    ]);
    expect((await kept.text()).text).not.toContain('hello there');
  });
});

describe('all of them', () => {
  const samples = [
    newCpio([{ name: 'a', content: EXE }]),
    ar([{ field: 'a/', content: EXE }]),
    rpm(gzipSync(EXE)),
    tnef(
      attribute(0x00069002, Buffer.alloc(14)),
      attribute(0x0006800f, EXE),
      attribute(0x00069005, properties([0x1f, 0x3707, Buffer.from('a')])),
    ),
    cms('2a864886f70d010702', indefinite, der(4, EXE)),
  ];

  it('end on anything', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 }),
        (sample, damage) => {
          const bytes = Buffer.from(sample);
          for (const [place, value] of damage) bytes[place % bytes.length] = value;
          const message = open('a', bytes, { maxUnpacked: 1_000_000 });
          for (const object of message.objects) object.content();
          expect(message.objects.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 500 },
    );
  });
});

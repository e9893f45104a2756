import { deflateRawSync } from 'node:zlib';
import { fileTypeFromBuffer } from 'file-type';
import { describe, expect, it } from 'vitest';
import { LIMITS, mailWith } from '../../test/message/mail.js';
import { writeOle } from '../../test/message/ole-writer.js';
import { writeZip, type ZipInput } from '../../test/message/zip-writer.js';
import { readMessage } from './read.js';
import type { MessageObject, OpenProblem } from './types.js';

function only(name: string, content: Buffer): MessageObject & { readonly problems: readonly OpenProblem[] } {
  const message = readMessage(mailWith([{ name, content }]), LIMITS);
  const object = message.objects[0];
  if (object === undefined || message.objects.length !== 1) throw new Error(`${message.objects.length} objects`);
  return Object.assign(object, { problems: message.problems });
}

function binary(head: string, size = 600): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.write(head, 'latin1');
  return bytes;
}

function files(...names: readonly string[]): ZipInput[] {
  return names.map((name) => ({ name, content: Buffer.from(`<x>${name}</x>`) }));
}

function odf(...more: readonly ZipInput[]): Buffer {
  const mime = { name: 'mimetype', content: Buffer.from('application/vnd.oasis.opendocument.text'), stored: true };
  return writeZip([mime, ...files('content.xml'), ...more]);
}

describe('true types by magic', () => {
  it.each([
    ['a.pdf', binary('MZ\x90\0'), 'executable', 'dos'],
    ['a', binary('\x7fELF\x02\x01'), 'executable', 'elf'],
    ['a', binary('\xcf\xfa\xed\xfe'), 'executable', 'macho'],
    ['a', binary('\xca\xfe\xba\xbe\0\0\0\x34'), 'executable', 'class'],
    ['a', binary('\xca\xfe\xba\xbe\0\0\0\x02'), 'executable', 'macho'],
    ['a', binary('L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0'), 'executable', 'lnk'],
    ['a', binary('%PDF-1.7\n'), 'document', 'pdf'],
    ['a', binary('{\\rtf1'), 'document', 'rtf'],
    ['a', binary('\x89PNG\r\n\x1a\n'), 'image', 'png'],
    ['a', binary('\xff\xd8\xff\xe0'), 'image', 'jpeg'],
    ['a', binary('ID3\x03'), 'audio', 'mp3'],
    ['a', binary('\0\0\0\x18ftypmp42'), 'video', 'mp4'],
    ['a', binary('SQLite format 3\0'), 'database', 'sqlite'],
    ['a', binary('-----BEGIN PGP MESSAGE-----'), 'encrypted', 'pgp'],
    ['a.txt', Buffer.from('plain text'), 'text', 'txt'],
    ['a.bin', Buffer.from([1, 2, 3]), 'other', ''],
    ['a.html', Buffer.from('<p>x'), 'text', 'html'],
    ['a', Buffer.from('#!/usr/bin/env python3\n'), 'script', 'python'],
    ['a.js', Buffer.from('WScript.Echo(1)'), 'script', 'js'],
    ['a.PS1', Buffer.from('Get-Item .'), 'script', 'ps1'],
    ['a.hta ', Buffer.from('<html>'), 'script', 'hta'],
    ['a.txt', Buffer.from('MZ is how this text starts'), 'text', 'txt'],
    ['a.txt', Buffer.from('BZh is no bzip2'), 'text', 'txt'],
  ])('%s %#', (name, content, type, format) => {
    expect(only(name, content)).toMatchObject({ type, format });
  });

  it('tells a PE from older programs', () => {
    const pe = binary('MZ');
    pe.writeUInt32LE(128, 60);
    pe.write('PE\0\0', 128);
    expect(only('a.pdf', pe)).toMatchObject({ type: 'executable', format: 'pe' });
  });

  it('agrees with file-type', async () => {
    const samples: [string, string][] = [
      ['\x7fELF\x02\x01', 'elf'],
      ['\x1f\x9d', 'Z'],
      ['GIF89a', 'gif'],
      ['fLaC', 'flac'],
      ['Rar!\x1a\x07\0', 'rar'],
    ];
    for (const [head, extension] of samples) {
      const bytes = binary(head);
      expect((await fileTypeFromBuffer(bytes))?.ext).toBe(extension);
      expect(readMessage(mailWith([{ name: 'a', content: bytes }]), LIMITS).objects[0]?.type).not.toBe('other');
    }
  });
});

describe('documents that are zips', () => {
  it.each([
    ['word/document.xml', 'document', 'docx'],
    ['xl/workbook.xml', 'spreadsheet', 'xlsx'],
    ['ppt/presentation.xml', 'presentation', 'pptx'],
  ])('%s', (entry, type, format) => {
    const plain = only('a', writeZip(files('[Content_Types].xml', entry)));
    expect(plain).toMatchObject({ type, format, macro: false, encrypted: false });
    const folder = entry.slice(0, entry.indexOf('/'));
    const macro = only('a.docx', writeZip(files('[Content_Types].xml', entry, `${folder}/vbaProject.bin`)));
    expect(macro).toMatchObject({ type, macro: true });
  });

  it('finds macros in documents inside documents', () => {
    const inner = writeZip(files('[Content_Types].xml', 'xl/workbook.xml', 'xl/vbaProject.bin'));
    const ole = writeOle(['WordDocument', '_VBA_PROJECT']);
    for (const [name, content] of [['sheet1.xlsm', inner] as const, ['oleObject1.bin', ole] as const]) {
      const document = writeZip([
        ...files('[Content_Types].xml', 'word/document.xml'),
        { name: `word/embeddings/${name}`, content },
      ]);
      const message = readMessage(mailWith([{ name: 'a.docx', content: document }]), LIMITS);
      expect(message.objects.map(({ path, macro }) => [path, macro])).toEqual([
        ['a.docx', false],
        [`a.docx/word/embeddings/${name}`, true],
      ]);
    }
  });

  it('looks into one that is called a zip, or holds a program', () => {
    const names = ['[Content_Types].xml', 'word/document.xml'];
    const called = readMessage(mailWith([{ name: 'a.zip', content: writeZip(files(...names)) }]), LIMITS);
    expect(called.objects.map(({ path }) => path)).toContain('a.zip/word/document.xml');
    const holding = readMessage(
      mailWith([{ name: 'a.docx', content: writeZip(files(...names, 'setup.exe')) }]),
      LIMITS,
    );
    expect(holding.objects.map(({ path }) => path)).toContain('a.docx/setup.exe');
  });

  it('knows OpenDocument, its macros and its passwords', () => {
    expect(only('a', odf())).toMatchObject({ type: 'document', format: 'odt', macro: false, encrypted: false });
    expect(only('a', odf(...files('Basic/Standard/Module1.xml'))).macro).toBe(true);
    const manifest = { name: 'META-INF/manifest.xml', content: Buffer.from('<manifest:encryption-data/>') };
    expect(only('a', odf(manifest)).encrypted).toBe(true);
  });
});

describe('compound files', () => {
  it.each([
    [['WordDocument'], 'document', 'doc'],
    [['Workbook'], 'spreadsheet', 'xls'],
    [['PowerPoint Document'], 'presentation', 'ppt'],
    [['EncryptionInfo', 'EncryptedPackage'], 'encrypted', 'ooxml-encrypted'],
    [['__properties_version1.0'], 'other', 'msg'],
    [['anything'], 'other', 'ole'],
  ])('%j', (names, type, format) => {
    expect(only('a', writeOle(names))).toMatchObject({ type, format, macro: false, encrypted: type === 'encrypted' });
  });

  it('have macros when they have a VBA project', () => {
    expect(only('a.doc', writeOle(['WordDocument', 'Macros', 'VBA', '_VBA_PROJECT']))).toMatchObject({
      format: 'doc',
      macro: true,
    });
  });

  it('are encrypted when the document says so', () => {
    const fib = Buffer.alloc(4096);
    fib.writeUInt16LE(0x0100, 10);
    expect(only('a.doc', writeOle(['WordDocument'], fib)).encrypted).toBe(true);
    expect(only('a.doc', writeOle(['WordDocument'], Buffer.alloc(4096))).encrypted).toBe(false);
    const workbook = Buffer.alloc(4096);
    workbook.writeUInt16LE(0x0809, 0);
    workbook.writeUInt16LE(4, 2);
    workbook.writeUInt16LE(0x002f, 8);
    expect(only('a.xls', writeOle(['Workbook'], workbook)).encrypted).toBe(true);
  });

  it('never make it throw, however they are damaged', () => {
    const whole = writeOle(['WordDocument', 'VBA']);
    for (let at = 0; at < 512; at += 1) {
      const bytes = Buffer.from(whole);
      bytes[at] = 0xff - (bytes[at] ?? 0);
      expect(only('a.doc', bytes).type).toBeTypeOf('string');
    }
    expect(only('a.doc', whole.subarray(0, 600)).format).toBeTypeOf('string');
  });
});

describe('passwords and damage', () => {
  it('sees an encrypted PDF', () => {
    expect(only('a.pdf', Buffer.from('%PDF-1.4\ntrailer << /Encrypt 5 0 R >>')).encrypted).toBe(true);
    expect(only('a.pdf', Buffer.from('%PDF-1.4\ntrailer << >>')).encrypted).toBe(false);
  });

  it('says what is wrong with a stream that is no deflate', () => {
    const zip = writeZip([{ name: 'a', content: Buffer.alloc(100, 'abc') }]);
    const at = zip.indexOf(deflateRawSync(Buffer.alloc(100, 'abc')));
    zip.fill(0xff, at, at + 4);
    const message = readMessage(mailWith([{ name: 'a.zip', content: zip }]), LIMITS);
    expect(message.problems).toMatchObject([{ kind: 'error', object: 'a.zip/a' }]);
  });
});

import { fileTypeFromBuffer } from 'file-type';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ObjectType } from '../types.js';
import { identify } from './identify.js';
import { byMagic } from './magic.js';

/** Bytes of a file that starts like one of a format; a number moves what follows to a place. */
function file(...pieces: readonly (string | number)[]): Buffer {
  const bytes = Buffer.alloc(2048);
  let at = 0;
  for (const piece of pieces) {
    if (typeof piece === 'number') at = piece;
    else at += bytes.write(piece, at, 'latin1');
  }
  return bytes;
}

const FILES: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['png', file('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR', 33, '\0\0\0\0IDAT')],
  ['jpg', file('\xff\xd8\xff\xe0\0\x10JFIF')],
  ['gif', file('GIF89a')],
  ['webp', file('RIFF\0\0\0\0WEBP')],
  ['flif', file('FLIF')],
  ['xcf', file('gimp xcf ')],
  ['tif', file('II*\0\x08\0\0\0')],
  ['bmp', file('BM\0\x08\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0')],
  ['icns', file('icns')],
  ['jxr', file('II\xbc\0')],
  ['psd', file('8BPS')],
  ['ico', file('\0\0\x01\0')],
  ['cur', file('\0\0\x02\0')],
  ['jp2', file('\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 ')],
  ['heic', file('\0\0\0\x18ftypheic\0\0\0\0mif1heic')],
  ['avif', file('\0\0\0\x18ftypavif\0\0\0\0mif1avif')],
  ['jxl', file('\0\0\0\x0cJXL \r\n\x87\n')],
  ['bpg', file('BPG\xfb')],
  ['mp3', file('\xff\xfb\x90\x64')],
  ['aac', file('\xff\xf1\x50\x80')],
  ['flac', file('fLaC')],
  ['wav', file('RIFF\0\0\0\0WAVE')],
  ['ogg', file('OggS', 28, '\x01vorbis')],
  ['mid', file('MThd')],
  ['amr', file('#!AMR\n')],
  ['aif', file('FORM\0\0\0\0AIFF')],
  ['ape', file('MAC ')],
  ['wv', file('wvpk')],
  ['dsf', file('DSD ')],
  ['mpc', file('MPCK')],
  ['voc', file('Creative Voice File')],
  ['it', file('IMPM')],
  ['xm', file('Extended Module:')],
  ['s3m', file(44, 'SCRM')],
  ['ac3', file('\x0b\x77')],
  ['qcp', file('RIFF\0\0\0\0QLCM')],
  ['m4a', file('\0\0\0\x18ftypM4A ')],
  ['avi', file('RIFF\0\0\0\0AVI ')],
  ['mkv', file('\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroska')],
  ['mp4', file('\0\0\0\x18ftypisom')],
  ['mov', file('\0\0\0\x14ftypqt  ')],
  ['flv', file('FLV\x01')],
  ['asf', file('\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9')],
  ['mpg', file('\0\0\x01\xba\x44')],
  ['mxf', file('\x06\x0e+4\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02')],
  ['rm', file('.RMF')],
  ['elf', file('\x7fELF\x02\x01\x01')],
  ['macho', file('\xcf\xfa\xed\xfe')],
  ['exe', file('MZ\x90\0\x03')],
  ['class', file('\xca\xfe\xba\xbe\0\0\0\x34')],
  ['wasm', file('\0asm')],
  ['swf', file('CWS\x0a')],
  ['lnk', file('L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0F')],
  ['gz', file('\x1f\x8b\x08')],
  ['bz2', file('BZh91AY&SY')],
  ['7z', file("7z\xbc\xaf'\x1c")],
  ['rar', file('Rar!\x1a\x07\x01\0')],
  ['xz', file('\xfd7zXZ\0')],
  ['zst', file('\x28\xb5\x2f\xfd')],
  ['lz', file('LZIP')],
  ['lz4', file('\x04\x22\x4d\x18')],
  ['Z', file('\x1f\x9d\x90')],
  ['cab', file('MSCF')],
  ['arj', file('\x60\xea')],
  ['ace', file(7, '**ACE**')],
  ['ar', file('!<arch>\n')],
  ['rpm', file('\xed\xab\xee\xdb')],
  ['cpio', file('07070700000100000210066400')],
  ['lzh', file('..-lh5-')],
  ['crx', file('Cr24')],
  ['tar', file('a', 257, 'ustar\x0000')],
  ['pdf', file('%PDF-1.7\n')],
  ['rtf', file('{\\rtf1')],
  ['ps', file('%!PS-Adobe')],
  ['chm', file('ITSF')],
  ['mobi', file(60, 'BOOKMOBI')],
  ['sqlite', file('SQLite format 3\0')],
  ['pst', file('!BDN')],
  ['parquet', file('PAR1')],
  ['avro', file('Obj\x01')],
  ['arrow', file('ARROW1\0\0')],
  ['woff', file('wOFF\0\x01\0\0')],
  ['otf', file('OTTO\0')],
  ['ttf', file('\0\x01\0\0\0')],
  ['pcap', file('\xd4\xc3\xb2\xa1')],
  ['glb', file('glTF\x02\0\0\0')],
  ['blend', file('BLENDER')],
  ['dwg', file('AC1027')],
  ['dcm', file(128, 'DICM')],
];

/** What the two must agree on, by the media type of the other. */
function expected(mime: string, extension: string): readonly ObjectType[] {
  if (extension === 'dwg') return ['image'];
  if (mime.startsWith('image/')) return ['image'];
  if (mime.startsWith('audio/')) return ['audio'];
  if (mime.startsWith('video/')) return ['video'];
  if (/^(elf|macho|exe|class|wasm|swf|lnk)$/.test(extension)) return ['executable'];
  if (/^(sqlite|pst|parquet|avro|arrow)$/.test(extension)) return ['database'];
  if (/^(pdf|rtf|ps|chm|mobi)$/.test(extension)) return ['document'];
  if (/^(mxf|rm|asf)$/.test(extension)) return ['video'];
  if (/^(dcm)$/.test(extension)) return ['image'];
  if (/^(woff|otf|ttf|pcap|glb|blend)$/.test(extension)) return ['other'];
  return ['archive'];
}

describe('true types', () => {
  it.each(FILES)('agree with file-type: %s', async (name, bytes) => {
    const other = await fileTypeFromBuffer(bytes);
    const own = identify(bytes, '');
    // What the other does not know from so few bytes is held to the name alone.
    expect(expected(other?.mime ?? '', other?.ext ?? name)).toContain(own.type);
  });

  it('know whatever file-type takes for a program or an archive', async () => {
    const heads = FILES.map(([, bytes]) => bytes.subarray(0, 300));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...heads),
        fc.integer({ min: 10, max: 60 }),
        fc.integer({ min: 0, max: 255 }),
        async (head, at, value) => {
          const bytes = Buffer.from(head);
          bytes[at] = value;
          const other = await fileTypeFromBuffer(bytes);
          const programs = /^(elf|macho|exe|class|wasm|lnk|7z|rar|cab|gz|xz|zst|ar|rpm|arj|lz4|Z)$/;
          if (other !== undefined && programs.test(other.ext) && byMagic(bytes) === undefined)
            throw new Error(`${other.ext} is not known`);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

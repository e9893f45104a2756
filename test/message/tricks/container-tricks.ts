import { gzipSync } from 'node:zlib';
import { writeRar4, writeRar5 } from '../rar-writer.js';
import { writeSevenZip } from '../seven-zip-writer.js';
import { writeTar } from '../tar-writer.js';
import { writeZip } from '../zip-writer.js';
import { uuencoded } from './body-tricks.js';
import { b64, BASE64, EICAR, PROGRAM, type Trick, withHeader } from './trick.js';

const evil = { name: 'evil.exe', content: EICAR };
const zip = writeZip([evil]);
const JPEG = Buffer.concat([
  Buffer.from('ffd8ffe000104a46494600010101004800480000', 'hex'),
  Buffer.alloc(300, 0x55),
  Buffer.from('ffd9', 'hex'),
]);
const GIF = Buffer.concat([
  Buffer.from('GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0', 'latin1'),
  Buffer.from('2c00000000010001000002024401003b', 'hex'),
]);
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg==',
  'base64',
);
const PDF = Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n');
const LNK = Buffer.concat([Buffer.from('4c0000000114020000000000c000000000000046', 'hex'), Buffer.alloc(80)]);
const HTML = Buffer.from('<!doctype html><html><body>a</body></html>');

function file(name: string, content: Buffer, type = 'application/octet-stream'): Buffer {
  return withHeader(
    [`Content-Type: ${type}`, `Content-Disposition: attachment; filename="${name}"`, BASE64],
    b64(content),
  );
}

function holds(name: string, fileName: string, content: Buffer, more: Partial<Trick> = {}): Trick {
  return { name, bytes: file(fileName, content), ...more };
}

/** Changes a field of the first header of a tar, and its sum with it. */
function tarWith(at: number, text: string): Buffer {
  const tar = Buffer.from(writeTar([evil]));
  tar.write(text, at, 'latin1');
  tar.write('        ', 148);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return tar;
}

/** An image of a CD with one file (ECMA-119): volume descriptors, one folder, the file. */
function iso(name: string, content: Buffer): Buffer {
  const image = Buffer.alloc(2048 * 21);
  const record = (at: number, id: string, sector: number, size: number, isFolder: boolean): number => {
    const length = 33 + id.length + (id.length % 2 === 0 ? 1 : 0);
    image[at] = length;
    image.writeUInt32LE(sector, at + 2);
    image.writeUInt32BE(sector, at + 6);
    image.writeUInt32LE(size, at + 10);
    image.writeUInt32BE(size, at + 14);
    image[at + 25] = isFolder ? 2 : 0;
    image[at + 32] = id.length;
    image.write(id, at + 33, 'latin1');
    return at + length;
  };
  const volume = 16 * 2048;
  image.write('\x01CD001\x01', volume, 'latin1');
  image.writeUInt32LE(21, volume + 80);
  image.writeUInt16LE(2048, volume + 128);
  record(volume + 156, '\0', 18, 2048, true);
  image.write('\xffCD001\x01', 17 * 2048, 'latin1');
  let at = record(18 * 2048, '\0', 18, 2048, true);
  at = record(at, '\x01', 18, 2048, true);
  record(at, `${name};1`, 19, content.length, false);
  content.copy(image, 19 * 2048);
  return image;
}

function nested(levels: number): Buffer {
  let content: Buffer = EICAR;
  for (let at = 0; at < levels; at += 1) content = writeZip([{ name: at === 0 ? 'evil.exe' : 'a.zip', content }]);
  return content;
}

/** The end record of a zip names more bytes as comment than there are, or fewer. */
function withComment(comment: Buffer, claimed: number): Buffer {
  const out = Buffer.concat([zip, comment]);
  out.writeUInt16LE(claimed, zip.length - 2);
  return out;
}

/** Archives that look like something else, and something else that is an archive to who opens it as one. */
export const CONTAINER_TRICKS: readonly Trick[] = [
  holds('a zip behind 5,000 bytes', 'a.zip', Buffer.concat([Buffer.alloc(5000, 0x41), zip])),
  holds('a zip before 70,000 bytes', 'a.zip', Buffer.concat([zip, Buffer.alloc(70_000, 0x41)])),
  holds(
    'a zip between two texts',
    'a.txt',
    Buffer.concat([Buffer.from('Hello\n'.repeat(20)), zip, Buffer.from('\nBye\n')]),
  ),
  holds('a zip with a comment that claims to be longer', 'a.zip', withComment(Buffer.from('abc'), 900)),
  holds(
    'a zip with a comment that holds an end record',
    'a.zip',
    withComment(Buffer.from('PK\x05\x06'.padEnd(22, '\0'), 'latin1'), 22),
  ),
  holds(
    'two zips one behind the other',
    'a.zip',
    Buffer.concat([zip, writeZip([{ name: 'a.txt', content: Buffer.from('a') }])]),
  ),
  holds(
    'two zips, the harmless one first',
    'a.zip',
    Buffer.concat([writeZip([{ name: 'a.txt', content: Buffer.from('a') }]), zip]),
  ),
  holds('a zip whose first mark is spoilt', 'a.zip', Buffer.concat([Buffer.from('XX'), zip.subarray(2)])),
  holds('a zip without its end record', 'a.zip', zip.subarray(0, zip.length - 22)),
  holds('a zip cut in its directory', 'a.zip', zip.subarray(0, zip.length - 40)),
  holds('a zip behind a JPEG', 'holiday.jpg', Buffer.concat([JPEG, zip])),
  holds('a zip behind a PNG', 'holiday.png', Buffer.concat([PNG, zip])),
  holds('a zip behind a GIF', 'a.gif', Buffer.concat([GIF, zip])),
  holds('a zip behind a PDF', 'a.pdf', Buffer.concat([PDF, zip])),
  holds('a zip before a PDF', 'a.pdf', Buffer.concat([zip, PDF])),
  holds('a zip behind a page', 'a.html', Buffer.concat([HTML, zip])),
  holds('a 7z behind a JPEG', 'a.jpg', Buffer.concat([JPEG, writeSevenZip([evil])])),
  holds('a RAR behind a PNG', 'a.png', Buffer.concat([PNG, writeRar4([evil])])),
  holds('a RAR behind a PDF', 'a.pdf', Buffer.concat([PDF, writeRar5([evil])])),
  holds('a 7z behind a program', 'setup.bin', Buffer.concat([PROGRAM, writeSevenZip([evil])])),
  holds('a RAR behind a text', 'a.rar', Buffer.concat([Buffer.from('Hello\n'.repeat(9)), writeRar4([evil])])),
  holds('a program behind a JPEG', 'a.jpg', Buffer.concat([JPEG, PROGRAM]), { format: 'jpeg' }),
  holds(
    'a script in a GIF',
    'a.js',
    Buffer.concat([Buffer.from('GIF89a/*'), Buffer.alloc(20), Buffer.from('*/=1;new ActiveXObject("WScript.Shell")')]),
    { format: 'js' },
  ),
  holds('a page in a GIF', 'a.html', Buffer.from('GIF89a<html><script>location="http://evil.test"</script></html>'), {
    format: 'html',
  }),
  holds(
    'an HTML application behind a PDF',
    'a.hta',
    Buffer.concat([PDF, Buffer.from('<script language=vbscript>x</script>')]),
    { format: 'hta' },
  ),
  holds(
    'an HTML application behind a shortcut',
    'a.lnk',
    Buffer.concat([LNK, Buffer.from('<hta:application><script>x</script>')]),
    { format: 'lnk' },
  ),
  holds('a batch file behind a byte order mark', 'a.cmd', Buffer.from('\xff\xfe&cls\r\nstart calc', 'latin1'), {
    format: 'bat',
  }),
  holds('a shortcut', 'invoice.pdf.lnk', LNK, { format: 'lnk', anomaly: 'double-extension' }),
  holds('a shortcut in a zip in an image of a CD', 'a.iso', iso('A.ZIP', writeZip([{ name: 'a.lnk', content: LNK }])), {
    format: 'lnk',
  }),
  holds('an image of a CD in a zip', 'a.zip', writeZip([{ name: 'a.iso', content: iso('EVIL.EXE', EICAR) }])),
  holds('an image of a CD under a name of a picture', 'a.img', iso('EVIL.EXE', EICAR)),
  holds(
    'a program with a name in right-to-left order in a zip',
    'a.zip',
    writeZip([{ name: 'invoice\u202efdp.exe', content: EICAR }]),
    {
      anomaly: 'bidirectional-control',
      called: '*.exe',
    },
  ),
  holds('a gzip of a gzip of a gzip', 'a.gz', gzipSync(gzipSync(gzipSync(EICAR)))),
  holds(
    'a gzip of two members',
    'a.gz',
    Buffer.concat([gzipSync(EICAR.subarray(0, 20)), gzipSync(EICAR.subarray(20))]),
  ),
  holds('a gzip with bytes behind it', 'a.gz', Buffer.concat([gzipSync(EICAR), Buffer.alloc(100, 0x41)])),
  holds('a gzip that is cut short', 'a.gz', gzipSync(PROGRAM).subarray(0, -9), { problem: 'damaged' }),
  holds('a tar whose entry calls itself a link', 'a.tar', tarWith(156, '2')),
  holds('a tar whose entry is of an unknown kind', 'a.tar', tarWith(156, 'Q')),
  holds('a tar whose entry calls itself a folder', 'a.tar', tarWith(156, '5')),
  holds('a tar without its mark', 'a.tar', tarWith(257, '\0\0\0\0\0')),
  holds('a tar with a size in base 256', 'a.tar', tarWith(124, '\x80\0\0\0\0\0\0\0\0\0\0\x44')),
  holds(
    'a tar with a wrong sum',
    'a.tar',
    (() => {
      const tar = Buffer.from(writeTar([evil]));
      tar.write('000001\0 ', 148);
      return tar;
    })(),
    { problem: 'damaged' },
  ),
  holds(
    'a tar with an entry behind its end',
    'a.tar',
    Buffer.concat([writeTar([{ name: 'a.txt', content: Buffer.from('a') }]), writeTar([evil])]),
  ),
  holds('a tar.gz under a name of a text', 'readme.txt', gzipSync(writeTar([evil])), { anomaly: 'type-mismatch' }),
  holds(
    'uuencode in a zip',
    'a.zip',
    writeZip([{ name: 'a.txt', content: Buffer.from(uuencoded(EICAR, 'evil.exe')) }]),
    { called: 'evil.exe' },
  ),
  holds('the first piece of a split zip', 'a.zip.001', zip.subarray(0, 60), { problem: '' }),
  holds('a later piece of a split zip', 'a.zip.002', zip.subarray(60), { problem: '' }),
  holds('a later piece of a split 7z', 'a.7z.002', Buffer.alloc(500, 0x9c), { problem: 'unscannable' }),
  holds('a later volume of an old RAR', 'a.r00', Buffer.alloc(500, 0x9c), { problem: 'unscannable' }),
  holds('a piece of a spanned zip', 'a.z01', Buffer.alloc(500, 0x9c), { problem: 'unscannable' }),
  holds('an archive by its name alone', 'a.zip', Buffer.alloc(500, 0x9c), { problem: 'unscannable' }),
  holds('a signed mail by its name alone', 'smime.p7m', Buffer.alloc(500, 0x9c), { problem: 'unscannable' }),
  holds('an image of a disk that nobody opens', 'a.img', Buffer.from('hsqs'.padEnd(500, '\0')), {
    problem: 'unscannable',
  }),
  holds('a program by the name of an archive', 'a.7z', PROGRAM),
  holds('14 levels of zips', 'a.zip', nested(14)),
  holds('17 levels of zips', 'a.zip', nested(17), { problem: 'level' }),
];

// Messages that are built to hang or to exhaust a scanner. Each is a Buffer with CRLF line ends.
import { deflateRawSync } from 'node:zlib';

const HEAD = 'From: a@partner.example\r\nTo: bob@example.org\r\nMessage-ID: <h@partner.example>\r\n';
const mail = (subject, rest) => Buffer.from(`${HEAD}Subject: ${subject}\r\n${rest}`, 'latin1');

function deepNesting() {
  const levels = Array.from(
    { length: 20_000 },
    (_, i) => `Content-Type: multipart/mixed; boundary="b${i}"\r\n\r\n--b${i}\r\n`,
  );
  return mail('deep nesting', levels.join(''));
}

/** Larger than intake takes: answered 552, and never scanned. */
function hugeHeader() {
  const fields = Array.from({ length: 60_000 }, (_, i) => `X-Field-${i}: =?utf-8?Q?${'=41'.repeat(20)}?=\r\n`);
  return mail('huge header', `${fields.join('')}X-Long: ${'a '.repeat(1_000_000)}\r\n\r\nbody\r\n`);
}

/** Just under intake's bound: many fields with encoded words, and one field without an end. */
function largestHeader() {
  const fields = Array.from({ length: 6_000 }, (_, i) => `X-Field-${i}: =?utf-8?Q?${'=41'.repeat(20)}?=\r\n`);
  return mail('largest header', `${fields.join('')}X-Long: ${'a '.repeat(220_000)}\r\n\r\nbody\r\n`);
}

function quadraticText() {
  const html = `${'<'.repeat(300_000)}${'<a href="'.repeat(60_000)}${'<!--'.repeat(100_000)}${'&'.repeat(500_000)}`;
  const lines = html.replace(/.{900}/g, '$&\r\n');
  return mail('quadratic text', `Content-Type: text/html\r\n\r\n${lines}\r\n`);
}

function manyLinks() {
  const links = Array.from(
    { length: 100_000 },
    (_, i) => `<a href="http://h${i}.example.net/p?q=${i}">www.bank${i}.example</a>\r\n`,
  );
  return mail('100,000 links', `Content-Type: text/html\r\n\r\n<html><body>\r\n${links.join('')}</body></html>\r\n`);
}

/** 40,000 addresses of the shortest kind, which fit under intake's bound. */
function manyAddresses() {
  const list = Array.from({ length: 40_000 }, (_, i) => `"${i.toString(36)}" <u${i.toString(36)}@b.example>`);
  return mail('40,000 addresses', `Cc: ${list.join(',\r\n ')}\r\n\r\nbody\r\n`);
}

/** A zip with entries that unpack to 1 GiB each, and another inside. */
function zipBomb() {
  const packed = deflateRawSync(Buffer.alloc(256 * 2 ** 20), { level: 9 });
  const entries = Array.from({ length: 8 }, (_, i) => ({ name: `bomb${i}.txt`, packed, size: 256 * 2 ** 20 }));
  const zip = zipOf(entries).toString('base64').replace(/.{76}/g, '$&\r\n');
  return mail(
    'zip bomb',
    `MIME-Version: 1.0\r\nContent-Type: application/zip; name="bomb.zip"\r\nContent-Disposition: attachment; filename="bomb.zip"\r\nContent-Transfer-Encoding: base64\r\n\r\n${zip}\r\n`,
  );
}

function zipOf(entries) {
  const files = [];
  const central = [];
  let offset = 0;
  for (const { name, packed, size } of entries) {
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\0', 'latin1'), common, tail, Buffer.from(name)]));
    files.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, directory, end]);
}

export const HOSTILE = {
  'deep nesting': deepNesting,
  'huge header': hugeHeader,
  'largest header': largestHeader,
  'quadratic text': quadraticText,
  'zip bomb': zipBomb,
  '100,000 links': manyLinks,
  '40,000 addresses': manyAddresses,
  'a module that hangs': () => mail('hang', '\r\nbody\r\n'),
};

import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { writeCompound } from '../../../test/message/compound-writer.js';
import { LIMITS, mail, mailWith } from '../../../test/message/mail.js';
import { writeRar4, writeRar5 } from '../../../test/message/rar-writer.js';
import { writeSevenZip } from '../../../test/message/seven-zip-writer.js';
import { writeTar } from '../../../test/message/tar-writer.js';
import { writeZip } from '../../../test/message/zip-writer.js';
import { readMessage } from '../../message/read.js';
import { EICAR as STRING, isEicar } from './eicar.js';
import { textParts } from './text-parts.js';

const EICAR = Buffer.from(STRING);
const FILE = [{ name: 'eicar.com', content: EICAR }];

function inPdf(content: Buffer): Buffer {
  const packed = deflateSync(content);
  return Buffer.concat([
    Buffer.from('%PDF-1.7\n5 0 obj\n<< /Type /EmbeddedFile /Filter /FlateDecode >>\nstream\n'),
    packed,
    Buffer.from('\nendstream\nendobj\n'),
  ]);
}

const CONTAINERS: readonly (readonly [name: string, content: Buffer])[] = [
  ['eicar.com', EICAR],
  ['a.zip', writeZip(FILE)],
  ['a.rar', writeRar4(FILE)],
  ['a.rar', writeRar5(FILE)],
  ['a.7z', writeSevenZip(FILE)],
  ['a.tgz', gzipSync(writeTar(FILE))],
  ['a.pdf', inPdf(EICAR)],
  ['a.doc', writeCompound([{ name: 'CONTENTS', content: EICAR }])],
  [
    'a.docx',
    writeZip([
      { name: '[Content_Types].xml', content: Buffer.from('<x/>') },
      { name: 'word/document.xml', content: Buffer.from('<x/>') },
      { name: 'word/embeddings/oleObject1.bin', content: writeCompound([{ name: 'CONTENTS', content: EICAR }]) },
    ]),
  ],
  ['fwd.eml', mailWith(FILE)],
  [
    'deep.zip',
    writeZip([
      {
        name: 'a.rar',
        content: writeRar5([{ name: 'b.7z', content: writeSevenZip([{ name: 'c.pdf', content: inPdf(EICAR) }]) }]),
      },
    ]),
  ],
];

describe('the EICAR test file', () => {
  it.each(CONTAINERS)('is reached in %s', (name, content) => {
    const message = readMessage(mailWith([{ name, content }]), LIMITS);
    expect(message.problems).toEqual([]);
    const seen = message.objects.map((object) => object.content());
    expect(seen.some((bytes) => bytes !== undefined && isEicar(bytes))).toBe(true);
  });

  it('is reached in the text of a message that was enclosed in base64', () => {
    const inner = mail(
      'From: a@b',
      'Content-Type: text/plain',
      'Content-Transfer-Encoding: base64',
      '',
      EICAR.toString('base64'),
    );
    const bytes = mailWith([{ name: 'fwd.eml', content: inner, type: 'message/rfc822' }]);
    const texts = [...textParts(readMessage(bytes, LIMITS))];
    expect(texts.some(isEicar)).toBe(true);
  });
});

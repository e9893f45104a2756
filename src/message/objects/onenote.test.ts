import { describe, expect, it } from 'vitest';
import { LIMITS, mailWith } from '../../../test/message/mail.js';
import { EICAR, PROGRAM } from '../../../test/message/tricks/trick.js';
import { readMessage } from '../read.js';

function head(size: number): Buffer {
  const bytes = Buffer.alloc(36);
  bytes.write('e716e3bd65261145a4c48d4d0b7a9eac', 'hex');
  bytes.writeBigUInt64LE(BigInt(size), 16);
  return bytes;
}

const SECTION = Buffer.from('e4525c7b8cd8a74daeb15378d02996d3', 'hex');

describe('files in a section of OneNote', () => {
  it('are objects', () => {
    const content = Buffer.concat([
      SECTION,
      Buffer.alloc(50),
      head(EICAR.length),
      EICAR,
      head(PROGRAM.length),
      PROGRAM,
    ]);
    const message = readMessage(mailWith([{ name: 'a.one', content }]), LIMITS);
    expect(message.objects.map(({ path, type }) => [path, type])).toEqual([
      ['a.one', 'document'],
      ['a.one/file-1', 'text'],
      ['a.one/file-2', 'executable'],
    ]);
    expect(message.objects[1]?.content()).toEqual(EICAR);
    expect(message.problems).toEqual([]);
  });

  it('that claim to be longer than they are, are damaged', () => {
    const content = Buffer.concat([SECTION, head(2 ** 40), EICAR]);
    const message = readMessage(mailWith([{ name: 'a.one', content }]), LIMITS);
    expect(message.objects[1]?.content()).toEqual(EICAR);
    expect(message.problems).toMatchObject([{ kind: 'error', object: 'a.one/file-1' }]);
  });
});

describe('AppleSingle', () => {
  it('shows its data fork under its real name', () => {
    const header = Buffer.alloc(26 + 24);
    header.writeUInt32BE(0x00051600, 0);
    header.writeUInt32BE(0x00020000, 4);
    header.writeUInt16BE(2, 24);
    for (const [index, [id, start, size]] of [
      [1, 58, EICAR.length],
      [3, 50, 8],
    ].entries()) {
      header.writeUInt32BE(id ?? 0, 26 + index * 12);
      header.writeUInt32BE(start ?? 0, 30 + index * 12);
      header.writeUInt32BE(size ?? 0, 34 + index * 12);
    }
    const content = Buffer.concat([header, Buffer.from('evil.exe'), EICAR]);
    const message = readMessage(mailWith([{ name: 'a.bin', content }]), LIMITS);
    expect(message.objects.map(({ path }) => path)).toEqual(['a.bin', 'a.bin/evil.exe']);
    expect(message.objects[1]?.content()).toEqual(EICAR);
  });
});

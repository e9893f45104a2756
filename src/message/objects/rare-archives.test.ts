import { describe, expect, it } from 'vitest';
import { LIMITS, mailWith } from '../../../test/message/mail.js';
import { readMessage } from '../read.js';
import type { Message } from '../types.js';

function open(content: Buffer): Message {
  return readMessage(mailWith([{ name: 'a.bin', content }]), LIMITS);
}

describe('archives that nothing here opens are reported', () => {
  it.each([
    ['lz4 of the old form', '\x02\x21\x4c\x18'],
    ['lz4 behind a frame that is skipped', '\x52\x2a\x4d\x18\x04\0\0\0abcd'],
    ['lzop', '\x89LZO\0\r\n\x1a\n'],
    ['lrzip', 'LRZI\0\x06'],
    ['grzip', 'GRZipII\0'],
    ['zoo', 'ZOO 2.10 Archive.\x1a'],
    ['StuffIt', 'StuffIt (c)1997'],
    ['zpaq', 'zPQ\x02'],
  ])('%s', (_, head) => {
    const { objects, problems } = open(Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(64, 7)]));
    expect(objects[0]?.type).toBe('archive');
    expect(problems[0]?.detail).toMatch(/^unscannable: /);
  });
});

describe('old archives', () => {
  it.each([['LE'], ['BE']])('lists a binary cpio, %s', (order) => {
    const record = (name: string, content: string): Buffer => {
      const words = [0o070707, 0, 0, 0o100644, 0, 0, 1, 0, 0, 0, name.length + 1, 0, content.length];
      const head = Buffer.alloc(26);
      for (const [at, word] of words.entries()) {
        if (order === 'LE') head.writeUInt16LE(word, at * 2);
        else head.writeUInt16BE(word, at * 2);
      }
      const even = (text: string): string => (text.length % 2 === 0 ? text : `${text}\0`);
      return Buffer.concat([head, Buffer.from(even(`${name}\0`) + even(content), 'latin1')]);
    };
    const archive = Buffer.concat([record('setup.exe', 'MZ\x90\0\x03\0\0'), record('TRAILER!!!', '')]);
    const { objects, problems } = open(archive);
    expect(problems).toEqual([]);
    expect(objects.map(({ path }) => path)).toEqual(['a.bin', 'a.bin/setup.exe']);
    expect(objects[1]?.content()?.toString('latin1')).toBe('MZ\x90\0\x03\0\0');
  });

  it('lists a tar from before POSIX', () => {
    const head = Buffer.alloc(512);
    head.write('setup.exe');
    head.write('0000644\0', 100);
    head.write('00000000004 ', 124);
    head.write('00000000000 ', 136);
    head.write('        ', 148);
    let sum = 0;
    for (const byte of head) sum += byte;
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const body = Buffer.alloc(512);
    body.write('MZ\x90\0', 'latin1');
    const { objects } = open(Buffer.concat([head, body, Buffer.alloc(1024)]));
    expect(objects.map(({ path, format }) => [path, format])).toEqual([
      ['a.bin', 'tar'],
      ['a.bin/setup.exe', expect.any(String)],
    ]);
  });
});

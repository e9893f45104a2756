import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { LIMITS, mailWith } from '../../../../test/message/mail.js';
import { readMessage } from '../../read.js';

const FILES = path.join(import.meta.dirname, '..', '..', '..', '..', 'test', 'fixtures', 'rar');
const JPEG = 'testfile.jpg e514232511df1a4f4221a75c27523518c3c62a2fe6470fa56e430364428eecd1';
const PNG = 'testfile.png fdda20984cc1591419ec4583e24e72e4dba39d0b96608253f853a2dfb238ad1a';

function read(name: string): { readonly files: readonly string[]; readonly problems: readonly string[] } {
  const { objects, problems } = readMessage(
    mailWith([{ name, content: readFileSync(path.join(FILES, name)) }]),
    LIMITS,
  );
  const files = objects.slice(1).map((object) => {
    const content = object.content();
    const sum = content === undefined ? '' : createHash('sha256').update(content).digest('hex');
    return `${object.name} ${sum}`;
  });
  return { files, problems: problems.map(({ detail }) => detail) };
}

describe('compressed RAR files of the original program', () => {
  it.each(['compressed-3.rar', 'compressed-5.rar', 'solid-5.rar'])('%s is unpacked', (name) => {
    expect(read(name)).toEqual({ files: [JPEG, PNG], problems: [] });
  });

  it('solid-3.rar, whose second file the unpacker cannot do, says so and shows the names', () => {
    const { files, problems } = read('solid-3.rar');
    expect(files[0]).toBe(PNG);
    expect(files[1]).toMatch(/^testfile\.jpg /);
    expect(problems).toEqual(['unscannable: it could not be unpacked']);
  });
});

import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { countFiles, storedMails } from './mail-files.js';
import { UnusableMessage } from './message.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-mails-'))));
afterEach(async () => await rm(folder, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
}

async function read(
  place = folder,
): Promise<{ readonly mails: readonly string[]; readonly ignored: readonly string[] }> {
  const mails: string[] = [];
  const ignored: string[] = [];
  for await (const mail of storedMails(place, (name) => ignored.push(name))) {
    const text = await mail.load().then(String, (error: unknown) => {
      if (error instanceof UnusableMessage) return `(${error.message})`;
      throw error;
    });
    mails.push(`${mail.name}: ${text.split('\n')[0] ?? ''}`);
  }
  return { mails, ignored };
}

describe('stored mail', () => {
  it('is found in folders at any depth, in the order of names', async () => {
    await write({
      'b.eml': 'B: 1',
      'a/x/c.EML': 'C: 1',
      'a/2.eml': 'A: 2',
      'notes.pdf': '%PDF',
      'a/.hidden.eml': 'H: 1',
    });
    expect(await read()).toEqual({
      mails: ['a/2.eml: A: 2', 'a/x/c.EML: C: 1', 'b.eml: B: 1'],
      ignored: ['notes.pdf'],
    });
    expect(await countFiles(folder)).toBe(4);
  });

  it('is all of cur and new of a Maildir, and not what is still being written', async () => {
    await write({
      'box/cur/1.host:2,S': 'A: 1',
      'box/new/2.host': 'odd',
      'box/tmp/3.host': 'C: 1',
      'box/.Sent/cur/4': 'D: 1',
      'box/.Sent/new/5': 'E: 1',
    });
    expect((await read()).mails).toEqual([
      'box/.Sent/cur/4: D: 1',
      'box/.Sent/new/5: E: 1',
      'box/cur/1.host:2,S: A: 1',
      'box/new/2.host: odd',
    ]);
  });

  it('is each message of a mailbox, with its number', async () => {
    const from = 'From a@x.example Mon Nov 23 08:00:00 2026\n';
    await write({ inbox: `${from}A: 1\n\nx\n\n${from}B: 2\n\ny\n` });
    expect((await read()).mails).toEqual(['inbox#1: A: 1', 'inbox#2: B: 2']);
    expect((await read(path.join(folder, 'inbox'))).mails).toEqual(['inbox#1: A: 1', 'inbox#2: B: 2']);
  });

  it('is a numbered file with a header, and a named file whatever it is called', async () => {
    await write({ '17': 'Received: x\n', '18': 'just text\n', 'mail.txt': 'Subject: s\n' });
    expect(await read()).toEqual({ mails: ['17: Received: x'], ignored: ['18', 'mail.txt'] });
    expect((await read(path.join(folder, 'mail.txt'))).mails).toEqual(['mail.txt: Subject: s']);
  });

  it('that cannot be read is told, and the rest is read', async () => {
    await write({ 'b.eml': 'B: 1' });
    await symlink(path.join(folder, 'nowhere'), path.join(folder, 'a.eml'));
    await symlink(folder, path.join(folder, 'circle'));
    expect((await read()).mails).toEqual(['a.eml: (there is no such file)', 'b.eml: B: 1']);
  });

  it('that is not there is an error', async () => {
    await expect(read(path.join(folder, 'nowhere'))).rejects.toThrow('there is no such file');
    await expect(countFiles(path.join(folder, 'nowhere'))).rejects.toThrow(UnusableMessage);
  });
});

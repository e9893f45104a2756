import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMbox, type MboxOptions } from './mbox.js';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-mbox-'))));
afterAll(async () => await rm(folder, { recursive: true, force: true }));

async function messages(text: string | Buffer, options?: MboxOptions): Promise<(string | undefined)[]> {
  const file = path.join(folder, 'mail.mbox');
  await writeFile(file, text);
  const found: (string | undefined)[] = [];
  for await (const message of readMbox(file, options)) found.push(message?.toString('latin1'));
  return found;
}

const FROM = 'From a@partner.example Mon Nov 23 08:00:00 2026';

describe('a mailbox file', () => {
  it('is read message by message, without separators and the empty lines behind messages', async () => {
    expect(await messages(`${FROM}\nSubject: 1\n\none\n\n${FROM}\nSubject: 2\n\ntwo\n\n`)).toEqual([
      'Subject: 1\n\none\n',
      'Subject: 2\n\ntwo\n',
    ]);
  });

  it('may have CRLF at the ends of lines, no empty line at the end, and empty lines at the start', async () => {
    expect(await messages(`\r\n\r\n${FROM}\r\nSubject: 1\r\n\r\none\r\n\r\n${FROM}\r\nSubject: 2\r\n\r\ntwo`)).toEqual([
      'Subject: 1\r\n\r\none\r\n',
      'Subject: 2\r\n\r\ntwo',
    ]);
  });

  it.each([
    ['mboxo', '>From me\n', 'From me\n'],
    ['mboxrd', '>>From me\n>>>From you\n', '>From me\n>>From you\n'],
    ['what is no quoted line', '>Fromage\n > From\n> From\n>x\n', '>Fromage\n > From\n> From\n>x\n'],
  ])('takes the quoting away: %s', async (_, quoted, plain) => {
    expect(await messages(`${FROM}\nSubject: 1\n\n${quoted}\n`)).toEqual([`Subject: 1\n\n${plain}`]);
  });

  it.each([
    'From here on it is easy.\nSee you:\n',
    'From 10:30 on we are there.\nSee you\n',
    'From the manual\nhttps://x.example/\n',
  ])('leaves a sentence that was not quoted: %j', async (text) => {
    expect(await messages(`${FROM}\nSubject: 1\n\nHello\n\n${text}\n`)).toEqual([`Subject: 1\n\nHello\n\n${text}`]);
  });

  it.each(['From - Mon Nov 23 08:00:00 2026', 'From ???@??? Mon Nov 23 08:00:00 2026 +0100', 'From MAILER-DAEMON'])(
    'knows other separators: %s',
    async (line) => {
      expect(await messages(`${line}\nA: 1\n\nx\n\n${line}\nB: 2\n\ny\n`)).toEqual(['A: 1\n\nx\n', 'B: 2\n\ny\n']);
    },
  );

  it('holds no message, one empty one, or none at all', async () => {
    expect(await messages('')).toEqual([]);
    expect(await messages('\n\n')).toEqual([]);
    expect(await messages(`${FROM}\n`)).toEqual(['']);
  });

  it('passes over a message that is too long, and goes on behind it', async () => {
    const long = `Subject: long\n\n${'x'.repeat(70)}\n`.padEnd(30_000, 'yyyy yyyy\n');
    const text = `${FROM}\nA: 1\n\nx\n\n${FROM}\n${long}\n\n${FROM}\nB: 2\n\ny\n`;
    expect(await messages(text, { chunk: 5000, maxMessage: 20_000 })).toEqual([
      'A: 1\n\nx\n',
      undefined,
      'B: 2\n\ny\n',
    ]);
  });

  it('gives the messages that were put in, wherever the borders of what is read at a time lie', async () => {
    const line = fc.constantFrom(
      'hello',
      '',
      'From me to you',
      '>From x',
      '>>From y',
      FROM,
      'x'.repeat(900),
      'Subject: s',
    );
    const mail = fc.array(line, { maxLength: 12 }).map((lines) => `Subject: s\n\n${lines.join('\n')}\n`);
    await fc.assert(
      fc.asyncProperty(
        fc.array(mail, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 3000 }),
        async (mails, chunk) => {
          const quoted = mails.map((text) => text.replace(/^(>*From )/gm, '>$1'));
          expect(await messages(quoted.map((text) => `${FROM}\n${text}\n`).join(''), { chunk })).toEqual(mails);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('takes work in proportion to its size', async () => {
    const big = Buffer.alloc(96 * 2 ** 20, 'All work and no play makes a long mail.\n');
    const before = process.cpuUsage();
    const found = await messages(Buffer.concat([Buffer.from(`${FROM}\nSubject: s\n\n`), big]));
    expect(found[0]?.length).toBe(big.length + 12);
    // A reader that copies what it has for each chunk moves 5 GB for it.
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(5000);
  });
});

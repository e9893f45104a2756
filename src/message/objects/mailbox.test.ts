import { expect, it } from 'vitest';
import { LIMITS, mailWith } from '../../../test/message/mail.js';
import { readMessage } from '../read.js';

const FROM = 'From a@example.org Sun Nov 22 10:00:00 2026\n';
const mail = (n: number): string => `${FROM}Subject: ${n}\n\ntext\n\n`;
const WITH_PROGRAM = `${FROM}Content-Type: application/octet-stream; name=x.exe\nContent-Disposition: attachment\n\nMZ\n\n`;

function open(count: number, maxArchiveEntries: number) {
  const text = Array.from({ length: count }, (_, n) => mail(n)).join('') + WITH_PROGRAM;
  return readMessage(mailWith([{ name: 'a.mbox', content: Buffer.from(text) }]), { ...LIMITS, maxArchiveEntries });
}

it('all messages of a mailbox file are looked into, however many', () => {
  const { objects, problems } = open(1500, 10_000);
  expect(problems).toEqual([]);
  expect(objects.map(({ path }) => path)).toContain('a.mbox/x.exe');
});

it('more than may be opened are told', () => {
  const { objects, problems } = open(1500, 1000);
  expect(objects.map(({ path }) => path)).not.toContain('a.mbox/x.exe');
  expect(problems).toMatchObject([{ kind: 'limit', object: 'a.mbox' }]);
});

it.each([['\n\nFrom '], ['\n\nFrom x\n'], ['\n\nFrom x\na'], ['\nFrom ']])(
  'what only looks like the start of messages costs little: %j',
  (piece) => {
    const content = Buffer.from(mail(0) + piece.repeat(Math.floor((8 * 2 ** 20) / piece.length)));
    const { problems } = readMessage(mailWith([{ name: 'a.mbox', content }]), { ...LIMITS, maxArchiveEntries: 10_000 });
    expect(problems).toEqual([]);
  },
);

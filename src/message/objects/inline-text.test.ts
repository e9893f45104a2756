import { describe, expect, it } from 'vitest';
import { LIMITS, mailWith } from '../../../test/message/mail.js';
import { readMessage } from '../read.js';

const PROGRAM = Buffer.concat([Buffer.from('MZ\x90\0', 'latin1'), Buffer.alloc(101)]).toString('base64');
const uuencoded = (count: number): string => 'begin 644 a.txt\n#0V%T\n`\nend\n'.repeat(count);
const addresses = (count: number): string =>
  `<html>${`<a href="data:application/octet-stream;base64,Q2F0">x</a>\n`.repeat(count)}</html>`;
const card = (count: number): string =>
  `BEGIN:VCALENDAR\n${'ATTACH;ENCODING=BASE64;VALUE=BINARY:Q2F0\n'.repeat(count)}END:VCALENDAR\n`;
const script = (count: number): string => `x("${PROGRAM}");\n`.repeat(count);

const textMail = (text: string): Buffer => Buffer.from(`Subject: x\r\n\r\n${text.replaceAll('\n', '\r\n')}`, 'latin1');

const mailOf = (name: string, text: string): Buffer => mailWith([{ name, content: Buffer.from(text) }]);

describe('of a text that holds more files than are looked at', () => {
  it.each([
    ['uuencoded ones in a body', (count: number) => textMail(uuencoded(count))],
    ['uuencoded ones in a file', (count: number) => mailOf('a.txt', uuencoded(count))],
    ['`data:` addresses of a page', (count: number) => mailOf('a.html', addresses(count))],
    ['files of a calendar', (count: number) => mailOf('a.ics', card(count))],
    ['literals of a script', (count: number) => mailOf('a.js', script(count))],
  ])('it is said that not all were: %s', (_, mail) => {
    const [few, many] = [100, 101].map((count) => readMessage(mail(count), LIMITS));
    expect(few?.objects.length).toBeGreaterThanOrEqual(100);
    expect(few?.problems).toEqual([]);
    expect(many?.objects.length).toBe(few?.objects.length);
    expect(many?.problems).toMatchObject([{ detail: expect.stringContaining('more files stand in it') as string }]);
  });
});

import { describe, expect, it } from 'vitest';
import { LIMITS, mail } from '../../test/message/mail.js';
import { readMessage } from './read.js';
import type { Message } from './types.js';

const UTF16 = Buffer.from('Win the casino \u0416 at http://casino.test/', 'utf16le').toString('base64');

async function textOf(...types: readonly string[]): Promise<{ message: Message; text: string }> {
  const message = readMessage(
    mail(
      'From: a@example.org',
      ...types.map((type) => `Content-Type: ${type}`),
      'Content-Transfer-Encoding: base64',
      '',
      UTF16,
      '',
    ),
    LIMITS,
  );
  return { message, text: (await message.text()).text };
}

describe('a charset that is given twice', () => {
  it.each([
    ['in one field', ['text/plain; charset=us-ascii; charset=utf-16le']],
    ['in one field, the other way round', ['text/plain; charset=utf-16le; charset=us-ascii']],
    ['plain and in the form of RFC 2231', ["text/plain; charset=us-ascii; charset*=''utf-16le"]],
    ['in two fields', ['text/plain; charset=us-ascii', 'text/plain; charset=utf-16le']],
    ['in the second of two fields alone', ['text/plain', 'text/plain; charset=utf-16le']],
  ])('is read in both ways: %s', async (_, types) => {
    const { message, text } = await textOf(...types);
    expect(text).toContain('Win the casino \u0416');
    // Readers leave out NUL.
    expect(text).toContain('Win the casino \x16\x04');
    expect(message.links().list.map(({ domain }) => domain)).toContain('casino.test');
    const names = message.anomalies.map(({ name }) => name);
    expect(names.some((name) => name === 'conflicting-parameters' || name === 'duplicate-content-type')).toBe(true);
  });

  it('is read once where it makes no difference', async () => {
    const message = readMessage(
      mail('From: a@example.org', 'Content-Type: text/plain; charset=utf-8; charset=us-ascii', '', 'Once', ''),
      LIMITS,
    );
    expect((await message.text()).text.match(/Once/g)).toHaveLength(1);
  });

  it('is read in four ways at most', async () => {
    const many = Array.from({ length: 200 }, (_, index) => `charset=windows-125${index % 9}x${index}`).join('; ');
    const { text } = await textOf(`text/plain; ${many}`);
    expect(text.length).toBeLessThan(UTF16.length * 4);
  });
});

it('a text that one reader takes for HTML and another does not is read as both', async () => {
  const message = readMessage(
    mail(
      'From: a@example.org',
      'Content-Type: text/plain',
      'Content-Type: text/html',
      '',
      '<a href="http://a.test/">Hel</a>lo',
      '',
    ),
    LIMITS,
  );
  const { text, html } = await message.text();
  expect(text).toContain('Hello');
  expect(html).toHaveLength(1);
  expect(message.links().list.some(({ kind, domain }) => kind === 'href' && domain === 'a.test')).toBe(true);
});

it.each([
  ['utf-8', '\xc0\xaf', true],
  ['utf-8', '\xe0\x80\xaf', true],
  ['utf-8', '\xc3\xa4', false],
  ['iso-8859-1', '\xc0\xaf', false],
])('UTF-8 in too long a form is noted in text: %s %j', (charset, bytes, noted) => {
  const head = `From: a@example.org\r\nContent-Type: text/plain; charset=${charset}\r\n\r\n`;
  const { anomalies } = readMessage(Buffer.from(`${head}a${bytes}b\r\n`, 'latin1'), LIMITS);
  expect(anomalies.some(({ name }) => name === 'overlong-utf8')).toBe(noted);
});

import iconv from 'iconv-lite';
import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { decodeCharset } from '../../message/decode/charset.js';
import { mailCharset } from './charset.js';
import { composeMail, type MailDraft, type WritingSettings } from './compose.js';
import { fileNameParameter } from './file-name.js';

const NOW = Date.UTC(2026, 10, 21, 16, 5, 10);
const HTML = '<html><head><meta charset="utf-8"></head><body>%</body></html>';

/** What each charset can say, and what is read where it cannot. */
const CHARSETS: Readonly<Record<string, readonly [given: string, read: string]>> = {
  'utf-8': ['Grüße „Łódź“ – 日本 €… 😀', 'Grüße „Łódź“ – 日本 €… 😀'],
  'us-ascii': ['Grüße „Łódź“ – €… 日', 'Gruesse "Lodz" - EUR... ?'],
  'iso-8859-1': ['Grüße „Łódź“ – €… é 日', 'Grüße "Lódz" - EUR... é ?'],
  'iso-8859-2': ['Grüße „Łódź“ € Привет', 'Grüße "Łódź" EUR ??????'],
  'iso-8859-5': ['Привет «é» ß №', 'Привет "e" ss №'],
  'iso-8859-15': ['Grüße € Œ ½', 'Grüße € Œ 1/2'],
  'windows-1250': ['„Łódź” – €', '„Łódź” – €'],
  'windows-1251': ['«Привет» – € ü', '«Привет» – € ue'],
  'windows-1252': ['„Grüße“ – € Ł', '„Grüße“ – € L'],
  'koi8-r': ['Привет «é» €', 'Привет "e" EUR'],
  gb2312: ['你好，“世界”—€ 龍', '你好，“世界”—EUR ?'],
  big5: ['你們好，世界。€ 国', '你們好，世界。EUR ?'],
  'iso-2022-jp': ['日本語のメール ｶﾞｷﾞｱ① ー 髙 €', '日本語のメール ガギア1 ー ? EUR'],
  shift_jis: ['日本語のメール ｶﾞ① 髙 é', '日本語のメール ｶﾞ1 ? e'],
  'euc-kr': ['안녕하세요 “세계” 갂 ß', '안녕하세요 “세계” ? ß'],
};

function draft(text: string, subject = text): MailDraft {
  const rendered = { subject, text: `${text}\n.\nFrom here\n`, html: HTML.replace('%', text) };
  return { id: 'n1', messageId: 'n1@example.org', to: ['a@example.org'], rendered, marks: { 'X-Gatepost-Event': 'x' } };
}

function settings(charset: string, quotedPrintable: boolean, name = 'Gatepost'): WritingSettings {
  return { from: `${name} <gatepost@example.org>`, charset, quotedPrintable };
}

async function written(mail: MailDraft, by: WritingSettings, server8bit = true): Promise<Buffer> {
  const made = await composeMail(mail, by, NOW);
  const content = server8bit || made.sevenBit === undefined ? made.content : await made.sevenBit();
  const chunks: Buffer[] = [];
  for await (const chunk of content.read()) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  expect(bytes.length).toBe(content.size);
  expect(made.eightBit).toBe((await all(made.content.read())).some((byte) => byte > 127));
  for (const line of bytes.toString('latin1').split('\r\n')) {
    expect(line.length).toBeLessThanOrEqual(998);
    expect(line).not.toMatch(/[\r\n\0]/);
  }
  return bytes;
}

function unquoted(text: string): string {
  return text.replace(/["„“”«»]/g, '');
}

async function all(pieces: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of pieces) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Encoded words read by the book, each on its own. */
function fieldOf(bytes: Buffer, name: string): string {
  const header = bytes.toString('latin1', 0, bytes.indexOf('\r\n\r\n'));
  const value = new RegExp(`^${name}: ((?:.|\\r\\n[ \\t])*)`, 'm').exec(header)?.[1] ?? '';
  for (const line of value.split('\r\n')) expect(line.length).toBeLessThanOrEqual(76);
  return value
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/\r\n/g, '')
    .replace(/=\?([^?]+)\?([QB])\?([^?]*)\?=/g, (word, charset: string, encoding: string, text: string) => {
      expect(word.length).toBeLessThanOrEqual(75);
      const q = text
        .replace(/_/g, ' ')
        .replace(/=(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
      const one = encoding === 'B' ? Buffer.from(text, 'base64') : Buffer.from(q, 'latin1');
      // A character that is torn apart would not be read.
      expect(decodeCharset(one, charset)).not.toContain('\ufffd');
      return decodeCharset(one, charset);
    });
}

describe.each(Object.entries(CHARSETS))('in %s', (charset, [given, read]) => {
  it.each([
    ['quoted-printable', true, true],
    ['8bit', false, true],
    ['base64 for a server without 8BITMIME', false, false],
  ])('%s', async (_, quotedPrintable, server8bit) => {
    const bytes = await written(draft(given), settings(charset, quotedPrintable, unquoted(given)), server8bit);
    const parts = bytes.toString('latin1').split('--=_n1_2').slice(1, 3);
    const ascii = charset === 'us-ascii' || charset === 'iso-2022-jp';
    const encoding = quotedPrintable ? 'quoted-printable' : ascii ? '7bit' : server8bit ? '8bit' : 'base64';
    for (const part of parts) {
      expect(part).toContain(`; charset=${charset}\r\n`);
      expect(part).toContain(`Content-Transfer-Encoding: ${encoding}\r\n\r\n`);
    }
    if (!server8bit) expect(bytes.every((byte) => byte < 128)).toBe(true);
    const mail = await simpleParser(bytes);
    expect(mail.text?.split('\n')).toEqual([read, '.', 'From here', '']);
    // What HTML cannot say in the charset is a reference: nothing is lost.
    const html = (mail.html || '').replace(/&#(\d+);/g, (_all, code: string) => String.fromCodePoint(Number(code)));
    expect(html).toContain(`<meta charset="${charset}">`);
    expect(html.normalize('NFKC').trim()).toBe(HTML.replace('%', given).replace('utf-8', charset).normalize('NFKC'));
    expect(fieldOf(bytes, 'Subject')).toBe(read);
    expect(fieldOf(bytes, 'From')).toContain(unquoted(read));
    expect(fieldOf(bytes, 'From')).toMatch(/<gatepost@example\.org>$/);
  });

  it('a space in an address is kept in quotes, and nowhere else', async () => {
    for (const [to, field] of [
      ['"a b"@example.org', '"a b"@example.org'],
      ['a b@example.org', 'ab@example.org'],
    ] as const) {
      const bytes = await written({ ...draft('x'), to: [to] }, settings('utf-8', true));
      expect(bytes.toString('latin1')).toContain(`\r\nTo: ${field}\r\n`);
    }
  });

  it('a long subject is folded between whole characters', async () => {
    const long = mailCharset(charset).writable(given.repeat(12));
    expect(fieldOf(await written(draft('x', long), settings(charset, true)), 'Subject')).toBe(long);
  });
});

describe('byte by byte', () => {
  it.each([
    ['iso-8859-2', 'Łódź', '=?iso-8859-2?Q?=A3=F3d=BC?='],
    ['koi8-r', 'Привет', '=?koi8-r?B?8NLJ18XU?='],
    ['gb2312', '你好', '=?gb2312?B?xOO6ww==?='],
    ['iso-2022-jp', '日本', '=?iso-2022-jp?B?GyRCRnxLXBsoQg==?='],
    ['shift_jis', '日本', '=?shift_jis?B?k/qWew==?='],
    ['euc-kr', '안녕', '=?euc-kr?B?vsiz5w==?='],
    ['utf-8', 'Grüße', '=?utf-8?Q?Gr=C3=BC=C3=9Fe?='],
    ['iso-8859-1', 'plain', 'plain'],
  ])('the subject in %s', async (charset, subject, raw) => {
    expect((await written(draft('x', subject), settings(charset, true))).toString()).toContain(
      `\r\nSubject: ${raw}\r\n`,
    );
  });

  it('a whole mail in windows-1251, 8bit', async () => {
    const mail: MailDraft = { ...draft('x'), rendered: { subject: 'Привет', text: 'Да\n' } };
    const bytes = await written(mail, settings('windows-1251', false, '"Шлюз, почта"'));
    expect(iconv.decode(bytes, 'windows-1251').split('\r\n')).toEqual([
      'From: =?windows-1251?B?2Ov+5ywg7+738uA=?= <gatepost@example.org>',
      'To: a@example.org',
      'Subject: =?windows-1251?B?z/Do4uXy?=',
      'Date: Sat, 21 Nov 2026 16:05:10 +0000',
      'Message-ID: <n1@example.org>',
      'Auto-Submitted: auto-generated',
      'X-Auto-Response-Suppress: All',
      'X-Gatepost-Event: x',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=windows-1251',
      'Content-Transfer-Encoding: 8bit',
      '',
      'Да',
      '',
    ]);
  });

  it('lines that are too long for SMTP go in base64', async () => {
    const bytes = await written(draft('é'.repeat(2000), 'x'), settings('utf-8', false));
    expect(bytes.toString()).toContain('Content-Transfer-Encoding: base64');
    expect((await simpleParser(bytes)).text).toContain('é'.repeat(2000));
  });

  it('what turns the direction is ended where a charset has no isolates', () => {
    expect(mailCharset('windows-1255').writable('\u2068שלום\u2069 x')).toBe('שלום\u200e x');
  });

  it('an unknown charset is refused', () => {
    expect(() => mailCharset('klingon')).toThrow(RangeError);
  });

  it.each([
    ['utf-8', 'a.eml', ';\r\n\tfilename="a.eml"'],
    ['koi8-r', 'Да.txt', ";\r\n\tfilename*=koi8-r''%E4%C1.txt"],
    ['iso-8859-1', '"; x=../é', ";\r\n\tfilename*=iso-8859-1''_%3B%20x%3D.._%E9"],
    ['utf-8', 'a\r\nBcc: x', ';\r\n\tfilename="a Bcc_ x"'],
  ])('the name of a file in %s: %j', (charset, name, parameter) => {
    expect(fileNameParameter('filename', name, mailCharset(charset))).toBe(parameter);
  });

  it('a long name of a file goes in pieces', () => {
    const pieces = fileNameParameter('filename', '日'.repeat(40), mailCharset('utf-8'));
    const numbers = [...pieces.matchAll(/filename\*(\d+)\*=/g)].map(([, number]) => Number(number));
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect(decodeURIComponent(pieces.replace(/;\r\n\tfilename\*\d+\*=(?:utf-8'')?/g, ''))).toBe('日'.repeat(40));
  });
});

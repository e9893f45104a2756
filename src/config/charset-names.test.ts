import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { CHARSET_NAMES, charsetNamed } from './charset-names.js';
import { parseConfig } from './load.js';
import { ConfigError } from './problems.js';

describe('charsets that mail is written in', () => {
  it.each([
    ['UTF8', 'utf-8'],
    ['ISO8859-1', 'iso-8859-1'],
    ['latin2', 'iso-8859-2'],
    ['Windows-1251', 'windows-1251'],
    ['cp1250', 'windows-1250'],
    ['KOI8_R', 'koi8-r'],
    ['GB2312', 'gb2312'],
    ['Big5', 'big5'],
    ['ISO-2022-JP', 'iso-2022-jp'],
    ['Shift-JIS', 'shift_jis'],
    ['EUCKR', 'euc-kr'],
    ['macintosh', 'macintosh'],
  ])('%s is %s', (name, mime) => {
    expect(charsetNamed(name)?.mime).toBe(mime);
  });

  it.each([
    '',
    'utf-16',
    'utf-7',
    'utf-32le',
    'base64',
    'hex',
    'binary',
    '_internal',
    'iso646jp',
    'klingon',
    'a\r\nb: c',
  ])('not %j', (name) => {
    expect(charsetNamed(name)).toBeUndefined();
  });

  it('all names that are suggested can be used', () => {
    for (const name of CHARSET_NAMES) {
      const { mime, codec } = charsetNamed(name) ?? {};
      expect(mime).toBe(name);
      expect(codec === undefined ? name === 'iso-2022-jp' : iconv.encodingExists(codec), name).toBe(true);
    }
  });

  it('in the configuration any usual spelling is taken, and another word is an error that says what was meant', async () => {
    const { config } = await parseConfig('notifications:\n  charset: Latin1\n  quotedPrintable: false\n', '/nowhere');
    expect(config.notifications).toMatchObject({ charset: 'iso-8859-1', quotedPrintable: false });
    const error = await parseConfig('notifications:\n  charset: iso-8895-2\n', '/nowhere').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toContain(
      'gatepost.yaml:2:12: error: `notifications.charset`: "iso-8895-2" is not a charset that mail can be written in',
    );
    expect(String(error)).toContain('did you mean `iso-8859-2`?');
  });
});

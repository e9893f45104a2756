import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mail } from '../../test/message/mail.js';
import { LIMITS } from '../../test/message/mail.js';
import { parseAddresses } from './addresses.js';
import { decodeAny, decodeBase64 } from './decode/base64.js';
import { decodeCharset } from './decode/charset.js';
import { htmlToText } from './decode/html-text.js';
import { decodeQuotedPrintable, decodeUu } from './decode/transfer.js';
import { decodeWords } from './decode/words.js';
import { readMessage } from './read.js';

describe('base64', () => {
  it('is the same whether it is decoded natively or character by character', () => {
    const tidy = fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 4, max: 80 })).map(([bytes, width]) =>
      Buffer.from(bytes)
        .toString('base64')
        .replace(new RegExp(`.{${width}}`, 'g'), '$&\r\n'),
    );
    const damage = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...Array.from('=-_+/A \r\n\t.\u00e9'))), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(tidy, damage, fc.constantFrom('', '\r\n', '\r\n\r\n', '='), (text, changes, end) => {
        const input = Buffer.from(text + end, 'latin1');
        for (const [place, char] of changes) if (input.length > 0) input.write(char, place % input.length, 'latin1');
        const fast = { illegal: true, stopsAt: 0 };
        const slow = { illegal: true, stopsAt: 0 };
        expect(decodeBase64(input, fast).equals(decodeAny(input, slow))).toBe(true);
        expect(fast).toEqual(slow);
      }),
      { numRuns: 3000 },
    );
  });

  it('is the same for what is decoded in several pieces', () => {
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 2_654_435_761) >>> 13));
    const damage = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...Array.from('=-/A \r\n'))), { maxLength: 2 });
    const widths = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 200 }), fc.integer({ min: 10_000, max: 65_000 }));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length }), widths, damage, (length, width, changes) => {
        const text = bytes.toString('base64', 0, length);
        const lines = width === 0 ? [text] : (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []);
        const input = Buffer.from(lines.join('\r\n'), 'latin1');
        for (const [place, char] of changes) if (input.length > 0) input.write(char, place % input.length, 'latin1');
        const fast = { illegal: true, stopsAt: 0 };
        const slow = { illegal: true, stopsAt: 0 };
        expect(decodeBase64(input, fast).equals(decodeAny(input, slow))).toBe(true);
        expect(fast).toEqual(slow);
        if (changes.length === 0) expect(decodeBase64(input).equals(bytes.subarray(0, length))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('reads what was written, with line ends and junk anywhere', () => {
    fc.assert(
      fc.property(
        fc.uint8Array(),
        fc.array(fc.tuple(fc.nat(), fc.constantFrom('\r\n', ' ', '!', '-', '_'))),
        (bytes, junk) => {
          let text = Buffer.from(bytes).toString('base64').replace(/=+$/, '');
          for (const [place, char] of junk) {
            const at = place % (text.length + 1);
            text = text.slice(0, at) + char + text.slice(at);
          }
          expect(decodeBase64(Buffer.from(text)).equals(Buffer.from(bytes))).toBe(true);
        },
      ),
    );
  });

  it('goes on behind padding', () => {
    expect(decodeBase64(Buffer.from('YQ==\r\nYg==\r\nY2Q=')).toString()).toBe('abcd');
  });
});

describe('quoted-printable and uuencode', () => {
  it('undo what a plain search and replacement undoes', () => {
    const piece = fc.constantFrom('=', '=3D', '=e4', '=0', 'a', ' ', '\t', '\r', '\n', '=\r\n', '\u00fc', 'long text');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join('');
        const undone = text.replace(/=(?:([0-9a-f]{2})|[ \t]*(?:\r\n?|\n|$))/gi, (_, hex?: string) =>
          hex === undefined ? '' : String.fromCharCode(Number.parseInt(hex, 16)),
        );
        expect(decodeQuotedPrintable(Buffer.from(text, 'latin1')).toString('latin1')).toBe(undone);
      }),
      { numRuns: 3000 },
    );
  });

  it('undo escapes and soft breaks, and leave what is none', () => {
    expect(decodeQuotedPrintable(Buffer.from('a=3D=\r\nb= \r\nc=zz=e4')).toString('latin1')).toBe('a=bc=zz\u00e4');
  });

  it('read a uuencoded file', () => {
    expect(decodeUu(Buffer.from('text\r\nbegin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\n')).toString()).toBe('Cat');
  });
});

describe('encoded words', () => {
  it.each([
    ['=?utf-8?Q?h=C3=A4?= =?utf-8?Q?llo?=', 'hällo'],
    ['=?utf-8?B?w6Q=?= plain =?iso-8859-1?q?=E4_b?=', 'ä plain ä b'],
    ['=?utf-8?Q?=C3?= =?utf-8?Q?=A4?=', 'ä'],
    ['=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=', '日本'],
    ['=?utf-8*en?Q?x?=', 'x'],
    ['=?nonsense?Q?x=41?=', 'xA'],
    ['=?utf-8?X?x?= =?', '=?utf-8?X?x?= =?'],
  ])('%s', (text, decoded) => {
    expect(decodeWords(text)).toBe(decoded);
  });

  it('never throw, on anything', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('=?', '?=', '?', 'utf-8', 'q', 'b', '=', 'é', ' ')), (pieces) => {
        expect(decodeWords(pieces.join(''))).toBeTypeOf('string');
      }),
    );
  });
});

describe('charsets', () => {
  it('read unlabelled text as UTF-8 or windows-1252, and latin1 as windows-1252', () => {
    expect(decodeCharset(Buffer.from('ä'), '')).toBe('ä');
    expect(decodeCharset(Buffer.from('\xe4\x80', 'latin1'), '')).toBe('ä€');
    expect(decodeCharset(Buffer.from('\x80', 'latin1'), 'ISO-8859-1')).toBe('€');
    expect(decodeCharset(Buffer.from('ä'), 'us-ascii')).toBe('ä');
  });
});

describe('addresses', () => {
  it.each<[string, [string, string][]]>([
    ['a@b', [['a@b', '']]],
    [
      '"A, B" <a@b>, c@d (C D)',
      [
        ['a@b', 'A, B'],
        ['c@d', 'C D'],
      ],
    ],
    [
      'team: a@b, c@d;, e@f',
      [
        ['a@b', ''],
        ['c@d', ''],
        ['e@f', ''],
      ],
    ],
    ['=?utf-8?Q?J=C3=BC?= <j@x>', [['j@x', 'Jü']]],
    ['"quoted local"@x', [['"quoted local"@x', '']]],
    ['<@route:a@b>', [['a@b', '']]],
    ['undisclosed-recipients:;', []],
    ['Name Only', [['', 'Name Only']]],
    ['a@b <c@d>', [['c@d', 'a@b']]],
  ])('%s', (text, list) => {
    expect(parseAddresses(text).map(({ address, name }) => [address, name])).toEqual(list);
  });

  it('are read in linear time', () => {
    const start = performance.now();
    for (const piece of ['a@b, ', '"', '<', '(', 'x:', '\\"<(']) parseAddresses(piece.repeat(100_000));
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe('text of HTML', () => {
  it.each([
    ['<p>Hello&nbsp;<b>you</b> &amp; me</p><p>again', 'Hello\u00a0you & me\n\nagain'],
    ['a<script>if (1 < 2) hidden()</script>b<style>x</style><!-- c -->', 'ab'],
    ['<a href="x>y">link</a> 1 < 2 &#x41;&#66;&#128;&bogus;', 'link 1 < 2 AB€&bogus;'],
    ['<td>a</td><td>b', 'a\tb'],
    ['<script>never closed', 'never closed'],
  ])('%s', (html, text) => {
    expect(htmlToText(html)).toBe(text);
  });

  it('is linear', () => {
    const start = performance.now();
    for (const piece of ['<!--', '<script>', '<a b="', "<a b='>", '<', '&', '<a ', '&#'])
      htmlToText(piece.repeat(200_000));
    expect(performance.now() - start).toBeLessThan(8000);
  });
});

describe('the text of a message', () => {
  it('joins plain and HTML parts, enclosed ones too, and leaves attachments out', async () => {
    const message = readMessage(
      mail(
        'From: a@b',
        'Content-Type: multipart/mixed; boundary=x',
        '',
        '--x',
        'Content-Type: text/plain; charset=iso-8859-1',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'gr=FC=DFe',
        '--x',
        'Content-Type: text/html; charset=utf-8',
        '',
        '<b>fett</b>',
        '--x',
        'Content-Type: message/rfc822',
        '',
        'Subject: inner',
        '',
        'innen',
        '--x',
        'Content-Type: text/plain',
        'Content-Disposition: attachment; filename=a.txt',
        '',
        'secret',
        '--x--',
      ),
      LIMITS,
    );
    expect(await message.text()).toEqual({ text: 'grüße\nfett\ninnen', html: ['<b>fett</b>'] });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeMail } from '../../test/support/mail.js';
import { makeZip } from '../../test/support/zip.js';
import { readMessage } from './read.js';
import type { Link, MessageLinks, ScanLimits } from './types.js';

const LIMITS: ScanLimits = { maxDepth: 16, maxParts: 1000, maxArchiveEntries: 1000, maxUnpacked: 2 ** 26 };

function linksOf(bytes: Buffer): MessageLinks {
  return readMessage(bytes, LIMITS).links();
}

function mail(type: string, body: string | Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`From: a@b.example\r\nContent-Type: ${type}; charset=utf-8\r\n\r\n`),
    typeof body === 'string' ? Buffer.from(body) : body,
  ]);
}

function inHtml(body: string): readonly Link[] {
  return linksOf(mail('text/html', body)).list;
}

function inText(body: string): readonly string[] {
  return linksOf(mail('text/plain', body)).list.map(({ url }) => url);
}

/** HTML, and what a reader of it comes to: kind and address. */
const HTML: readonly (readonly [string, string])[] = [
  ['<a href="https://evil.test/x">y</a>', 'href https://evil.test/x'],
  ['<A HREF=https://evil.test/x>y</A>', 'href https://evil.test/x'],
  ["<a\nhref\n=\n'https://evil.test/x'>y</a>", 'href https://evil.test/x'],
  ['<a/href="https://evil.test/x">y</a>', 'href https://evil.test/x'],
  ['<a title=">" href="https://evil.test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="https://evil.test/x" href="https://good.test/">y</a>', 'href https://evil.test/x'],
  ['<a href="ht&#116;ps://evil.test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="&#x68;ttps&colon;&sol;&sol;evil&period;test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="&#104&#116&#116&#112&#115://evil.test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="h\tt\r\ntps://ev\nil.test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="  https://evil.test/x  ">y</a>', 'href https://evil.test/x'],
  ['<a href="\u0001https://evil.test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="HTTPS://EVIL.TEST/X">y</a>', 'href https://evil.test/X'],
  ['<a href="https:\\\\evil.test\\x">y</a>', 'href https://evil.test/x'],
  ['<a href="https:/evil.test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="https:evil.test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="https:////evil.test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="//evil.test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="\\\\evil.test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="/\\evil.test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="www.evil.test/x">y</a>', 'href http://www.evil.test/x'],
  ['<a href="evil.test:8080/x">y</a>', 'href http://evil.test:8080/x'],
  ['<a href="https://%65vil.test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="https%3A%2F%2Fevil.test%2Fx">y</a>', 'href https://evil.test/x'],
  ['<a href="https://ev\u00adil.test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="https://ev\u200bil.test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="ht\u200btps://evil.test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="https://evil\u3002test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="https://\uff45\uff56\uff49\uff4c.test/x">y</a>', 'href https://evil.test/x'],
  ['<a href="https://evil.test./x">y</a>', 'href https://evil.test./x'],
  ['<a href="https://b\u00fccher.test/">y</a>', 'href https://xn--bcher-kva.test/'],
  ['<a href="https://xn--bcher-kva.test/">y</a>', 'href https://xn--bcher-kva.test/'],
  ['<a href="http://2130706433/x">y</a>', 'href http://127.0.0.1/x'],
  ['<a href="http://0x7f000001/x">y</a>', 'href http://127.0.0.1/x'],
  ['<a href="http://0177.0.0.01/x">y</a>', 'href http://127.0.0.1/x'],
  ['<a href="http://127.1/x">y</a>', 'href http://127.0.0.1/x'],
  ['<a href="http://[::FFFF:127.0.0.1]/x">y</a>', 'href http://[::ffff:7f00:1]/x'],
  ['<a href="https://good.test@evil.test/x">y</a>', 'href https://good.test@evil.test/x'],
  ['<a href="https://good.test%2F@evil.test/x">y</a>', 'href https://good.test%2F@evil.test/x'],
  ['<a href="java&#10;script:alert(1)">y</a>', 'href javascript:alert(1)'],
  ['<a href="JaVaScRiPt:alert(1)">y</a>', 'href javascript:alert(1)'],
  ['<a href="data:text/html;base64,PGI+">y</a>', 'href data:text/html;base64,PGI+'],
  ['<a href="file://evil.test/share">y</a>', 'href file://evil.test/share'],
  ['<a href="file:///\\\\evil.test\\a.rtf!x">y</a>', 'href file://evil.test/a.rtf!x'],
  ['<a href="file:////evil.test/a">y</a>', 'href file://evil.test/a'],
  ['<a href="file:////?/UNC/evil.test/a">y</a>', 'href file://evil.test/a'],
  ['<a href="file://evil.test@SSL@443/DavWWWRoot/a">y</a>', 'href file://evil.test/DavWWWRoot/a'],
  ['<svg><style><p><a href="https://evil.test/x">y</a></style></svg>', 'href https://evil.test/x'],
  ['<svg><textarea><p><a href="https://evil.test/x">y</a></textarea></svg>', 'href https://evil.test/x'],
  ['<svg><style>p{background:url(https://evil.test/x)}</style></svg>', 'css https://evil.test/x'],
  ['<svg xmlns:q="x"><a q:href="https://evil.test/x">y</a></svg>', 'href https://evil.test/x'],
  ['<a href="file:///C:/a">y</a>', 'href file:///C:/a'],
  ['<base href="https://evil.test/a/"><a href="x">y</a>', 'href https://evil.test/a/x'],
  ['<a href="x">y</a><base href="https://evil.test/a/">', 'href https://evil.test/a/x'],
  ['<area alt="y" href="https://evil.test/x">', 'href https://evil.test/x'],
  ['<svg><a xlink:href="https://evil.test/x"><text>y</text></a></svg>', 'href https://evil.test/x'],
  ['<v:roundrect href="https://evil.test/x">y</v:roundrect>', 'href https://evil.test/x'],
  ['<!--[if mso]><a href="https://evil.test/x">y</a><![endif]-->', 'href https://evil.test/x'],
  ['<!--><a href="https://evil.test/x">y</a><!-- -->', 'href https://evil.test/x'],
  ['<!-- c --!><a href="https://evil.test/x">y</a>', 'href https://evil.test/x'],
  ['<3 <a href="https://evil.test/x">y</a>', 'href https://evil.test/x'],
  ['</ x><a href="https://evil.test/x">y</a>', 'href https://evil.test/x'],
  ['<noscript><a href="https://evil.test/x">y</a></noscript>', 'href https://evil.test/x'],
  ['<form action="https://evil.test/x"></form>', 'form https://evil.test/x'],
  ['<button formaction="https://evil.test/x">y</button>', 'form https://evil.test/x'],
  ['<meta http-equiv="Refresh" content="0; URL=\'https://evil.test/x\'">', 'refresh https://evil.test/x'],
  ['<meta http-equiv="&#114;efresh" content="5,https://evil.test/x">', 'refresh https://evil.test/x'],
  ['<img src="https://evil.test/x">', 'src https://evil.test/x'],
  ['<img srcset="https://evil.test/x 2x">', 'src https://evil.test/x'],
  ['<table background="https://evil.test/x">', 'src https://evil.test/x'],
  ['<link rel=stylesheet href="https://evil.test/x">', 'src https://evil.test/x'],
  ['<iframe src="https://evil.test/x"></iframe>', 'src https://evil.test/x'],
  ['<object data="https://evil.test/x"></object>', 'src https://evil.test/x'],
  ['<iframe srcdoc="&lt;a href=&quot;https://evil.test/x&quot;&gt;y&lt;/a&gt;"></iframe>', 'href https://evil.test/x'],
  ['<p style="background:url( &quot;https://evil.test/x&quot; )">', 'css https://evil.test/x'],
  ['<p style="background:u\\72l(https://evil.test/x)">', 'css https://evil.test/x'],
  ['<style>@import "https://evil.test/x";</style>', 'css https://evil.test/x'],
  ['<script>location = "https://evil.test/x"</script>', 'script https://evil.test/x'],
  ['<p onclick="open(\'https://evil.test/x\')">', 'script https://evil.test/x'],
  ['<p>Go to https://evil.test/x now</p>', 'text https://evil.test/x'],
  ['<p>Go to https://ev<b></b>il.te<i>st</i>/x now</p>', 'text https://evil.test/x'],
  ['<p>https&#58;//evil.test/x</p>', 'text https://evil.test/x'],
];

const TEXT: readonly (readonly [string, readonly string[]])[] = [
  ['See https://evil.test/x.', ['https://evil.test/x']],
  ['(https://evil.test/x)', ['https://evil.test/x']],
  ['https://evil.test/a_(b)', ['https://evil.test/a_(b)']],
  ['"https://evil.test/x", he said', ['https://evil.test/x']],
  ['**https://evil.test/x**', ['https://evil.test/x']],
  ['<https://evil.test/long\r\n/path>', ['https://evil.test/long/path']],
  ['<https://evil.test/x> and <https://other.test/>', ['https://evil.test/x', 'https://other.test/']],
  ['HTTPS://Evil.Test/X', ['https://evil.test/X']],
  ['click:https://evil.test/x', ['https://evil.test/x']],
  ['www.evil.com/x', ['http://www.evil.com/x']],
  ['(www2.evil.test)', ['http://www2.evil.test/']],
  ['bit.ly/2aBc', ['http://bit.ly/2aBc']],
  ['write to evil.com, please', ['http://evil.com/']],
  ['http:\\\\evil.test\\x', ['http://evil.test/x']],
  ['https://ev\u00adil.test/x', ['https://evil.test/x']],
  ['https://b\u00fccher.test/stra\u00dfe', ['https://xn--bcher-kva.test/stra%C3%9Fe']],
  ['\u201chttps://evil.test/x\u201d', ['https://evil.test/x']],
  ['https://evil.test/x?u=https://good.test/', ['https://evil.test/x?u=https://good.test/']],
  ['https://a.test/\r\nhttps://b.test/', ['https://a.test/', 'https://b.test/']],
  ['someone@evil.com wrote', []],
  ['first.last@evil.com', []],
  ['the file report.final.docx and setup.sh, e.g. version 1.2.3', []],
  ['path/to/file.com/x', []],
  ['end.Begin of a sentence...and more', []],
  ['://nothing', []],
  ['http://', []],
];

describe('links', () => {
  it.each(HTML)('of HTML: %s', (html, expected) => {
    expect(inHtml(html).map(({ kind, url }) => `${kind} ${url}`)).toEqual([expected]);
  });

  it.each(TEXT)('of text: %s', (text, expected) => {
    expect(inText(text)).toEqual(expected);
  });

  it.each([
    '<a href="#top">x</a>',
    '<a href="mailto:a@b.example">x</a>',
    '<a href="tel:+491234">x</a>',
    '<img src="cid:logo">',
    '<a href="relative/page.html">x</a>',
    '<!-- <a href="https://evil.test/">x</a> -->',
    '<a href>x</a>',
    '<a href="">x</a>',
  ])('are none: %s', (html) => {
    expect(inHtml(html)).toEqual([]);
  });

  it('have the text that a reader sees, the host, and the part they are in', () => {
    const [link] = inHtml('<p><a href="https://Evil.test/"> https://<b>good</b>.test &amp;\n more <img alt=x></a>');
    expect(link).toEqual({
      url: 'https://evil.test/',
      raw: 'https://Evil.test/',
      domain: 'evil.test',
      text: 'https://good.test & more',
      kind: 'href',
      part: 0,
    });
    expect(
      inHtml('<a href="http://[::1]/">x</a><a href="http://evil.test./">y</a>').map(({ domain }) => domain),
    ).toEqual(['::1', 'evil.test']);
    expect(inHtml('<a href="http://exa mple.test/">x</a>')).toMatchObject([
      { url: 'http://exa mple.test/', domain: '' },
    ]);
    expect(inHtml(`<a href="https://a.test/">${'long '.repeat(1000)}</a>`)[0]?.text).toHaveLength(300);
  });

  it('of a form say when it asks for a password', () => {
    const form = (input: string): boolean | undefined =>
      inHtml(`<form action="https://evil.test/x"><input name=user>${input}</form>`)[0]?.password;
    expect(form('<input type=PASSWORD>')).toBe(true);
    expect(form('<input type=text name="passwd">')).toBe(true);
    expect(form('<input type=text name="city">')).toBeUndefined();
  });

  it('stand once however often they are repeated with the same text', () => {
    expect(inText('https://a.test/ https://a.test/ https://b.test/')).toEqual(['https://a.test/', 'https://b.test/']);
  });

  it('of HTML attachments are found, also in archives, and bear their path', () => {
    const page = Buffer.from('<html><a href="https://evil.test/page">x</a></html>');
    const message = makeMail('See the files', [
      { name: 'page.html', bytes: page },
      { name: 'wide.htm', bytes: Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(page.toString(), 'utf16le')]) },
      { name: 'pages.zip', bytes: makeZip([{ name: 'in/side.html', bytes: page }]) },
      { name: 'go.url', bytes: Buffer.from('[InternetShortcut]\r\nURL=https://evil.test/shortcut\r\n') },
      { name: 'picture.png', bytes: Buffer.from('\x89PNG https://evil.test/none') },
    ]);
    expect(linksOf(message).list.map(({ url, object }) => `${object ?? ''} ${url}`)).toEqual([
      'page.html https://evil.test/page',
      'wide.htm https://evil.test/page',
      'pages.zip/in/side.html https://evil.test/page',
      'go.url https://evil.test/shortcut',
    ]);
  });

  it('end at ten thousand, and say so', () => {
    const many = Array.from({ length: 100_000 }, (_, i) => `<a href="http://h${i}.test/">x</a>`).join('');
    const started = performance.now();
    const found = linksOf(mail('text/html', many));
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(found.list).toHaveLength(10_000);
    expect(found.complete).toBe(false);
    expect(linksOf(mail('text/plain', many)).complete).toBe(false);
    expect(linksOf(mail('text/html', '<a href="http://a.test/">x</a>')).complete).toBe(true);
  });

  it.each([
    '<a href="',
    "<a href='",
    '<a x=">"',
    '<a x="\'>',
    '<a href=http://a.test/ ',
    '<!--',
    '<!--[if',
    '</',
    '<base href=//a.test/>',
    '<style>url(',
    '<p style="url(\'">',
    '<iframe srcdoc="<a href=x>">',
    '<meta http-equiv=refresh content="0;                 ',
    'a.b',
    '.a',
    'www.',
    'http://',
    '<http://',
    'a@b.com ',
    '(((((http://a.test/))))',
    '\\75 rl(',
    '&#104;',
    'java\tscript:',
    '%68',
  ])('are read in linear time: %s repeated', (piece) => {
    const body = piece.repeat(Math.ceil(1_000_000 / piece.length));
    const started = performance.now();
    linksOf(mail('text/html', body));
    linksOf(mail('text/plain', body));
    expect(performance.now() - started).toBeLessThan(6_000);
  });

  it('of any bytes are read without a failure, and each is well formed', () => {
    const pieces = fc.constantFrom(
      ...['<', '>', '"', "'", '=', '&', ';', '#', ' ', '\r\n', '\t', '\\', '/', ':', '%', '@', '.', '[', ']', '\u00ad'],
      ...['<a href=', '<form action=', '<meta http-equiv=refresh content=', '<base href=', '<!--', '-->', '<script>'],
      ...[
        'http://',
        'https:',
        'javascript:',
        'data:',
        'www.',
        'evil.com',
        'xn--',
        '0x7f.1',
        '\ud800',
        '\u202e',
        'url(',
      ],
    );
    const anything = fc.array(fc.oneof(pieces, fc.string({ maxLength: 5 })), { maxLength: 60 });
    fc.assert(
      fc.property(anything, fc.constantFrom('text/html', 'text/plain'), (parts, type) => {
        for (const link of linksOf(mail(type, parts.join(''))).list) {
          expect(link.domain).toBe(link.domain.toLowerCase());
          expect(link.url).not.toBe('');
          expect(link.text.length).toBeLessThanOrEqual(300);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are found wherever they stand', () => {
    const label = fc.stringMatching(/^[a-z]([a-z0-9]{0,10}[a-z])?$/);
    const words = fc.array(fc.stringMatching(/^[A-Za-z]{1,8}$/), { maxLength: 5 });
    fc.assert(
      fc.property(label, fc.stringMatching(/^[a-z0-9/]{0,20}$/), words, words, (host, path, before, after) => {
        const url = `https://${host}.test/${path}`;
        expect(inText([...before, url, ...after].join(' '))).toContain(new URL(url).href);
        expect(inHtml(`${before.join(' ')}<a href="${url}">${after.join(' ')}</a>`)[0]?.url).toBe(new URL(url).href);
      }),
    );
  });
});

it('a message of which only the header is read has none', () => {
  expect(readMessage(mail('text/plain', 'https://a.test/'), LIMITS, { depth: 'header' }).links()).toEqual({
    list: [],
    complete: true,
  });
});

describe('attachments', () => {
  const calendar = ['BEGIN:VCALENDAR', 'DESCRIPTION:Look\\nhttps://ev', ' il.test/x\\nat it', 'END:VCALENDAR', ''].join(
    '\r\n',
  );
  const letter = 'From: a@b.example\r\nContent-Type: text/html\r\n\r\n<a href="https://evil.test/x">y</a>';
  const page = '<a href="https://evil.test/x">y</a>';

  it.each<[string, string | Buffer]>([
    ['a.ics', calendar],
    ['a.vcf', 'BEGIN:VCARD\r\nURL:https://ev\r\n il.test/x\r\nEND:VCARD\r\n'],
    ['a.iqy', 'WEB\r\n1\r\nhttps://evil.test/x\r\n'],
    ['a.url', '[InternetShortcut]\r\nURL=\\\\evil.test\\x\r\n'],
    ['a.library-ms', '<url>\\\\evil.test\\x</url>'],
    ['a.html', `<!-- %PDF-1.4 -->${page}`],
    ['a.html', `PAR1${page}`],
    ['a.zip', makeZip([{ name: 'a.eml', bytes: Buffer.from(letter) }])],
  ])('%s', (name, content) => {
    const bytes = makeMail('See there.', [{ name, bytes: Buffer.from(content) }]);
    expect(linksOf(bytes).list.map(({ domain }) => domain)).toContain('evil.test');
  });

  it('a calendar that is the text of the mail', () => {
    expect(linksOf(mail('text/calendar', calendar)).list.map(({ domain }) => domain)).toEqual(['evil.test']);
  });
});

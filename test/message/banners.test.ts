import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import type { Banner } from '../../src/message/edit/banners.js';
import { readMessage } from '../../src/message/read.js';
import { LIMITS, mail, mailWith } from './mail.js';
import { render, trees } from './mime-tree.js';
import { BYE, put, textOf, UMLAUT, WARN } from './put-banners.js';

describe('a text part', () => {
  it('gets the warning before and the disclaimer behind its text', () => {
    const { after } = put(mail('From: a@b', 'Subject: x', '', 'Hello', ''), [WARN], [BYE]);
    expect(after.toString()).toBe(
      'From: a@b\r\nSubject: x\r\n\r\nTake care!\r\nReally.\r\n\r\nHello\r\n\r\nConfidential.\r\n',
    );
  });

  it('ends its last line before the disclaimer', () => {
    expect(put(mail('From: a@b', '', 'Hello'), [], [BYE]).after.toString()).toBe(
      'From: a@b\r\n\r\nHello\r\n\r\nConfidential.\r\n',
    );
  });

  it.each([
    'utf-8',
    'iso-8859-1',
    'iso-8859-15',
    'windows-1252',
    'windows-1251',
    'koi8-r',
    'gb18030',
    'shift_jis',
    'big5',
    'euc-kr',
    'utf-16le',
    'utf-16be',
    'utf-7',
  ])('keeps the charset %s and each transfer encoding', (charset) => {
    const own = charset.startsWith('koi8') || charset.endsWith('1251') ? 'Привет' : 'Hello abc';
    for (const encoding of ['8bit', 'quoted-printable', 'base64']) {
      if (encoding === '8bit' && charset.startsWith('utf-16')) continue;
      const raw = iconv.encode(`${own}\r\n`, charset, { addBOM: false });
      const body =
        encoding === 'base64'
          ? Buffer.from(raw.toString('base64'))
          : encoding === '8bit'
            ? raw
            : Buffer.from(
                Array.from(raw, (b) =>
                  b === 10 || b === 13 ? String.fromCharCode(b) : `=${b.toString(16).toUpperCase().padStart(2, '0')}`,
                ).join(''),
              );
      const bytes = Buffer.concat([
        mail(
          'From: a@b',
          'X-Eight: é',
          'MIME-Version: 1.0',
          `Content-Type: text/plain; charset=${charset}`,
          `Content-Transfer-Encoding: ${encoding}`,
          '',
          '',
        ),
        body,
      ]);
      const { message } = put(bytes, [UMLAUT]);
      expect(message.structure.root).toMatchObject({ type: 'text/plain', encoding });
      expect(message.structure.root.params.get('charset')).toBe(charset);
      const text = textOf(message, message.structure.root);
      expect(text).toMatch(/^Vorsicht: ["„]Gr/);
      expect(text).toContain(`\r\n\r\n${own}`);
      expect(text).not.toContain('\ufffd');
      expect(message.anomalies.map(({ name }) => name)).toEqual(
        readMessage(bytes, LIMITS).anomalies.map(({ name }) => name),
      );
    }
  });

  it('transliterates what its charset cannot write', () => {
    const bytes = mail(
      'From: a@b',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=iso-8859-1',
      'Content-Transfer-Encoding: base64',
      '',
      'SGFsbG8=',
      '',
    );
    expect(textOf(put(bytes, [UMLAUT]).message, put(bytes, [UMLAUT]).message.structure.root)).toMatch(
      /^Vorsicht: "Größe" EUR \?/,
    );
  });

  it('becomes UTF-8 in quoted-printable where it was 7-bit US-ASCII, and nothing else of its header changes', () => {
    const bytes = mail(
      'From: a@b',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset="us-ascii"; format=flowed',
      'Content-Transfer-Encoding: 7bit',
      '',
      'Hello=',
      '',
    );
    const { after, message } = put(bytes, [UMLAUT]);
    expect(after.toString()).toContain(
      'Content-Type: text/plain; charset=utf-8; format=flowed\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n',
    );
    expect(after.every((byte) => byte < 128)).toBe(true);
    expect(textOf(message, message.structure.root)).toBe(`${UMLAUT.text}\r\n\r\nHello=\r\n`);
  });

  it('gets the fields that say what it is where it had none', () => {
    const { after, message } = put(mail('From: a@b', '', 'Hello', ''), [UMLAUT]);
    expect(after.toString()).toMatch(
      /^From: a@b\r\nMIME-Version: 1.0\r\nContent-Type: text\/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n/,
    );
    expect(textOf(message, message.structure.root)).toContain('Größe');
    const headless = put(mail('From: a@b'), [UMLAUT], [], { tags: ['[T]'] });
    expect(headless.message.subject).toBe('[T]');
    expect(textOf(headless.message, headless.message.structure.root)).toContain('Größe');
  });

  it('is broken into lines as it says it is (RFC 3676)', () => {
    const long: Banner = { name: 'long', text: `From here ${'word '.repeat(40)}end`, html: '' };
    const flowed = put(mail('From: a@b', 'Content-Type: text/plain; format=flowed', '', 'x', ''), [
      long,
    ]).after.toString();
    const [, body = ''] = flowed.split('\r\n\r\n');
    const lines = body.split('\r\n');
    expect(lines[0]).toMatch(/^ From here .* $/);
    expect(lines.at(-1)).toMatch(/end$/);
    expect(lines.every((line) => line.length <= 78)).toBe(true);
    const fixed = put(mail('From: a@b', '', 'x', ''), [long]).after.toString();
    expect(fixed).not.toMatch(/ \r\n/);
  });
});

describe('an HTML part', () => {
  const html = (charset: string, body: string): Buffer =>
    mail('From: a@b', 'MIME-Version: 1.0', `Content-Type: text/html; charset=${charset}`, '', body, '');

  it('takes the texts into its body, with references for what its charset lacks', () => {
    const { after } = put(html('us-ascii', '<html><body class="a>b"><p>x</p></body></html>'), [UMLAUT], [BYE]);
    expect(after.toString()).toContain(
      '<body class="a>b">\r\n<p>Gr&#246;&#223;e &#8364; &#9731;</p>\r\n<p>x</p>\r\n<p>Confidential.</p>\r\n</body>',
    );
    expect(after.toString()).toContain('charset=us-ascii\r\n\r\n');
  });

  it('is not misled by what only looks like a tag in ISO-2022-JP', () => {
    const text = '\u001b$B%O%m!<<body>\u001b(B';
    const { after } = put(html('iso-2022-jp', `<html><body>${text}</body></html>`), [WARN]);
    expect(after.toString()).toContain(`<body>\r\n<p>Take care!</p>\r\n${text}`);
  });

  it('is found in multipart/related by its start', () => {
    const bytes = mail(
      'From: a@b',
      'MIME-Version: 1.0',
      'Content-Type: multipart/related; boundary=r; start="<main>"',
      '',
      '--r',
      'Content-Type: text/html',
      'Content-ID: <other>',
      '',
      '<p>other</p>',
      '--r',
      'Content-Type: text/html',
      'Content-ID: <main>',
      '',
      '<body>main</body>',
      '--r--',
      '',
    );
    expect(put(bytes, [WARN]).after.toString()).toContain('<body>\r\n<p>Take care!</p>\r\nmain');
    expect(put(bytes, [WARN]).after.toString()).toContain('\r\n\r\n<p>other</p>');
  });
});

describe('several parts', () => {
  const alternative = (...more: string[]): Buffer =>
    mail(
      'From: a@b',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=m',
      '',
      '--m',
      'Content-Type: multipart/alternative; boundary=a',
      '',
      '--a',
      '',
      'plain',
      '--a',
      'Content-Type: text/html',
      '',
      '<p>html</p>',
      '--a--',
      ...more,
      '--m--',
      '',
    );

  it('an alternative gets both in each of its forms; a footer behind it does not', () => {
    const { message, notes } = put(alternative('--m', 'Content-Type: text/plain', '', 'footer'), [WARN], [BYE]);
    const [, , plain, html, footer] = message.structure.parts;
    expect(textOf(message, plain)).toBe('Take care!\r\nReally.\r\n\r\nplain\r\n\r\nConfidential.\r\n');
    expect(textOf(message, html)).toBe('\r\n<p>Take care!</p>\r\n<p>html</p>\r\n<p>Confidential.</p>\r\n');
    expect(textOf(message, footer)).toBe('footer');
    expect(notes).toEqual([
      'put the warning warn and the disclaimer bye into the text of part 3',
      'put the warning warn and the disclaimer bye into the HTML of part 4',
    ]);
  });

  it('texts around a picture get the warning in the first and the disclaimer in the last', () => {
    const bytes = mail(
      'From: a@b',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=m',
      '',
      '--m',
      '',
      'one',
      '--m',
      'Content-Type: image/png',
      '',
      'PNG',
      '--m',
      '',
      'two',
      '--m--',
      '',
    );
    const { message } = put(bytes, [WARN], [BYE]);
    const [, one, , two] = message.structure.parts;
    expect(textOf(message, one)).toBe('Take care!\r\nReally.\r\n\r\none');
    expect(textOf(message, two)).toBe('two\r\n\r\nConfidential.\r\n');
  });

  it('attachments and enclosed messages stay as they are', () => {
    const inner = ['Content-Type: message/rfc822', '', 'From: x@y', '', 'inner text'];
    const bytes = mail(
      'From: a@b',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=m',
      '',
      '--m',
      'Content-Type: text/plain; name=a.txt',
      '',
      'file',
      '--m',
      ...inner,
      '--m--',
      '',
    );
    const { after, message } = put(bytes, [WARN], [BYE]);
    expect(message.structure.parts.map(({ type }) => type)).toEqual([
      'multipart/mixed',
      'text/plain',
      'text/plain',
      'message/rfc822',
      'text/plain',
      'text/plain',
    ]);
    expect(textOf(message, message.structure.parts[1])).toBe('Take care!\r\nReally.');
    expect(textOf(message, message.structure.parts[5])).toBe('Confidential.');
    expect(
      after.includes(
        'Content-Type: text/plain; name=a.txt\r\n\r\nfile\r\n--m\r\nContent-Type: message/rfc822\r\n\r\nFrom: x@y\r\n\r\ninner text\r\n--m',
      ),
    ).toBe(true);
  });

  it('a message without text becomes a part beside its text', () => {
    const bytes = mail(
      'From: a@b',
      'MIME-Version: 1.0',
      'Content-Type: application/pdf; name="a.pdf"',
      'Subject: s',
      'Content-Transfer-Encoding: base64',
      '',
      'JVBERi0=',
      '',
    );
    const { after, message, notes } = put(bytes, [UMLAUT], [BYE]);
    expect(message.structure.parts.map(({ type }) => type)).toEqual([
      'multipart/mixed',
      'text/plain',
      'application/pdf',
      'text/plain',
    ]);
    expect(
      after.includes(
        'Content-Type: application/pdf; name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n\r\n--',
      ),
    ).toBe(true);
    expect(message.anomalies.map(({ name }) => name)).toEqual(
      readMessage(bytes, LIMITS).anomalies.map(({ name }) => name),
    );
    expect(message.objects.map(({ path }) => path)).toEqual(['a.pdf']);
    expect(notes).toEqual(['put the warning umlaut and the disclaimer bye into a part of its own']);
    expect(put(bytes, [UMLAUT], [BYE]).after.equals(after)).toBe(true);
  });

  it('the text that takes the place of a body bears them as well', () => {
    const bytes = mail('From: a@b', 'Content-Type: application/octet-stream; name=a.exe', '', 'MZ', '');
    const { message } = put(bytes, [WARN], [BYE], { removals: [{ part: 0, objects: ['a.exe'], reason: 'r' }] });
    expect(textOf(message, message.structure.root)).toMatch(
      /^Take care!\r\nReally\.\r\n\r\nAn attachment was removed[^]*Confidential\.\r\n$/,
    );
  });

  it('a text that is taken out gets none', () => {
    const bytes = mailWith([{ name: 'a.exe', content: Buffer.from('MZ') }]);
    const { message } = put(bytes, [WARN], [], { removals: [{ part: 1, objects: ['x'], reason: 'r' }] });
    expect(message.structure.parts.map(({ type }) => type)).toEqual([
      'multipart/mixed',
      'text/plain',
      'text/plain',
      'application/octet-stream',
    ]);
    expect(textOf(message, message.structure.parts[1])).toContain('Take care!');
  });
});

describe('any message', () => {
  it('keeps every part that is not written into, byte for byte', () => {
    fc.assert(
      fc.property(trees, fc.constantFrom(WARN, UMLAUT), fc.boolean(), (tree, banner, both) => {
        const { bytes } = render(tree);
        const before = readMessage(bytes, LIMITS);
        const { message, after, notes } = put(bytes, [banner], both ? [BYE] : []);
        const written = new Set(
          notes.flatMap((note) => [...note.matchAll(/of part (\d+)/g)].map(([, n]) => Number(n) - 1)),
        );
        expect(notes.length).toBeGreaterThan(0);
        for (const part of before.structure.parts) {
          if (part.children.length > 0 || written.has(part.index)) continue;
          // Whoever wraps the message moves the content fields of its root and keeps the body.
          const kept = part.parent === undefined ? part.body : part.range;
          expect(after.includes(bytes.subarray(kept.start, kept.end))).toBe(true);
        }
        if (written.size > 0) {
          expect(message.structure.parts.map(({ type }) => type)).toEqual(
            before.structure.parts.map(({ type }) => type),
          );
          for (const note of notes.filter((one) => one.includes('warning'))) {
            const index = Number(/of part (\d+)/.exec(note)?.[1]) - 1;
            expect(textOf(message, message.structure.parts[index])).toContain(banner === WARN ? 'Take care!' : 'Größe');
          }
        } else expect(message.structure.parts[1]?.type).toBe('text/plain');
        expect(message.structure.anomalies.map(({ name }) => name)).toEqual(
          before.structure.anomalies.map(({ name }) => name),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('never fails, whatever its bytes are', () => {
    const pieces = fc.constantFrom(
      'Content-Type: ',
      'text/html',
      'multipart/mixed; boundary=b',
      '\r\n',
      '\r\n\r\n',
      '--b',
      '--b--',
      'charset=utf-16',
      'Content-Transfer-Encoding: base64',
      '<body>',
      '<!--',
      ' ',
      'x',
      '=',
      'message/rfc822',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (list) => {
        const bytes = Buffer.from(list.join(''));
        const { after } = put(bytes, [UMLAUT], [BYE], { tags: ['[T]'] });
        expect(after.length).toBeGreaterThan(bytes.length);
      }),
      { numRuns: 500 },
    );
  });
});

import { describe, expect, it } from 'vitest';
import { LIMITS, mail } from '../../test/message/mail.js';
import { readMessage } from './read.js';
import type { Message } from './types.js';

const EXE = Buffer.concat([Buffer.from('MZ\x90\0', 'latin1'), Buffer.alloc(100)]);

describe('attachments', () => {
  it('takes a part as an attachment when it has a name, is no text, or hides a program', () => {
    const bytes = mail(
      'From: a@b',
      'Content-Type: multipart/mixed; boundary=x',
      '',
      '--x',
      'Content-Type: text/html; name="page.html"',
      '',
      '<p>x',
      '--x',
      'Content-Type: text/plain',
      'Content-Transfer-Encoding: base64',
      '',
      EXE.toString('base64'),
      '--x',
      'Content-Type: image/png',
      '',
      '',
      '--x--',
    );
    expect(readMessage(bytes, LIMITS).objects.map(({ path, type }) => [path, type])).toEqual([
      ['page.html', 'text'],
      ['part-3', 'executable'],
      ['part-4', 'text'],
    ]);
  });

  describe('takes a text without a name', () => {
    const rtf = String.raw`{\rtf1 {\field{\*\fldinst {DDEAUTO c:\\windows\\system32\\cmd.exe "/k calc"}}{\fldrslt x}}}`;
    const encodings: readonly (readonly [string, (text: string) => string])[] = [
      ['7bit', (text) => text],
      ['8bit', (text) => text],
      ['quoted-printable', (text) => text.replaceAll('=', '=3D')],
      ['base64', (text) => Buffer.from(text).toString('base64')],
    ];
    const second = (type: string, text: string, encoding = '7bit', multipart = 'mixed'): Message =>
      readMessage(
        mail(
          'From: a@b',
          `Content-Type: multipart/${multipart}; boundary=x`,
          '',
          '--x',
          '',
          'Hello',
          '--x',
          `Content-Type: ${type}`,
          'Content-Disposition: inline',
          `Content-Transfer-Encoding: ${encoding}`,
          '',
          text,
          '--x--',
        ),
        LIMITS,
      );

    it.each(
      ['text/rtf', 'text/plain', 'text/calendar', 'text/x-any'].flatMap((type) =>
        encodings.map(([encoding, encode]) => [type, encoding, encode(rtf)] as const),
      ),
    )('as the document that it is: %s in %s', async (type, encoding, text) => {
      const message = second(type, text, encoding);
      expect(message.objects).toMatchObject([{ path: 'part-3', type: 'document', format: 'rtf', macro: true }]);
      expect((await message.text()).text).toContain('Hello');
      expect((await message.text()).text).toContain('DDEAUTO');
    });

    it.each([
      ['text/javascript', 'var a = 1;', 'attachment.js', 'script'],
      ['text/vbscript', 'x = 1', 'attachment.vbs', 'script'],
      ['text/csv', 'a,b', 'part-3', 'text'],
      ['text/xml', '<?xml version="1.0"?><a/>', 'part-3', 'text'],
      ['text/x-vcard', 'BEGIN:VCARD\r\nEND:VCARD', 'part-3', 'text'],
    ])('as an attachment: %s', async (type, text, path, kind) => {
      const message = second(type, text);
      expect(message.objects).toMatchObject([{ path, type: kind, mime: type }]);
      expect((await message.text()).text).toContain(text.slice(0, 3));
    });

    it.each([
      'text/html',
      'text/calendar; method=REQUEST',
      'text/enriched',
      'text/watch-html',
      'text/x-amp-html',
      'text/markdown',
    ])('as a form of the text: %s', (type) => {
      expect(
        second(type, '<script async src="https://cdn.example/v0.js"></script>', '7bit', 'alternative').objects,
      ).toEqual([]);
      expect(second(type, 'The wide world').objects).toEqual([]);
    });

    it('as the text of the message where that consists of nothing else', () => {
      expect(readMessage(mail('From: a@b', 'Content-Type: text/x-any', '', 'x'), LIMITS).objects).toEqual([]);
      const script = readMessage(mail('From: a@b', 'Content-Type: text/javascript', '', 'x'), LIMITS);
      expect(script.objects).toMatchObject([{ path: 'attachment.js', type: 'script' }]);
    });

    it('as text of a message that is attached in base64 as well', async () => {
      const inner = mail(
        'From: a@b',
        'Content-Type: multipart/mixed; boundary=y',
        '',
        '--y',
        'Content-Type: text/csv',
        '',
        'seen',
        '--y--',
      );
      const message = second('message/rfc822', inner.toString('base64'), 'base64');
      expect(message.objects.map(({ mime }) => mime)).toContain('text/csv');
      expect((await message.text()).text).toContain('seen');
    });
  });

  it('reads a body under each of two transfer encodings', () => {
    const bytes = mail(
      'From: a@b',
      'Content-Type: application/octet-stream; name=a.exe',
      'Content-Transfer-Encoding: 7bit',
      'Content-Transfer-Encoding: base64',
      '',
      EXE.toString('base64'),
    );
    expect(readMessage(bytes, LIMITS).objects.map(({ type }) => type)).toEqual(['text', 'executable']);
  });
});

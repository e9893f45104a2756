import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { simpleParser, type Attachment } from 'mailparser';
import { expect, test } from 'vitest';
import { PROGRAM_FOLDER } from '../../src/config/load.js';
import { composeNotification } from '../../src/notifications/compose.js';
import type { MessageIdPlace } from '../../src/notifications/templates/site.js';
import { loadTemplates } from '../../src/notifications/templates/load.js';
import { renderTemplate } from '../../src/notifications/templates/render.js';
import type { RuleNotificationContext } from '../../src/notifications/types.js';
import { owedNotification } from './support.js';

const { templates } = await loadTemplates([path.join(PROGRAM_FOLDER, 'templates')], 'en');
const CHARSETS = ['utf-8', 'us-ascii', 'iso-8859-1', 'iso-8859-2', 'iso-8859-5', 'iso-8859-15', 'windows-1250']
  .concat(['windows-1251', 'windows-1252', 'windows-1255', 'koi8-r', 'gb2312', 'gb18030', 'big5'])
  .concat(['iso-2022-jp', 'shift_jis', 'euc-kr']);
const EVIL = [
  '\r\nBcc: victim@example.net\r\n\r\n<b>injected</b>',
  '\n--=_n\nContent-Type: text/html\n\n<script>alert(1)</script>',
  '<img src=x onerror="alert(1)">',
  '"><a href="https://evil.example/">',
  "' onmouseover='x",
  '{{constructor.constructor "x"}}{{{sender}}}{{> x}}',
  '%SENDER% %DATA_BEGIN%%OBJECT_NAME%%DATA_END%',
  '\u202egpj.exe\u2066\u2067\u061c',
  'שלום \u200fעולם',
  '\ud800 \udfff \ufffd',
  '\0\x07\x1b$B<img>\x1b(B',
  '=?utf-8?q?=0D=0ABcc:_x?=',
  '"; filename="evil.exe',
  'https://evil.example/login www.evil.example',
  'ü日本語ł€ｱ①Привет안녕',
  '</td></table></body>',
  '&#60;script&#62; +ADw-script+AD4-',
  'x'.repeat(10_000),
  '漢'.repeat(10_000),
];
const FIELDS = ['from', 'to', 'subject', 'date', 'message-id', 'auto-submitted', 'x-auto-response-suppress'].concat([
  'x-gatepost-notification',
  'mime-version',
  'content-type',
]);

const hostile = fc
  .array(fc.oneof(fc.constantFrom(...EVIL), fc.string({ unit: 'binary', maxLength: 30 })), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) => `${parts.join('')}.`);

/** The elements of a document, by the book: what is not escaped would show up here. */
function tagsOf(html: string): string {
  return [...html.matchAll(/<\/?([a-z][a-z0-9]*)\b([^>]*)>/gi)]
    .map(([, name = '', rest = '']) => `${name} ${[...rest.matchAll(/([\w-]+)=/g)].map(([, key]) => key).join()}`)
    .filter((tag) => !/^(li|ul|br|span|strong|p) /.test(tag))
    .join('\n');
}

/** The types of an entity and of its parts, in order (RFC 2046, section 5.1.1). */
function typesOf(entity: string): string[] {
  const [header = '', ...rest] = entity.split('\r\n\r\n');
  const [, type = '', boundary] = /^Content-Type: ([\w/-]+)(?:;\r\n\tboundary="([^"]+)")?/m.exec(header) ?? [];
  if (boundary === undefined) return [type];
  const [, ...parts] = `\r\n${rest.join('\r\n\r\n')}`.split(`\r\n--${boundary}`);
  expect(parts.pop()?.trimEnd()).toBe('--');
  return [type, ...parts.flatMap((part) => typesOf(part.slice(2)))];
}

test('whatever a message says lands harmlessly, in every charset', async () => {
  const names = templates.names.filter((name) => name.startsWith('rule-'));
  const quiet = new Map<string, string>();
  await fc.assert(
    fc.asyncProperty(
      hostile,
      hostile,
      fc.constantFrom(...CHARSETS),
      fc.constantFrom(...names),
      fc.boolean(),
      fc.constantFrom<MessageIdPlace>('body', 'subject', 'header', 'off'),
      async (evil, other, charset, name, quotedPrintable, messageId) => {
        const template = templates.get(name);
        if (template === undefined) throw new Error(name);
        const write = async (one: string, two: string) => {
          const base = owedNotification({ template: name, attach: 'headers', originalHeader: `Subject: ${one}\r\n` });
          const context: RuleNotificationContext = {
            ...base.context,
            subject: one,
            sender: two,
            smtpMessageId: one,
            allRecipients: [two],
            affectedRecipients: [one],
            rules: [{ id: 'inbound', name: two }],
            objects: [{ name: one, size: 1, status: 'infected', module: 'signatures', threat: two }],
          };
          const settings = { from: 'Gatepost <gatepost@example.org>', messageId, charset, quotedPrintable };
          const made = await composeNotification(
            base,
            renderTemplate(template, context, { mydomain: 'x.example' }),
            settings,
            0,
          );
          const bytes = await buffer(Readable.from(made.content.read()));
          return { traceId: base.traceId, bytes, mail: await simpleParser(bytes) };
        };
        const { traceId, bytes, mail } = await write(evil, other);
        const header = bytes.toString('latin1', 0, bytes.indexOf('\r\n\r\n'));
        const fields = header.split(/\r\n(?![ \t])/).map((field) => field.slice(0, field.indexOf(':')).toLowerCase());
        const own = [...FIELDS, ...(messageId === 'header' ? ['x-gatepost-id'] : [])];
        const top = fields.filter((field) => field !== 'content-transfer-encoding');
        expect(top.toSorted()).toEqual(own.toSorted());
        expect(header).not.toMatch(/[^\t\r\n\x20-\x7e]/);
        for (const line of bytes.toString('latin1').split('\r\n')) {
          expect(line.length).toBeLessThanOrEqual(998);
          expect(line).not.toMatch(/[\r\n\0]/);
        }
        expect(typesOf(bytes.toString('latin1'))).toEqual([
          'multipart/mixed',
          'multipart/alternative',
          'text/plain',
          'text/html',
          'text/rfc822-headers',
        ]);
        const attached = mail.attachments.map(({ filename }: Attachment) => filename);
        expect(attached).toEqual([`${traceId}.txt`]);
        const subject = mail.subject ?? '';
        expect(subject).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/u);
        expect(Array.from(subject).length).toBeLessThanOrEqual(500);
        if (messageId === 'subject') expect(subject.endsWith(` [${traceId}]`)).toBe(true);
        for (const text of [subject, mail.text ?? '', mail.html || '']) {
          expect(text).not.toMatch(/https:\/\/evil|www\.evil/);
          expect(text).not.toMatch(/(?![\n\t\r])\p{Cc}/u);
        }
        const key = `${name} ${messageId} ${charset}`;
        if (!quiet.has(key)) quiet.set(key, tagsOf((await write('plain', 'plain')).mail.html || ''));
        expect(tagsOf(mail.html || '')).toBe(quiet.get(key));
        let open = 0;
        for (const character of mail.text ?? '') {
          if (character === '\u2068') open++;
          if (character === '\u2069') open--;
          if (/[\u202a-\u202e\u2066\u2067]/.test(character)) expect(open).toBe(1);
        }
        expect(open).toBe(0);
      },
    ),
    {
      numRuns: 60,
      examples: EVIL.map(
        (evil, i) =>
          [evil, evil, CHARSETS[i % CHARSETS.length] ?? '', 'rule-general', i % 2 === 0, 'subject'] as [
            string,
            string,
            string,
            string,
            boolean,
            MessageIdPlace,
          ],
      ),
    },
  );
});

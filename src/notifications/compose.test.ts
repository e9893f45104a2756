import { simpleParser, type ParsedMail } from 'mailparser';
import { describe, expect, it } from 'vitest';
import path from 'node:path';
import { owedNotification } from '../../test/notifications/support.js';
import { PROGRAM_FOLDER } from '../config/load.js';
import type { Content } from '../message/source.js';
import { composeNotification, messageIdFor, type ComposeSettings } from './compose.js';
import { headerOf } from './original.js';
import { loadTemplates, parseTemplate, type Template } from './templates/load.js';
import { renderTemplate } from './templates/render.js';
import type { OwedRuleNotification, RuleNotificationContext } from './types.js';

const NOW = Date.UTC(2026, 10, 21, 16, 5, 10);
const SETTINGS: ComposeSettings = {
  from: 'Gatepost <gatepost@example.org>',
  messageId: 'body',
  charset: 'utf-8',
  quotedPrintable: true,
};
const { templates } = await loadTemplates([path.join(PROGRAM_FOLDER, 'templates')], 'en');

function template(name: string): Template {
  const found = templates.get(name);
  if (found === undefined) throw new Error(name);
  return found;
}

async function compose(
  owed: OwedRuleNotification,
  settings: Partial<ComposeSettings> = {},
  used: Template = template(owed.template),
  original?: Content,
): Promise<{ readonly bytes: Buffer; readonly header: string; readonly mail: ParsedMail }> {
  const rendered = renderTemplate(used, owed.context, { mydomain: 'example.org' });
  const { content } = await composeNotification(owed, rendered, { ...SETTINGS, ...settings }, NOW, original);
  const chunks: Buffer[] = [];
  for await (const chunk of content.read()) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  expect(bytes.length).toBe(content.size);
  const header = bytes.subarray(0, bytes.indexOf('\r\n\r\n') + 2).toString('latin1');
  return { bytes, header, mail: await simpleParser(bytes) };
}

function contentOf(text: string | Buffer): Content {
  const bytes = Buffer.from(text);
  return { size: bytes.length, read: () => [bytes.subarray(0, 10), bytes.subarray(10)] };
}

describe('the marks', () => {
  it('every mail bears them', async () => {
    const owed = owedNotification();
    const { mail, header } = await compose(owed);
    expect(mail.from?.text).toBe('"Gatepost" <gatepost@example.org>');
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
    expect(mail.headers.get('x-auto-response-suppress')).toBe('All');
    expect(mail.headers.get('x-gatepost-notification')).toBe(owed.traceId);
    expect(mail.messageId).toBe(`<${owed.id}@example.org>`);
    expect(messageIdFor(owed.id, SETTINGS.from)).toBe(`${owed.id}@example.org`);
    expect(mail.date?.getTime()).toBe(NOW);
    expect(header).not.toMatch(/^(Bcc|X-Mailer|X-Gatepost-ID):/im);
    expect(header).not.toMatch(/[^\r]\n/);
  });

  it('the envelope has the null sender and one recipient', async () => {
    const owed = owedNotification({ to: 'jörg@example.org' });
    const rendered = renderTemplate(template('rule-general'), owed.context, { mydomain: '' });
    const mail = await composeNotification(owed, rendered, SETTINGS, NOW);
    expect(mail).toMatchObject({
      id: owed.id,
      sender: '',
      recipients: [{ address: 'jörg@example.org' }],
      smtpUtf8: true,
    });
  });

  it.each([
    ['body', true, false, false],
    ['subject', false, true, false],
    ['header', false, false, true],
    ['off', false, false, false],
  ] as const)('messageId: %s', async (messageId, inBody, inSubject, inHeader) => {
    const owed = owedNotification();
    const { mail } = await compose(owed, { messageId });
    const last = mail.text?.trimEnd().split('\n').at(-1);
    expect(last === `Message ID: ${owed.traceId}`).toBe(inBody);
    expect((mail.text ?? '').includes(owed.traceId)).toBe(inBody);
    expect((mail.html || '').includes(owed.traceId)).toBe(inBody);
    expect(mail.subject?.endsWith(`[${owed.traceId}]`)).toBe(inSubject);
    expect(mail.headers.get('x-gatepost-id')).toBe(inHeader ? owed.traceId : undefined);
  });
});

describe('the shipped mails', () => {
  it.each(['rule-general', 'rule-sender', 'rule-recipients', 'rule-additional'])('%s reads well', async (name) => {
    const owed = owedNotification({ template: name });
    const { mail } = await compose(owed);
    expect(mail.html).toContain('invoice.zip/setup.exe');
    expect(mail.text).toContain('- invoice.zip/setup.exe (68 B): infected, Eicar-Test');
    expect(mail.text).toContain('Subject: Your invoice');
    expect(mail.text).toMatch(/rejected/);
    expect(mail.text).toContain('What you can do');
    expect(mail.text).not.toMatch(/[<>{}]|\n\n\n|undefined|\[object/);
    expect(mail.subject).toMatch(/rejected/);
    await expect(
      `Subject: ${mail.subject ?? ''}\n\n${mail.text ?? ''}`.replace(owed.traceId, '<trace ID>'),
    ).toMatchFileSnapshot(path.join(PROGRAM_FOLDER, 'test', 'notifications', 'golden', `${name}.txt`));
  });

  it('recipients do not learn who else was written to', async () => {
    const { bytes } = await compose(owedNotification({ template: 'rule-recipients' }));
    expect(bytes.toString()).not.toContain('carol@example.org');
  });
});

describe('attachments', () => {
  const raw = 'From: a@b.example\r\nSubject: x\r\n\r\nbody\r\n.\r\n--x--\r\n';

  it('none', async () => {
    expect((await compose(owedNotification())).mail.attachments).toEqual([]);
  });

  it('header fields', async () => {
    const owed = owedNotification({ attach: 'headers', originalHeader: 'From: a@b.example\r\nSubject: Grüße\r\n' });
    const { mail } = await compose(owed);
    expect(mail.attachments).toHaveLength(1);
    expect(mail.attachments[0]?.contentType).toBe('text/rfc822-headers');
    expect(mail.attachments[0]?.content.toString()).toBe('From: a@b.example\r\nSubject: Grüße\r\n');
  });

  it.each([
    ['7bit', Buffer.from(raw)],
    ['8bit', Buffer.concat([Buffer.from(raw), Buffer.from([0xff, 0xe4, 13, 10])])],
  ])('the original as it came, %s', async (encoding, original) => {
    const owed = owedNotification({ attach: 'original' });
    const { bytes } = await compose(owed, {}, undefined, contentOf(original));
    const at = bytes.indexOf(original);
    expect(at).toBeGreaterThan(0);
    const partHeader = bytes.subarray(bytes.lastIndexOf('\r\n--', at), at).toString();
    expect(partHeader).toContain('Content-Type: message/rfc822');
    expect(partHeader).toContain(`Content-Transfer-Encoding: ${encoding}`);
    expect(partHeader).toContain(`${owed.traceId}.eml`);
    expect(partHeader.endsWith('\r\n\r\n')).toBe(true);
    expect(bytes.subarray(at + original.length).toString()).toMatch(/^\r\n--[\w=-]+--\r\n$/);
  });

  it('its header fields where the original is not to be had', async () => {
    const owed = owedNotification({ attach: 'original', originalHeader: 'Subject: x\r\n' });
    expect((await compose(owed)).mail.attachments[0]?.contentType).toBe('text/rfc822-headers');
  });

  it('bytes of the header that are no UTF-8 are shown, control characters are not', async () => {
    const bytes = Buffer.from('Subject: Gr\xfc\xdfe \x93x\x94 \0\x1b\r\n\r\n', 'latin1');
    expect(await headerOf(contentOf(bytes))).toBe('Subject: Grüße “x” ??\r\n');
    expect(await headerOf(contentOf('Subject: Łódź\r\n\r\n'))).toBe('Subject: Łódź\r\n');
  });

  it('the header ends at the empty line, or at a bound', async () => {
    expect(await headerOf(contentOf(raw))).toBe('From: a@b.example\r\nSubject: x\r\n');
    const long = `X: ${'y'.repeat(70)}\r\n`.repeat(2000);
    const header = await headerOf(contentOf(long));
    expect(header.length).toBeLessThanOrEqual(64 * 1024);
    expect(header.endsWith('y\r\n')).toBe(true);
  });
});

describe('hostile values', () => {
  const EVIL = [
    'x\r\nBcc: victim@example.net\r\n\r\n<b>injected</b>',
    '<img src=x onerror="alert(1)">\'`=&',
    '{{constructor.constructor "return process"}} {{> x}} {{{sender}}} %SENDER% %DATA_BEGIN%',
    'invoice\u202efdp.exe \u2066 \u200f',
    'שלום עולם',
    'ü'.repeat(10_000),
    'a'.repeat(10_000),
    'broken \ufffd\ud800 end',
    '=?utf-8?q?=0D=0ABcc:_x?=',
    '" ; filename=evil.exe; x="',
    '\0\x07\x1b[31m',
    'https://evil.example/login?x=1 www.evil.example',
  ];

  it.each(EVIL.map((text) => [JSON.stringify(text).slice(0, 60), text]))('%s', async (_, evil) => {
    const base = owedNotification();
    const context: RuleNotificationContext = {
      ...base.context,
      subject: evil,
      sender: `${evil}@partner.example`,
      smtpMessageId: evil,
      allRecipients: [evil],
      affectedRecipients: [evil],
      rules: [{ id: 'inbound', name: evil }],
      objects: [{ name: evil, size: 1, status: 'infected', module: 'signatures', threat: evil }],
    };
    for (const name of templates.names.filter((each) => each.startsWith('rule-'))) {
      const owed: OwedRuleNotification = { ...base, template: name, context, originalHeader: evil, attach: 'headers' };
      const { header, mail } = await compose(owed);
      expect(header).not.toMatch(/^bcc:/im);
      expect(header.match(/^[\w-]+:/gm)).toEqual(
        expect.arrayContaining(['From:', 'To:', 'Subject:', 'Message-ID:', 'Auto-Submitted:', 'MIME-Version:']),
      );
      expect(header.match(/^[\w-]+:/gm)).toHaveLength(10);
      for (const line of header.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThan(998);
      expect(mail.subject).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/u);
      expect(Array.from(mail.subject ?? '').length).toBeLessThanOrEqual(251);
      const html = mail.html || '';
      expect(html).not.toMatch(/<(img|b|script)\b/i);
      expect(mail.text).not.toMatch(/[\0\x07\x1b]/);
      expect(mail.text).not.toMatch(/^Bcc:/m);
      expect(mail.text ?? '').not.toMatch(/https:\/\/evil|www\.evil/);
      expect((mail.subject ?? '') + html).not.toMatch(/https:\/\/evil|www\.evil/);
      expect(mail.attachments.map((each) => each.filename)).toEqual([`${owed.traceId}.txt`]);
      // What turns the direction ends where its value ends.
      let open = 0;
      for (const character of mail.text ?? '') {
        if (character === '\u2068') open++;
        if (character === '\u2069') open--;
        if (/[\u202a-\u202e]/.test(character)) expect(open).toBe(1);
      }
      expect(open).toBe(0);
    }
  });

  it('Handlebars in a value is text', async () => {
    const base = owedNotification();
    const owed = { ...base, context: { ...base.context, subject: '{{sender}} %SENDER%' } };
    expect((await compose(owed)).mail.text).toContain('{{sender}} %SENDER%');
  });

  it('in a text template values are not escaped and stay on their line', async () => {
    const { template: plain } = parseTemplate('x', 'x', 'en', '---\nsubject: s\n---\nSubject: {{subject}}\nEnd\n');
    if (plain === undefined) throw new Error('no template');
    const base = owedNotification();
    const owed = { ...base, context: { ...base.context, subject: 'a & <b>\nEnd: forged' } };
    const { mail } = await compose(owed, { messageId: 'off' }, plain);
    expect(mail.text).toBe('Subject: a & <b> End: forged\nEnd\n');
    expect(mail.html).toBe(false);
  });
});

describe('an original that is not to be had', () => {
  it('is told of: its header fields come along', async () => {
    const owed = owedNotification({ attach: 'original', originalHeader: 'Subject: Your invoice\r\n' });
    const { mail } = await compose(owed);
    for (const body of [mail.text ?? '', mail.html === false ? '' : mail.html])
      expect(body).toContain('not kept any more: its header fields are attached');
    expect(mail.attachments.map(({ contentType }) => contentType)).toEqual(['text/rfc822-headers']);
    const whole = await compose(owed, {}, template(owed.template), contentOf('Subject: Your invoice\r\n\r\nhello\r\n'));
    expect(whole.mail.text).not.toContain('not kept');
    expect(whole.mail.attachments.map(({ contentType }) => contentType)).toEqual(['message/rfc822']);
  });
});

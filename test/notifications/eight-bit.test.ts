import { afterEach, expect, test } from 'vitest';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { simpleParser } from 'mailparser';
import { composeDsn } from '../../src/delivery/dsn/compose.js';
import { sevenBitContent } from '../../src/delivery/dsn/downgrade.js';
import { returnedPart } from '../../src/delivery/dsn/original.js';
import { openHop } from '../../src/delivery/hop.js';
import type { OutgoingMail } from '../../src/delivery/types.js';
import type { Content } from '../../src/message/source.js';
import { composeNotification } from '../../src/notifications/compose.js';
import { startFakeSmtp, USUAL_EXTENSIONS, type FakeSmtp } from '../support/fake-smtp.js';
import { owedNotification } from './support.js';

const NOW = Date.UTC(2026, 10, 21, 16, 5, 10);
const ONLY_7BIT = USUAL_EXTENSIONS.filter((name) => name !== '8BITMIME' && name !== 'SMTPUTF8');
const SETTINGS = { from: 'Gatepost <gatepost@example.org>', charset: 'iso-8859-1', messageId: 'off' as const };
const EIGHT_BIT = Buffer.concat([Buffer.from('From: a@b.example\r\nSubject: x\r\n\r\n'), Buffer.alloc(5000, 'é\r\n')]);
const RENDERED = { subject: 'Grüße', text: 'Grüße\n', html: '<p>Grüße</p>\n' };
const open: FakeSmtp[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

function contentOf(bytes: Buffer): Content {
  return { size: bytes.length, read: () => [bytes.subarray(0, 100), bytes.subarray(100)] };
}

/** The mail as it came to a server, and its MAIL command. */
async function sent(mail: OutgoingMail, extensions: readonly string[]) {
  const server = await startFakeSmtp({ extensions });
  open.push(server);
  const hop = openHop(server.url, { hostname: 'gw.test', folder: '/nowhere' });
  const { recipients } = await hop.send(mail);
  await hop.close();
  expect(recipients.map(({ state }) => state)).toEqual(['delivered']);
  const bytes = server.mails[0]?.bytes ?? Buffer.alloc(0);
  return { bytes, raw: bytes.toString('latin1'), command: server.dialogue.find((line) => line.includes('MAIL FROM')) };
}

async function notification(quotedPrintable: boolean, original?: Buffer) {
  const owed = owedNotification({ attach: original === undefined ? 'none' : 'original' });
  const attached = original === undefined ? undefined : contentOf(original);
  return await composeNotification(owed, RENDERED, { ...SETTINGS, quotedPrintable }, NOW, attached);
}

test('texts go in 8bit where the server takes it, else in base64', async () => {
  const eight = await sent(await notification(false), USUAL_EXTENSIONS);
  expect(eight.command).toContain('BODY=8BITMIME');
  expect(eight.raw).toContain('Content-Transfer-Encoding: 8bit\r\n\r\nGr\xfc\xdfe\r\n');
  const seven = await sent(await notification(false), ONLY_7BIT);
  expect(seven.command).not.toContain('BODY');
  expect(seven.raw).not.toMatch(/[\x80-\xff]/);
  expect(seven.raw).toContain('Content-Transfer-Encoding: base64\r\n\r\nR3L832UNCg==\r\n');
  expect((await simpleParser(seven.bytes)).text).toBe('Grüße\n');
});

test('an 8-bit original is enclosed where the server takes it, else it is a file', async () => {
  const mail = await notification(true, EIGHT_BIT);
  const eight = await sent(mail, USUAL_EXTENSIONS);
  expect(eight.command).toContain('BODY=8BITMIME');
  expect(eight.raw).toContain('Content-Type: message/rfc822\r\n');
  expect(eight.bytes.includes(EIGHT_BIT)).toBe(true);
  const seven = await sent(mail, ONLY_7BIT);
  expect(seven.command).toContain(`SIZE=${seven.bytes.length.toString()}`);
  expect(seven.raw).not.toMatch(/[\x80-\xff]/);
  const [attachment] = (await simpleParser(seven.bytes)).attachments;
  expect(seven.raw).toContain('\r\nContent-Type: application/octet-stream\r\n');
  expect(attachment?.filename).toMatch(/^[0-9A-Z]{26}\.eml$/);
  expect(attachment?.content.equals(EIGHT_BIT)).toBe(true);
});

test('a 7-bit original is enclosed everywhere', async () => {
  const { raw } = await sent(await notification(true, Buffer.from('From: a@b.example\r\n\r\nx\r\n')), ONLY_7BIT);
  expect(raw).toContain('Content-Type: message/rfc822\r\n');
  expect(raw).toContain('Content-Transfer-Encoding: 7bit\r\n\r\nFrom: a@b.example\r\n\r\nx\r\n\r\n--');
});

test('an original with UTF-8 in its header is a message/global', async () => {
  const original = Buffer.from('From: jörg@b.example\r\n\r\nx\r\n');
  expect((await sent(await notification(true, original), USUAL_EXTENSIONS)).raw).toContain(
    'Content-Type: message/global\r\n',
  );
  expect((await sent(await notification(true, original), ONLY_7BIT)).raw).toContain('application/octet-stream');
});

test.each([
  ['lines that are too long', Buffer.from(`From: a@b.example\r\n\r\n${'x'.repeat(999)}\r\n`)],
  ['a bare LF', Buffer.from('From: a@b.example\r\n\r\na\nb\r\n')],
  ['a NUL', Buffer.from('From: a@b.example\r\n\r\na\0b\r\n')],
])('an original with %s is a file: it would be damaged on the way', async (_, original) => {
  const { raw, bytes } = await sent(await notification(true, original), USUAL_EXTENSIONS);
  expect(raw).toContain('\r\nContent-Type: application/octet-stream\r\n');
  expect((await simpleParser(bytes)).attachments[0]?.content.equals(original)).toBe(true);
});

test.each([true, false])('a DSN about an 8-bit message, quotedPrintable: %s', async (quotedPrintable) => {
  const { traceId } = owedNotification();
  const reply = { code: 550, enhanced: '5.1.1', text: 'no such user' };
  const envelope = {
    sender: 'jo@example.org',
    client: '',
    helo: '',
    tls: false,
    trusted: true,
    smtpUtf8: false,
    eightBit: true,
  };
  const time = new Date(NOW);
  const about = { id: 'key.0', traceId, envelope, receivedAt: time, now: time, hostname: 'gw.test' };
  const recipients = [{ recipient: { address: 'b@x.test' }, action: 'failed' as const, reply }];
  const returned = await returnedPart(contentOf(EIGHT_BIT), true, false);
  const writing = { ...SETTINGS, quotedPrintable };
  const dsn = composeDsn({ ...about, recipients, writing }, RENDERED, returned);
  const bytes = await buffer(Readable.from(dsn.content.read()));
  const mail = { id: 'key', sender: '', recipients: [{ address: 'jo@example.org' }], ...dsn };
  const eight = await sent({ ...mail, sevenBit: () => sevenBitContent(bytes) }, USUAL_EXTENSIONS);
  expect(eight.bytes.equals(bytes)).toBe(true);
  expect(eight.bytes.includes(EIGHT_BIT)).toBe(true);
  expect(eight.raw.includes('Gr\xfc\xdfe')).toBe(!quotedPrintable);
  const seven = await sent({ ...mail, sevenBit: () => sevenBitContent(bytes) }, ONLY_7BIT);
  expect(seven.raw).not.toMatch(/[\x80-\xff]/);
  expect(seven.raw).not.toMatch(/Content-Transfer-Encoding: 8bit/);
  const types = [...seven.raw.matchAll(/^Content-Type: ([\w/-]+)/gm)].map(([, type]) => type);
  expect(types).toEqual([
    'multipart/report',
    'multipart/alternative',
    'text/plain',
    'text/html',
    'message/delivery-status',
    'text/rfc822-headers',
  ]);
  expect(seven.raw).toContain(
    'Content-Transfer-Encoding: quoted-printable\r\n\r\nFrom: a@b.example\r\nSubject: x\r\n\r\n--',
  );
  expect((await simpleParser(seven.bytes)).text).toContain('Grüße');
});

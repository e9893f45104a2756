import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { loadConfig, PROGRAM_FOLDER } from '../../src/config/load.js';
import { asciiOrcpt, originalRecipient, typedAddress } from '../../src/delivery/dsn/address.js';
import { MAX_RETURNED } from '../../src/delivery/dsn/original.js';
import type { DsnRecipient } from '../../src/delivery/dsn/types.js';
import { Reports, type ReportedMessage } from '../../src/delivery/reports.js';
import type { DsnTemplate, SpoolItem } from '../../src/delivery/spool-item.js';
import { parseTraceId } from '../../src/message/trace-id.js';
import { quotedPrintable } from '../../src/notifications/mail/quoted-printable.js';
import { loadTemplates, type Templates } from '../../src/notifications/templates/load.js';
import type { Content } from '../../src/message/source.js';
import type { LedgerEntry } from '../../src/store/types.js';
import { silentLog } from '../../src/telemetry/log.js';
import { content } from './set-up.js';
import { readDsn, type ReadDsn } from './dsn-parser.js';

const GOLDEN = path.join(import.meta.dirname, 'golden');
const NOW = Date.UTC(2026, 10, 21, 16, 5, 10);
const traceId =
  parseTraceId('01KABCDEFGHJKMNPQRSTVWXYZ0') ??
  (() => {
    throw new Error('trace ID');
  })();
const { config } = await loadConfig(undefined, '/nowhere');
const { templates } = await loadTemplates([path.join(PROGRAM_FOLDER, 'templates')], 'en');
const SETTINGS = { ...config, node: { ...config.node, name: 'gw1', timezone: 'Europe/Berlin' } };
const ORIGINAL =
  'Received: from client.test\r\nFrom: Jo <jo@example.org>\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= from http://evil.example/\r\nMessage-ID: <1@example.org>\r\n\r\nHello\r\n.dot\r\n';

interface Made {
  readonly item: SpoolItem;
  readonly bytes: Buffer;
}

interface Asked {
  readonly template?: DsnTemplate;
  readonly message?: Partial<Omit<ReportedMessage, 'envelope'>>;
  readonly envelope?: Partial<ReportedMessage['envelope']>;
  readonly original?: Content;
  readonly templates?: Templates;
}

const ENVELOPE = {
  sender: 'jo@example.org',
  client: '192.0.2.1',
  helo: 'client.test',
  tls: false,
  trusted: true,
  smtpUtf8: false,
  eightBit: false,
};

async function make(recipients: readonly DsnRecipient[], asked: Asked = {}) {
  const made: Made[] = [];
  const rows: LedgerEntry[] = [];
  const reports = new Reports({
    config: SETTINGS,
    templates: asked.templates ?? templates,
    log: silentLog(),
    now: () => NOW,
    has: () => false,
    record: (entries) => void rows.push(...entries),
    add: async (item, dsn) => {
      const chunks: Buffer[] = [];
      for await (const chunk of dsn.read()) chunks.push(chunk);
      made.push({ item, bytes: Buffer.concat(chunks) });
    },
  });
  const message: ReportedMessage = {
    traceId,
    bounce: 'allowed',
    envelope: { ...ENVELOPE, ...asked.envelope },
    receivedAt: new Date(NOW - 3_600_000),
    ...asked.message,
  };
  const reason = await reports.dsn(
    asked.template ?? 'dsn-failure',
    'KEY',
    message,
    asked.original ?? content(ORIGINAL),
    recipients,
  );
  return { reason, rows, made };
}

async function one(recipients: readonly DsnRecipient[], asked: Asked = {}): Promise<Made & { readonly read: ReadDsn }> {
  const {
    made: [first],
  } = await make(recipients, asked);
  if (first === undefined) throw new Error('no DSN was made');
  expect(first.item.size).toBe(first.bytes.length);
  return { ...first, read: readDsn(first.bytes) };
}

/** What differs from run to run is replaced. */
function stable(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/KEY[._][0-9a-f_-]{36}/g, 'KEY.0');
}

const REFUSED: DsnRecipient = {
  recipient: { address: 'b@x.test', orcpt: 'rfc822;old+2Bb@x.test' },
  action: 'failed',
  reply: { code: 550, enhanced: '5.1.1', text: 'no such user' },
  hop: 'smtp://mx.x.test:25',
};
const EXPIRED: DsnRecipient = {
  recipient: { address: 'c@y.test' },
  action: 'failed',
  reply: { code: 451, enhanced: '4.4.1', text: 'the server refuses connections', own: true },
  hop: 'smtp://mx.y.test:25',
  expired: true,
};
const UTF8: DsnRecipient = {
  recipient: { address: 'jürgen@münchen.test', orcpt: 'utf-8;j\\x{FC}rgen@m\\x{FC}nchen.test' },
  action: 'failed',
  reply: { code: 550, enhanced: '5.1.1', text: 'unbekannter Empfänger' },
  hop: 'smtp://mx.y.test:25',
};
const DELAYED: DsnRecipient = { ...EXPIRED, action: 'delayed', expired: false };
const DELIVERED: DsnRecipient = {
  recipient: { address: 'd@example.org' },
  action: 'delivered',
  reply: { code: 250, enhanced: '2.0.0', text: 'delivered to the Maildir', own: true },
  hop: 'maildir:./inbox',
};
const RELAYED: DsnRecipient = {
  recipient: { address: 'e@x.test' },
  action: 'relayed',
  reply: { code: 250, text: 'Ok: queued as 12345' },
  hop: 'smtp://mx.x.test:25',
};

const CASES: Readonly<Record<string, [readonly DsnRecipient[], Asked]>> = {
  failure: [[REFUSED, EXPIRED], { envelope: { envid: 'QQ+2B1' } }],
  'failure-full': [[REFUSED], { envelope: { ret: 'full' } }],
  'failure-utf8': [[UTF8, REFUSED], { envelope: { smtpUtf8: true, sender: 'jörg@example.org' } }],
  delay: [[DELAYED], { template: 'dsn-delay', message: { retryUntil: new Date(NOW + 86_400_000) } }],
  success: [
    [DELIVERED, RELAYED].map((each) => ({ ...each, recipient: { ...each.recipient, notify: ['success'] } })),
    { template: 'dsn-success' },
  ],
};

describe.each(Object.entries(CASES))('%s', (name, [recipients, asked]) => {
  test('is as the golden file', async () => {
    const { bytes } = await one(recipients, asked);
    const file = path.join(GOLDEN, `${name}.eml`);
    if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(file, stable(bytes), 'latin1');
    expect(stable(bytes)).toBe(await readFile(file, 'latin1'));
  });

  test('is read by mailparser and by the book', async () => {
    const { bytes, read } = await one(recipients, asked);
    const mail = await simpleParser(bytes, { keepDeliveryStatus: true });
    expect(mail.headers.get('content-type')).toMatchObject({ value: 'multipart/report' });
    expect(mail.from?.value).toMatchObject([{ address: 'gatepost@example.org' }]);
    expect(mail.headers.get('auto-submitted')).toBe('auto-replied');
    expect(mail.headers.get('x-gatepost-notification')).toBe(traceId);
    expect(mail.text).toContain(traceId);
    expect(mail.text).not.toMatch(/\{\{|undefined/);
    for (const { recipient } of recipients) expect(mail.text).toContain(recipient.address);
    expect(mail.subject).toContain('Grüße from hxxp://evil[.]example/');
    expect(read.groups.length).toBe(recipients.length + 1);
    expect(read.groups.slice(1).map((group) => group.get('action'))).toEqual(recipients.map(({ action }) => action));
  });
});

test('the fields of a failure', async () => {
  const { read } = await one([REFUSED, EXPIRED], { envelope: { envid: 'QQ+2B1' } });
  const [message, refused, expired] = read.groups.map((group) => Object.fromEntries(group));
  expect(message).toEqual({
    'reporting-mta': 'dns; mx.example.org',
    'original-envelope-id': 'QQ+1',
    'arrival-date': 'Sat, 21 Nov 2026 15:05:10 +0000',
    'x-gatepost-id': traceId,
  });
  expect(refused).toEqual({
    'original-recipient': 'rfc822;old+b@x.test',
    'final-recipient': 'rfc822; b@x.test',
    action: 'failed',
    status: '5.1.1',
    'remote-mta': 'dns; mx.x.test',
    'diagnostic-code': 'smtp; 550 5.1.1 no such user',
    'last-attempt-date': 'Sat, 21 Nov 2026 16:05:10 +0000',
  });
  expect(expired).toMatchObject({
    status: '4.4.7',
    'diagnostic-code': 'X-Gatepost; 451 4.4.1 the server refuses connections',
  });
});

test.each([
  ['smtp://192.0.2.5:25', '[192.0.2.5]'],
  ['smtps://[2001:db8::1]:465', '[IPv6:2001:db8::1]'],
])('the hop %s is named by its address literal (RFC 3464 2.2.2)', async (hop, name) => {
  const { read } = await one([{ ...REFUSED, hop }]);
  expect(read.groups[1]?.get('remote-mta')).toBe(`dns; ${name}`);
});

test('a delay says until when it is tried; a success names no server that only we know', async () => {
  const delayed = await one([DELAYED], CASES['delay']?.[1]);
  expect(delayed.read.groups[1]?.get('will-retry-until')).toBe('Sun, 22 Nov 2026 16:05:10 +0000');
  const [recipients = [], asked] = CASES['success'] ?? [];
  const { read } = await one(recipients, asked);
  expect(read.groups[1]?.has('remote-mta')).toBe(false);
  expect(read.groups[1]?.has('diagnostic-code')).toBe(false);
  expect(read.groups[2]?.get('remote-mta')).toBe('dns; mx.x.test');
});

describe('internationalized mail', () => {
  test('is reported in UTF-8, in a form that 7-bit servers take', async () => {
    const { read, item, bytes } = await one([UTF8], { envelope: { smtpUtf8: true } });
    expect(read.parts.map(({ type }) => type)).toEqual([
      'text/plain',
      'message/global-delivery-status',
      'message/global-headers',
    ]);
    expect(read.groups[1]?.get('final-recipient')).toBe('utf-8; jürgen@münchen.test');
    expect(read.groups[1]?.get('original-recipient')).toBe('utf-8;jürgen@münchen.test');
    expect(item.envelope).toMatchObject({ smtpUtf8: false, eightBit: false });
    expect(bytes.toString('latin1')).not.toMatch(/[^\0-\x7f]/);
  });

  test('to a sender beyond ASCII goes out with SMTPUTF8', async () => {
    const { item } = await one([UTF8], { envelope: { smtpUtf8: true, sender: 'jörg@example.org' } });
    expect(item.envelope).toMatchObject({ smtpUtf8: true, eightBit: true, sender: '' });
    expect(item.recipients).toMatchObject([{ address: 'jörg@example.org', notify: ['never'] }]);
  });

  test('to a sender with a domain beyond ASCII goes to any server', async () => {
    const { item, bytes } = await one([UTF8], { envelope: { smtpUtf8: true, sender: 'joe@bücher.test' } });
    expect(item.envelope).toMatchObject({ smtpUtf8: false, eightBit: false, sender: '' });
    expect(bytes.toString()).toContain('\r\nTo: <joe@xn--bcher-kva.test>\r\n');
  });

  test('an address beyond ASCII in mail without SMTPUTF8 is written as RFC 6533 has it', async () => {
    const { read } = await one([UTF8]);
    expect(read.groups[1]?.get('final-recipient')).toBe('utf-8; j\\x{FC}rgen@m\\x{FC}nchen.test');
    expect(read.groups[1]?.get('diagnostic-code')).toBe('smtp; 550 5.1.1 unbekannter Empf?nger');
  });

  test.each([
    ['utf-8;j\\x{FC}rgen@x.test', 'utf-8;jürgen@x.test'],
    ['utf-8;j\u00fcrgen@x.test', 'utf-8;jürgen@x.test'],
    ['UTF-8;a\\x{2B}b@x.test', 'utf-8;a+b@x.test'],
    ['utf-8;\\x{1F600}@x.test', 'utf-8;😀@x.test'],
    ['utf-8;\\x{D}\\x{A}X@x.test', undefined],
    ['utf-8;\\x{D800}@x.test', undefined],
    ['utf-8;\\x{FFFFFF}@x.test', undefined],
    ['rfc822;a+0D+0Ab@x.test', undefined],
    ['rfc822;a+zb@x.test', undefined],
    ['nothing', undefined],
  ])('ORCPT=%s', (orcpt, expected) => {
    expect(originalRecipient(orcpt, true)).toBe(expected);
  });

  test('an ORCPT beyond ASCII becomes ASCII for a session without SMTPUTF8', () => {
    expect(asciiOrcpt('utf-8;jürgen@x.test')).toBe('utf-8;j\\x{FC}rgen@x.test');
    expect(asciiOrcpt('rfc822;a@x.test')).toBe('rfc822;a@x.test');
  });

  test('both forms of any address can be read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), (text) => {
        const clean = text.replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, '');
        fc.pre(/[^\x20-\x7e]/.test(clean));
        const written = typedAddress(clean, false);
        expect(written).toMatch(/^utf-8; [!-~]+$/);
        expect(originalRecipient(`utf-8;${written.slice(7)}`, true)).toBe(`utf-8;${clean}`);
      }),
    );
  });
});

describe('what comes back of the message', () => {
  test('the header alone, unless RET=FULL asks for more', async () => {
    const { read } = await one([REFUSED], { envelope: { ret: 'headers' } });
    expect(read.parts[2]?.type).toBe('text/rfc822-headers');
    expect(read.parts[2]?.body.toString()).toBe(ORIGINAL.slice(0, ORIGINAL.indexOf('\r\n\r\n') + 2));
  });

  test('the message, byte for byte, with 8-bit content marked as such', async () => {
    const original = Buffer.concat([Buffer.from(ORIGINAL), Buffer.from([0xe4, 0xff, 13, 10])]);
    const { read, item } = await one([REFUSED], { envelope: { ret: 'full' }, original: content(original) });
    expect(read.parts[2]?.body).toEqual(original);
    expect(read.parts[2]?.fields.get('content-transfer-encoding')).toBe('8bit');
    expect(item.eightBit).toBe(true);
  });

  test.each([
    ['too large', `${ORIGINAL}${'x'.repeat(70)}\r\n`.padEnd(MAX_RETURNED + 1, 'x'.repeat(70) + '\r\n')],
    ['with a line that cannot be sent', `${ORIGINAL}${'x'.repeat(1200)}\r\n`],
  ])('the header, when the message is %s', async (_, original) => {
    const { read } = await one([REFUSED], { envelope: { ret: 'full' }, original: content(original) });
    expect(read.parts[2]?.type).toBe('text/rfc822-headers');
  });

  test('8-bit header fields and long ones', async () => {
    const header = `Subject: caf\u00e9 ${'y'.repeat(2000)}\r\n`;
    const original = content(Buffer.from(`${header}\r\nbody\r\n`, 'latin1'));
    const { read, bytes } = await one([REFUSED], { original });
    expect(read.parts[2]?.body.toString('latin1')).toBe(header);
    expect(bytes.toString('latin1')).not.toMatch(/[^\0-\x7f]/);
  });

  test('a delay brings no message along, whatever RET says', async () => {
    const { read } = await one([DELAYED], { template: 'dsn-delay', envelope: { ret: 'full' } });
    expect(read.parts[2]?.type).toBe('text/rfc822-headers');
  });

  test('quoted-printable of anything is read back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (data) => {
        const text = Buffer.from(data)
          .toString('latin1')
          .replace(/[\r\n]/g, 'x');
        const dsn = `Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`;
        const quoted = quotedPrintable(Buffer.from(text, 'latin1'));
        expect(quoted.split('\r\n').every((line) => line.length <= 76)).toBe(true);
        expect(dsn.length).toBeGreaterThan(0);
        const back = quoted
          .replace(/=\r\n/g, '')
          .replace(/=([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
        expect(back).toBe(text);
      }),
    );
  });
});

describe('hostile', () => {
  test('a reply, a subject and a sender cannot add fields or parts', async () => {
    const evil = 'x\r\n\r\n--=_gatepost_KEY\r\nBcc: victim@example.org';
    const { read } = await one([{ ...REFUSED, reply: { code: 550, enhanced: '5.1.1', text: 'y'.repeat(390) } }], {
      original: content(`Subject: =?utf-8?Q?a=0D=0ABcc:_v@x.test?=\r\n\r\n${evil}\r\n`),
      envelope: { ret: 'full' },
    });
    expect(read.fields.has('bcc')).toBe(false);
    expect(read.parts.length).toBe(3);
  });

  test('a message without a header', async () => {
    const { read } = await one([REFUSED], { original: content('\r\nbody\r\n') });
    expect(read.parts[2]?.body.length).toBe(0);
  });

  test('a template that fails does not keep the sender from being told', async () => {
    const { read } = await one([REFUSED], { templates: { get: () => undefined, names: [] } });
    expect(read.parts[0]?.body.toString()).toContain('b@x.test: There is no mailbox of that name.');
  });
});

describe('who is not told', () => {
  test.each<[string, Asked, readonly DsnRecipient[]]>([
    ['null sender', { envelope: { sender: '' } }, [REFUSED]],
    [
      'no bounce to this sender: forged, not authenticated, or `delivery.bounce` is never',
      { message: { bounce: 'never' } },
      [REFUSED],
    ],
    ['the sender is not internal', { message: { bounce: 'internal-only' }, envelope: { trusted: false } }, [REFUSED]],
    ['NOTIFY asks for none', {}, [{ ...REFUSED, recipient: { address: 'b@x.test', notify: ['never'] } }]],
    [
      'NOTIFY asks for none',
      { template: 'dsn-delay' },
      [{ ...DELAYED, recipient: { address: 'b@x.test', notify: ['failure'] } }],
    ],
    ['it is our own sender address', { envelope: { sender: 'Gatepost@example.org' } }, [REFUSED]],
  ])('%s: recorded as suppressed', async (expected, asked, recipients) => {
    const { reason, rows, made } = await make(recipients, asked);
    expect(reason).toBe(expected);
    expect(made).toEqual([]);
    expect(rows).toMatchObject([{ kind: 'dsn', state: 'suppressed', reason: expected, traceId }]);
  });

  test('nobody hears of a success that he did not ask for, and that is not worth a record', async () => {
    const { made, rows } = await make([DELIVERED], { template: 'dsn-success' });
    expect([made, rows]).toEqual([[], []]);
  });
});

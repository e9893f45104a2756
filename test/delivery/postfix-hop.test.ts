import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { replyLine } from '../../src/delivery/reply.js';
import type { DeliveryRequest } from '../../src/delivery/types.js';
import type { EnvelopeRecipient } from '../../src/message/envelope.js';
import { startFakeSmtp, type FakeMail, type FakeSmtp } from '../support/fake-smtp.js';
import { CAN_POSTFIX, startPostfix, type Postfix } from '../support/postfix.js';
import { content, request, setting, TEXT, type Setting, type SettingOptions } from './set-up.js';

const TLS_FOLDER = path.resolve(import.meta.dirname, '../fixtures/tls');
const CA = path.join(TLS_FOLDER, 'cert.pem');

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function open(url: string, given: SettingOptions = {}): Promise<Setting> {
  const made = await setting([url], given);
  closing.push(() => made.close());
  return made;
}

/** A request to these recipients whose message is of this text. */
function mail(recipients: readonly EnvelopeRecipient[], text: string | Buffer = TEXT): DeliveryRequest {
  const made = request();
  const eightBit = /[^\0-\x7f]/.test(text.toString());
  return { ...made, content: content(text), eightBit, envelope: { ...made.envelope, recipients, eightBit } };
}

describe.skipIf(!CAN_POSTFIX)('Postfix as next hop', () => {
  let sink: FakeSmtp;
  let postfix: Postfix;
  let plain = '';
  let narrow = '';
  beforeAll(async () => {
    sink = await startFakeSmtp();
    postfix = await startPostfix({
      relayTo: sink.port,
      files: { access: 'no@x.test 550 5.1.1 nobody of that name\nlater@x.test 450 4.2.1 come again\n' },
      settings: [
        `smtpd_tls_cert_file = ${CA}`,
        `smtpd_tls_key_file = ${path.join(TLS_FOLDER, 'key.pem')}`,
        'smtpd_tls_security_level = may',
        'smtpd_recipient_restrictions = check_recipient_access texthash:$config_directory/access, permit',
        'message_size_limit = 200000',
      ],
      others: [
        ['smtpd_discard_ehlo_keywords=8bitmime,smtputf8,dsn,pipelining,starttls'],
        ['smtpd_client_connection_count_limit=1', 'smtpd_client_event_limit_exceptions='],
      ],
    });
    [plain = '', narrow = ''] = postfix.others;
  });
  afterAll(async () => {
    await postfix.stop();
    await sink.close();
  });

  let before = { mails: 0, lines: 0 };
  beforeEach(() => {
    before = { mails: sink.mails.length, lines: sink.dialogue.length };
  });

  /** What has come out behind Postfix in this test. */
  const arrived = (): readonly FakeMail[] => sink.mails.slice(before.mails);
  async function arrives(count: number): Promise<readonly FakeMail[]> {
    await expect.poll(() => arrived().length).toBe(count);
    return arrived();
  }
  const lines = (verb: string): string[] =>
    sink.dialogue.slice(before.lines).flatMap((line) => {
      const [, said = ''] = /^\d+ (.*)$/.exec(line) ?? [];
      return said.startsWith(verb) ? [said] : [];
    });

  test.each([
    ['opportunistic', '', true],
    ['required, with the certificate that vouches for it', `?tls=required&ca=${CA}`, true],
    ['off', '?tls=off', false],
  ])('TLS %s', async (_, query, encrypted) => {
    const { delivery } = await open(`${postfix.url}${query}`);
    expect(await delivery.deliver(request())).toMatchObject([{ state: 'delivered', reply: { code: 250 } }]);
    const [one] = await arrives(1);
    expect((one?.bytes.toString() ?? '').includes('(using TLSv1.3 with cipher')).toBe(encrypted);
  });

  test('TLS required with a certificate that nobody vouches for, or none: nothing is sent', async () => {
    for (const url of [`${postfix.url}?tls=required`, `${plain}?tls=required`]) {
      const { delivery } = await open(url);
      expect(await delivery.deliver(request())).toMatchObject([{ state: 'spooled' }]);
    }
    expect(arrived()).toEqual([]);
  });

  test('what the sender asked for about DSNs is passed on', async () => {
    const { delivery, list } = await open(postfix.url);
    const asked = mail([
      { address: 'b@x.test', notify: ['success', 'failure'], orcpt: 'rfc822;first+2B@x.test' },
      { address: 'c@x.test', notify: ['never'] },
    ]);
    const envelope = { ...asked.envelope, ret: 'headers' as const, envid: 'QQ314159' };
    await delivery.deliver({ ...asked, envelope });
    // To its end: what arrives in the next test is counted there.
    await arrives(1);
    expect(lines('MAIL')[0]).toMatch(/ RET=HDRS\b/);
    expect(lines('MAIL')[0]).toMatch(/ ENVID=QQ314159\b/);
    expect(lines('RCPT').sort()).toEqual([
      'RCPT TO:<b@x.test> ORCPT=rfc822;first+2B@x.test NOTIFY=SUCCESS,FAILURE',
      'RCPT TO:<c@x.test> ORCPT=rfc822;c@x.test NOTIFY=NEVER',
    ]);
    expect(await list()).toEqual([]);
  });

  test('where it offers no DSN, a sender who wants to hear never hears nothing, and one who asked hears of the relaying', async () => {
    const { delivery, list } = await open(plain);
    await delivery.deliver(mail([{ address: 'b@x.test', notify: ['never'] }]));
    await arrives(1);
    expect(lines('RCPT').join()).not.toContain('NEVER');
    await delivery.deliver(mail([{ address: 'c@x.test', notify: ['success'] }]));
    const mails = await arrives(3);
    await expect.poll(list).toEqual([]);
    const [dsn] = mails.filter(({ mailFrom }) => mailFrom.startsWith('FROM:<>'));
    expect(dsn?.bytes.toString()).toMatch(/^Action: relayed\r$/m);
    expect(dsn?.bytes.toString()).toMatch(/^Final-Recipient: rfc822; ?c@x\.test\r$/m);
    expect(mails.filter(({ mailFrom }) => mailFrom.startsWith('FROM:<>')).length).toBe(1);
  });

  test('8-bit text and internationalized addresses arrive as they are', async () => {
    const { delivery } = await open(postfix.url);
    const text =
      'From: a@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n';
    const body = '\r\nGrüße, 日本\r\n.\r\n..two\r\n';
    expect(await delivery.deliver(mail([{ address: 'b@x.test' }], `${text}${body}`))).toMatchObject([
      { state: 'delivered' },
    ]);
    const utf8 = mail([{ address: 'bücher@x.test' }], `${text}${body}`);
    await delivery.deliver({ ...utf8, envelope: { ...utf8.envelope, smtpUtf8: true } });
    for (const { bytes } of await arrives(2)) expect(bytes.toString().endsWith(body)).toBe(true);
    expect(lines('MAIL').every((line) => line.includes('BODY=8BITMIME'))).toBe(true);
    expect(lines('MAIL').filter((line) => line.includes('SMTPUTF8')).length).toBe(1);
    expect(lines('RCPT').some((line) => line.startsWith('RCPT TO:<bücher@x.test>'))).toBe(true);
  });

  test('what it does not offer is not tried: 8-bit 554 5.6.3, SMTPUTF8 550 5.6.7', async () => {
    const { delivery } = await open(plain);
    const said = async (asked: DeliveryRequest): Promise<string> => {
      const [one] = await delivery.deliver(asked);
      return `${one?.state} ${one === undefined ? '' : replyLine(one.reply)}`;
    };
    expect(await said(mail([{ address: 'b@x.test' }], 'Subject: x\r\n\r\nGrüße\r\n'))).toMatch(/^refused 554 5\.6\.3 /);
    expect(await said(mail([{ address: 'bücher@x.test' }]))).toMatch(/^refused 550 5\.6\.7 /);
    expect(arrived()).toEqual([]);
  });

  test('its limit of size is kept', async () => {
    const { delivery } = await open(postfix.url);
    const large = mail([{ address: 'b@x.test' }], `Subject: x\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(3000)}`);
    const [one] = await delivery.deliver(large);
    expect(one).toMatchObject({ state: 'refused', reply: { code: 552, enhanced: '5.3.4' } });
  });

  test.each([
    ['pipelined', () => postfix.url],
    ['step by step', () => plain],
  ])('of several recipients each has its own outcome, %s', async (_, url) => {
    const { delivery, list } = await open(url());
    const outcomes = await delivery.deliver(request({}, 'no@x.test', 'b@x.test', 'later@x.test', 'c@x.test'));
    expect(outcomes.map(({ address, state, reply }) => [address, state, reply.code])).toEqual([
      ['no@x.test', 'refused', 550],
      ['b@x.test', 'delivered', 250],
      ['later@x.test', 'spooled', 450],
      ['c@x.test', 'delivered', 250],
    ]);
    expect(outcomes[0]?.reply.text).toMatch(/nobody of that name/);
    await arrives(1);
    expect(lines('RCPT').map((line) => /<(.*?)>/.exec(line)?.[1])).toEqual(['b@x.test', 'c@x.test']);
    const [item] = await list();
    const waiting = item?.recipients.filter(({ state }) => state === 'waiting').map(({ address }) => address);
    expect(waiting).toEqual(['later@x.test']);
  });

  test('none of the recipients taken: the session is good for the next mail', async () => {
    const { delivery } = await open(postfix.url);
    expect(await delivery.deliver(request({}, 'no@x.test'))).toMatchObject([{ state: 'refused' }]);
    expect(await delivery.deliver(request({}, 'b@x.test'))).toMatchObject([{ state: 'delivered' }]);
    await arrives(1);
  });

  test('a hundred recipients, and fifty mails at a time: each arrives once, byte for byte', async () => {
    const { delivery } = await open(postfix.url, { delivery: { connections: 8 } });
    const many = Array.from({ length: 100 }, (_, index) => `r${index}@x.test`);
    const texts = Array.from(
      { length: 50 },
      (_, index) => `number ${index}\r\n.\r\n${`..${'y'.repeat(60)}\r\n`.repeat(index)}`,
    );
    const results = await Promise.all([
      delivery.deliver(request({}, ...many)),
      ...texts.map((text) => delivery.deliver(mail([{ address: 'b@x.test' }], `Subject: x\r\n\r\n${text}`))),
    ]);
    expect(results.flat().every(({ state }) => state === 'delivered')).toBe(true);
    await expect.poll(() => arrived().flatMap(({ rcptTo }) => rcptTo).length).toBe(150);
    const bodies = arrived().map(({ bytes }) => bytes.toString().slice(bytes.indexOf('\r\n\r\n') + 4));
    expect(bodies.filter((body) => body.startsWith('number')).sort()).toEqual([...texts].sort());
    expect(new Set(arrived().flatMap(({ rcptTo }) => rcptTo)).size).toBe(101);
  });

  test('one that says 421 to a second connection gets all mail in the end, each once', async () => {
    const { delivery, list } = await open(narrow, { delivery: { connections: 3 } });
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => await delivery.deliver(request({}, `n${index}@x.test`))),
    );
    expect(outcomes.flat().every(({ state }) => state !== 'refused')).toBe(true);
    await expect.poll(list).toEqual([]);
    const mails = await arrives(12);
    expect(new Set(mails.flatMap(({ rcptTo }) => rcptTo)).size).toBe(12);
  });
});

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { reportKey } from '../../src/delivery/item-reports.js';
import type { Notice } from '../../src/notifications/notices.js';
import type { LedgerEntry } from '../../src/store/types.js';
import { startFakeSmtp, type FakeOptions, type FakeSmtp } from '../support/fake-smtp.js';
import { readDsn } from './dsn-parser.js';
import { request, setting, type Setting, type SettingOptions } from './set-up.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function fake(options: FakeOptions = {}): Promise<FakeSmtp> {
  const server = await startFakeSmtp(options);
  closing.push(() => server.close());
  return server;
}

interface Told extends Setting {
  readonly notices: Notice[];
  readonly rows: LedgerEntry[];
}

async function open(nextHop: readonly string[], given: SettingOptions = {}): Promise<Told> {
  const notices: Notice[] = [];
  const rows: LedgerEntry[] = [];
  const made = await setting(nextHop, {
    ...given,
    options: {
      ...given.options,
      record: (entries) => void rows.push(...entries),
      notices: {
        wants: () => true,
        tell: (notice) => {
          notices.push(notice);
          return Promise.resolve();
        },
      },
    },
  });
  closing.push(() => made.close());
  return { ...made, notices, rows };
}

const toSender = (line: string): boolean => line.includes('a@example.org');
const laterForOthers = { rcpt: (line: string) => (toSender(line) ? undefined : '450 4.2.1 wait') };
const HOUR = 3_600_000;

describe('a delay', () => {
  test('is told once for each recipient, also over a restart', async () => {
    const server = await fake({ script: laterForOthers });
    let now = Date.now();
    const retry = { delays: [30], lifetime: 72 * HOUR, warnAfter: 4 * HOUR };
    const options = { clock: () => now };
    const first = await open([server.url], { delivery: { retry }, options });
    const mail = request({}, 'b@x.test', 'c@x.test');
    const silent = { address: 'c@x.test', notify: ['failure' as const] };
    await first.delivery.deliver({
      ...mail,
      envelope: { ...mail.envelope, recipients: [{ address: 'b@x.test' }, silent] },
    });
    const tried = async (): Promise<number> => (await first.list())[0]?.recipients[0]?.attempts ?? 0;
    await expect.poll(tried).toBeGreaterThan(2);
    expect(server.mails).toEqual([]);
    now += 4 * HOUR;
    await expect.poll(() => server.mails.length).toBe(1);
    const { groups } = readDsn(server.mails[0]?.bytes ?? Buffer.alloc(0));
    expect(groups.slice(1).map((group) => [group.get('final-recipient'), group.get('action')])).toEqual([
      ['rfc822; b@x.test', 'delayed'],
    ]);
    expect(groups[1]?.get('status')).toBe('4.2.1');
    await expect
      .poll(() => first.rows.map(({ template, state }) => `${template} ${state}`))
      .toEqual(['dsn-delay queued', 'dsn-delay sent']);
    expect(first.notices.map((notice) => notice.class)).toEqual(['delay']);
    await first.queue.close();
    await first.delivery.close(1000);
    const before = await tried();
    const second = await open([server.url], { delivery: { retry }, options, folder: first.folder });
    await expect.poll(async () => (await second.list())[0]?.recipients[0]?.attempts ?? 0).toBeGreaterThan(before);
    expect(server.mails.length).toBe(1);
    expect(second.rows).toEqual([]);
  });
});

describe('a success', () => {
  const asking = (...addresses: readonly string[]) => {
    const mail = request();
    const recipients = addresses.map((address) => ({
      address,
      notify: ['success' as const],
      orcpt: `rfc822;${address}`,
    }));
    return { ...mail, envelope: { ...mail.envelope, envid: 'E1', recipients } };
  };

  test('is told by us as relayed when the hop offers no DSN', async () => {
    const server = await fake({ extensions: ['PIPELINING', '8BITMIME'] });
    const { delivery, rows } = await open([server.url]);
    await delivery.deliver(asking('b@x.test'));
    await expect.poll(() => server.mails.length).toBe(2);
    const { groups } = readDsn(server.mails[1]?.bytes ?? Buffer.alloc(0));
    expect(groups[0]?.get('original-envelope-id')).toBe('E1');
    expect(groups[1]?.get('action')).toBe('relayed');
    expect(groups[1]?.get('original-recipient')).toBe('rfc822;b@x.test');
    await expect.poll(() => rows.at(-1)?.state).toBe('sent');
  });

  test('is left to a hop that offers DSN', async () => {
    const server = await fake();
    const { delivery, rows, list } = await open([server.url]);
    await delivery.deliver(asking('b@x.test'));
    expect(server.mails.map(({ rcptTo }) => rcptTo)).toEqual([['TO:<b@x.test> NOTIFY=SUCCESS ORCPT=rfc822;b@x.test']]);
    expect(await list()).toEqual([]);
    expect(rows).toEqual([]);
  });

  test('is told as delivered from a Maildir, and not to a sender from outside where only internal ones are told', async () => {
    const server = await fake();
    const made = await open(['maildir:./inbox'], { delivery: { routes: { 'example.org': server.url } } });
    await made.delivery.deliver(asking('b@x.test'));
    await expect.poll(() => server.mails.length).toBe(1);
    expect(readDsn(server.mails[0]?.bytes ?? Buffer.alloc(0)).groups[1]?.get('action')).toBe('delivered');
    const stranger = asking('b@x.test');
    await made.delivery.deliver({
      ...stranger,
      bounce: 'internal-only',
      envelope: { ...stranger.envelope, trusted: false },
    });
    expect(made.rows.at(-1)).toMatchObject({ state: 'suppressed', reason: 'the sender is not internal' });
  });

  test('of a spooled mail is told when it is delivered, for those that it was delivered to', async () => {
    const server = await fake({ script: { rcpt: '450 4.2.1 wait' }, extensions: ['8BITMIME'] });
    const { delivery } = await open([server.url]);
    await delivery.deliver(asking('b@x.test', 'c@x.test'));
    server.script = { rcpt: (line) => (line.includes('c@x') ? '450 4.2.1 wait' : undefined) };
    await expect.poll(() => server.mails.length).toBe(2);
    const { groups } = readDsn(server.mails[1]?.bytes ?? Buffer.alloc(0));
    expect(groups.slice(1).map((group) => group.get('final-recipient'))).toEqual(['rfc822; b@x.test']);
  });
});

describe('a failure', () => {
  test('of each recipient is told, also where an earlier DSN on the item waits and no attempt was made since', async () => {
    let rounds = 0;
    const server = await fake({
      script: {
        mail: () => {
          rounds += 1;
          return undefined;
        },
        rcpt: (line) => (line.includes('gone') && rounds > 1 ? '550 5.1.1 unknown' : '451 4.3.0 wait'),
      },
    });
    const start = Date.now();
    let now = start;
    const lifetime = HOUR;
    const made = await open([server.url], {
      delivery: { retry: { delays: [200, 2 * HOUR], lifetime, warnAfter: 'off' } },
      options: { clock: () => now, probeInterval: 60_000 },
    });
    const mail = request({}, 'gone@x.test', 'away@x.test');
    await made.delivery.deliver(mail);
    now = start + 1000;
    const told = async (): Promise<(string | undefined)[]> => {
      const folder = path.join(made.folder, 'data', 'spool');
      const names = (await readdir(folder)).filter((name) => name.startsWith(mail.item) && name.endsWith('.eml'));
      const mails = await Promise.all(names.map(async (name) => await readFile(path.join(folder, name))));
      return mails
        .filter((bytes) => bytes.includes('multipart/report'))
        .flatMap((bytes) => readDsn(bytes).groups.slice(1))
        .map((group) => group.get('final-recipient'));
    };
    await expect.poll(told).toEqual(['rfc822; gone@x.test']);
    await expect.poll(async () => (await made.list()).map(({ recipients }) => recipients[0]?.attempts)).toEqual([2, 1]);
    await server.close();
    for (let count = 0; count < 5; count += 1) await made.delivery.deliver(request({}, 'other@x.test'));
    expect(made.delivery.hopStates).toMatchObject([{ state: 'open' }]);
    now = start + lifetime;
    made.queue.comeBack(true);
    await expect.poll(async () => (await made.list()).some(({ id }) => id === mail.item)).toBe(false);
    expect((await told()).sort()).toEqual(['rfc822; away@x.test', 'rfc822; gone@x.test']);
    const queued = made.rows.filter(({ traceId, state }) => traceId === mail.traceId && state === 'queued');
    expect(new Set(queued.map(({ id }) => id)).size).toBe(2);
  });

  test('has a key that a repeat after a kill has too, unless it has to tell of others as well', () => {
    const key = reportKey('ID.1', 'dsn', ['a@x.test', 'b@x.test']);
    expect(key).toMatch(/^ID\.1\.dsn-[0-9a-f]{10}$/);
    expect(reportKey('ID.1', 'dsn', ['b@x.test', 'a@x.test'])).toBe(key);
    expect(reportKey('ID.1', 'dsn', ['a@x.test'])).not.toBe(key);
  });
});

describe('what nobody can be told', () => {
  test('a DSN of ours that fails is a double bounce for the admins, and no further DSN', async () => {
    const server = await fake({ script: { rcpt: '450 4.2.1 wait' } });
    const { delivery, notices, rows, list } = await open([server.url]);
    await delivery.deliver(request({}, 'b@x.test'));
    server.script = { rcpt: '550 5.1.1 unknown' };
    await expect.poll(() => notices.map((notice) => notice.class)).toEqual(['bounce', 'double-bounce']);
    expect(notices[1]?.reported).toMatchObject([{ address: 'a@example.org', status: '5.1.1' }]);
    await expect.poll(list).toEqual([]);
    await expect
      .poll(() => rows.filter(({ template }) => template === 'dsn-failure').map(({ state }) => state))
      .toEqual(['queued', 'suppressed', 'failed']);
    expect(server.mails).toEqual([]);
  });

  test('mail with the null sender that dies in the queue is one as well', async () => {
    const server = await fake({ script: { rcpt: '450 4.2.1 wait' } });
    const { delivery, notices } = await open([server.url]);
    const mail = request();
    await delivery.deliver({ ...mail, envelope: { ...mail.envelope, sender: '' } });
    server.script = { rcpt: '550 5.1.1 unknown' };
    await expect.poll(() => notices).toMatchObject([{ class: 'double-bounce', message: { subject: 'hello' } }]);
  });
});

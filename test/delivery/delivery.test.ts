import path from 'node:path';
import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { durableFiles } from '../../src/store/files.js';
import { closedAfterEach, content, request, setting, TEXT } from './set-up.js';

const { fake, open } = closedAfterEach();
const LATER = { rcpt: '450 4.2.1 later' };

describe('while the client waits', () => {
  test('what the hop takes is delivered, and nothing is written', async () => {
    const server = await fake();
    const { delivery, ...rest } = await open([server.url]);
    const outcomes = await delivery.deliver(request());
    expect(outcomes).toEqual([
      {
        address: 'b@example.net',
        state: 'delivered',
        hop: `smtp://127.0.0.1:${server.port}`,
        reply: { code: 250, enhanced: '2.0.0', text: 'queued' },
      },
    ]);
    expect(await rest.list()).toEqual([]);
  });

  test('what the hop refuses is refused', async () => {
    const server = await fake({ script: { end: '554 5.7.1 no, thank you' } });
    const { delivery, list } = await open([server.url]);
    const [outcome] = await delivery.deliver(request());
    expect(outcome).toMatchObject({ state: 'refused', reply: { code: 554, enhanced: '5.7.1', text: 'no, thank you' } });
    expect(await list()).toEqual([]);
  });

  test('what it defers is spooled and tried again, for those recipients only', async () => {
    const server = await fake({
      script: {
        rcpt: (line) => (line.includes('late') ? '450 4.2.1 later' : line.includes('no') ? '550 5.1.1 no' : undefined),
      },
    });
    const { delivery, list, records } = await open([server.url], {
      delivery: { retry: { delays: [150], lifetime: 60_000, warnAfter: 'off' } },
    });
    const mail = request({}, 'yes@x.test', 'late@x.test', 'no@x.test');
    const outcomes = await delivery.deliver(mail);
    expect(outcomes.map(({ state }) => state)).toEqual(['delivered', 'spooled', 'refused']);
    expect(await list()).toMatchObject([
      {
        id: mail.item,
        sender: 'a@example.org',
        size: TEXT.length,
        hop: `smtp://127.0.0.1:${server.port}`,
        recipients: [
          { address: 'yes@x.test', state: 'delivered', nextAttempt: null },
          { address: 'late@x.test', state: 'waiting', attempts: 1, lastReply: '450 4.2.1 later' },
          { address: 'no@x.test', state: 'failed', lastReply: '550 5.1.1 no' },
        ],
      },
    ]);
    server.script = {};
    await expect.poll(() => server.mails.length).toBe(2);
    expect(server.mails[1]?.rcptTo).toEqual(['TO:<late@x.test>']);
    expect(server.mails[1]?.bytes.toString()).toBe(TEXT);
    await expect.poll(list).toEqual([]);
    await expect.poll(() => records).toMatchObject([{ recipient: 'late@x.test', state: 'delivered', item: mail.item }]);
  });

  test('each recipient goes where its route says, domains compared in either form', async () => {
    const [other, fallback, rule] = [await fake(), await fake(), await fake()];
    const { delivery } = await open([fallback.url], {
      delivery: { routes: { 'other.test': other.url, 'bücher.test': other.url } },
    });
    await delivery.deliver(request({}, 'a@OTHER.test', 'b@xn--bcher-kva.test', 'c@x.test'));
    expect(other.mails.map(({ rcptTo }) => rcptTo)).toEqual([['TO:<a@OTHER.test>', 'TO:<b@xn--bcher-kva.test>']]);
    expect(fallback.mails.map(({ rcptTo }) => rcptTo)).toEqual([['TO:<c@x.test>']]);
    await delivery.deliver(request({ route: rule.url }, 'a@other.test'));
    expect(rule.mails.length).toBe(1);
  });

  test('of several hops the next is taken when one fails, and not when it might have the mail', async () => {
    const [first, second] = [await fake({ script: { greeting: '554 5.3.2 no' } }), await fake()];
    const { delivery, list } = await open([first.url, second.url]);
    expect(await delivery.deliver(request())).toMatchObject([
      { state: 'delivered', hop: `smtp://127.0.0.1:${second.port}` },
    ]);
    first.script = { end: 'close' };
    expect(await delivery.deliver(request())).toMatchObject([{ state: 'spooled' }]);
    expect(second.mails.length).toBe(1);
    first.script = {};
    await expect.poll(list).toEqual([]);
  });
});

describe('an attempt that takes longer than the client waits', () => {
  test('is not cut: its 250 settles the spooled item, and the mail arrives once', async () => {
    let answer = (): void => undefined;
    const server = await fake();
    const timeouts = { connect: 20_000, hello: 20_000, command: 20_000, data: 20_000, end: 20_000 };
    const { delivery, list, records } = await open([server.url], {
      delivery: { inlineTimeout: 50 },
      options: { hop: { timeouts } },
    });
    server.script = {
      rcpt: (line) => (line.includes('later@') ? '450 4.2.1 later' : undefined),
      end: () => {
        answer = () => server.say('250 2.0.0 at last');
        return 'hang';
      },
    };
    expect(await delivery.deliver(request())).toMatchObject([{ state: 'spooled' }]);
    const [item] = await list();
    expect(item?.recipients).toMatchObject([{ state: 'waiting' }]);
    // While another item is tried three times, no second attempt of this one begins.
    await delivery.deliver(request({}, 'later@x.test'));
    const attempts = async () => (await list()).map(({ recipients }) => recipients[0]?.attempts ?? 0);
    await expect.poll(async () => Math.max(...(await attempts()))).toBeGreaterThan(2);
    const tries = () => server.dialogue.filter((line) => line.includes('b@example.net')).length;
    expect(tries()).toBe(1);
    answer();
    await expect.poll(() => records).toMatchObject([{ state: 'delivered', reply: '250 2.0.0 at last' }]);
    expect((await list()).length).toBe(1);
    expect(tries()).toBe(1);
  });

  test('and fails in the end is tried again', async () => {
    const server = await fake({ script: { end: 'hang' } });
    const { delivery, list } = await open([server.url], { delivery: { inlineTimeout: 50 } });
    await delivery.deliver(request());
    server.script = {};
    server.cut();
    await expect.poll(() => server.mails.length).toBe(1);
    await expect.poll(list).toEqual([]);
  });
});

describe('a hop that is away', () => {
  test('is not tried any more after five failures, and gets all mail once when it is back', async () => {
    const server = await fake();
    const { delivery, list, records } = await open([server.url], {
      delivery: { retry: { delays: [3_600_000], lifetime: 86_400_000, warnAfter: 'off' } },
    });
    await server.close();
    for (let index = 0; index < 200; index += 1) {
      const [outcome] = await delivery.deliver(request({}, `r${index}@x.test`));
      expect(outcome?.state).toBe('spooled');
    }
    expect((await list()).length).toBe(200);
    const tried = (await list()).filter(({ recipients }) => (recipients[0]?.attempts ?? 0) > 0);
    expect(tried.length).toBe(5);
    const back = await fake({ port: server.port });
    await expect.poll(() => back.mails.length).toBe(200);
    await expect.poll(list).toEqual([]);
    expect(new Set(back.mails.flatMap(({ rcptTo }) => rcptTo)).size).toBe(200);
    await expect.poll(() => records.length).toBe(200);
    expect(await delivery.deliver(request())).toMatchObject([{ state: 'delivered' }]);
  });

  test('costs no disk: what waits for it is looked at, and left as it is until it is back', async () => {
    const server = await fake();
    const real = durableFiles();
    const [looks, writes] = [{ at: 0 }, [] as string[]];
    const { delivery, list } = await open([server.url], {
      options: {
        clock: () => {
          looks.at += 1;
          return Date.now();
        },
        files: {
          ...real,
          replace: async (...file) => {
            writes.push(path.basename(file[0]));
            await real.replace(...file);
          },
        },
      },
    });
    await server.close();
    for (let index = 0; index < 20; index += 1) await delivery.deliver(request({}, `r${index}@x.test`));
    // Those that were tried before the hop counted as away are put back once.
    const idle = looks.at;
    await expect.poll(() => looks.at).toBeGreaterThan(idle + 200);
    const before = [...writes];
    const then = looks.at;
    await expect.poll(() => looks.at).toBeGreaterThan(then + 200);
    expect(writes).toEqual(before);
    const back = await fake({ port: server.port });
    await expect.poll(list).toEqual([]);
    expect(back.mails.length).toBe(20);
  });

  test('is asked after a restart, and the mail that waits goes out at once', async () => {
    const server = await fake();
    const first = await setting([server.url], {
      delivery: { retry: { delays: [3_600_000], lifetime: 86_400_000, warnAfter: 'off' } },
    });
    await server.close();
    await first.delivery.deliver(request());
    await first.queue.close();
    await first.delivery.close();
    await open([server.url], {
      folder: first.folder,
      delivery: { retry: { delays: [3_600_000], lifetime: 86_400_000, warnAfter: 'off' } },
    });
    const back = await fake({ port: server.port });
    await expect.poll(() => back.mails.length).toBe(1);
  });
});

describe('the job queue', () => {
  test('away: mail flows and is spooled; back, also empty: all of it is tried', async () => {
    const server = await fake({ script: LATER });
    const { delivery, queue, list } = await open([server.url]);
    await delivery.deliver(request());
    queue.goAway();
    await delivery.deliver(request());
    await delivery.spool(request());
    expect((await list()).length).toBe(3);
    server.script = {};
    queue.comeBack(true);
    await expect.poll(() => server.mails.length).toBe(3);
    await expect.poll(list).toEqual([]);
  });

  test('away while the hop comes back: mail that waits is tried at once when the queue is back, not after its delay', async () => {
    const server = await fake();
    await server.close();
    const { delivery, queue, list } = await open([server.url], {
      delivery: { retry: { delays: [3_600_000], lifetime: 86_400_000, warnAfter: 'off' } },
    });
    await delivery.deliver(request());
    await expect.poll(list).toMatchObject([{ recipients: [{ attempts: 1 }] }]);
    queue.goAway();
    const back = await fake({ port: server.port });
    await expect.poll(() => back.dialogue.some((line) => line.endsWith('QUIT'))).toBe(true);
    queue.comeBack(true);
    await expect.poll(() => back.mails.length).toBe(1);
  });
});

describe('what fails later', () => {
  test('is told to the sender by a DSN that another library can read', async () => {
    const server = await fake({ script: LATER });
    const { delivery, records } = await open([server.url]);
    const mail = request({}, 'b@x.test', 'c@x.test');
    await delivery.deliver({
      ...mail,
      envelope: {
        ...mail.envelope,
        envid: 'QQ+2B1',
        recipients: [
          { address: 'b@x.test', orcpt: 'rfc822;old@x.test' },
          { address: 'c@x.test', notify: ['never'] },
        ],
      },
    });
    server.script = { rcpt: (line) => (line.includes('x.test') ? '550 5.1.1 unknown\u00fc user' : undefined) };
    await expect.poll(() => server.mails.length).toBe(1);
    const [dsn] = server.mails;
    expect(dsn?.mailFrom).toContain('FROM:<>');
    expect(dsn?.rcptTo).toEqual(['TO:<a@example.org> NOTIFY=NEVER']);
    expect(dsn?.bytes.toString('latin1')).not.toMatch(/[^\r\n\t -~]/);
    const parsed = await simpleParser(dsn?.bytes ?? '', { keepDeliveryStatus: true });
    expect(parsed.headers.get('content-type')).toMatchObject({
      value: 'multipart/report',
      params: { 'report-type': 'delivery-status' },
    });
    expect(parsed.headers.get('auto-submitted')).toBe('auto-replied');
    expect(parsed.subject).toBe('Not delivered');
    expect(parsed.text).toContain(`b@x.test: There is no mailbox of that name. (127.0.0.1: 550 5.1.1 unknownü user)`);
    expect(parsed.text).toContain(mail.traceId);
    expect(parsed.text).not.toContain('c@x.test');
    const status = parsed.attachments
      .find(({ contentType }) => contentType === 'message/delivery-status')
      ?.content.toString();
    expect(status).toContain('Original-Envelope-Id: QQ+1');
    expect(status).toContain(
      'Original-Recipient: rfc822;old@x.test\r\nFinal-Recipient: rfc822; b@x.test\r\nAction: failed\r\nStatus: 5.1.1',
    );
    expect(status).toContain('Diagnostic-Code: smtp; 550 5.1.1 unknown? user');
    const header = parsed.attachments
      .find(({ contentType }) => contentType === 'text/rfc822-headers')
      ?.content.toString();
    expect(header).toContain('Subject: hello');
    await expect.poll(() => records.length).toBe(3);
    expect(records.filter(({ state }) => state === 'failed').map(({ recipient }) => recipient)).toEqual([
      'b@x.test',
      'c@x.test',
    ]);
  });

  test('after the time in the queue is over, with the message itself where RET=FULL asks for it', async () => {
    const server = await fake({
      script: { rcpt: (line) => (line.includes('x.test') ? '450 4.2.1 later' : undefined) },
    });
    const { delivery, list } = await open([server.url], {
      delivery: { retry: { delays: [50], lifetime: 200, warnAfter: 'off' } },
    });
    const mail = request({}, 'b@x.test');
    await delivery.deliver({ ...mail, envelope: { ...mail.envelope, ret: 'full' } });
    await expect.poll(() => server.mails.length).toBe(1);
    const text = server.mails[0]?.bytes.toString() ?? '';
    expect(text).toContain('Status: 4.4.7');
    expect(text).toContain(
      `Content-Type: message/rfc822\r\nContent-Description: Undelivered message\r\nContent-Transfer-Encoding: 7bit\r\n\r\n${TEXT}\r\n--`,
    );
    await expect.poll(list).toEqual([]);
  });

  test.each([
    ['the null sender', { sender: '' }, 'allowed'],
    ['a policy of never', {}, 'never'],
    ['one of our addresses from outside, where only internal senders are told', { trusted: false }, 'internal-only'],
    ['a foreign sender, where only internal senders are told', { sender: 'a@foreign.test' }, 'internal-only'],
  ] as const)('%s gets no DSN, and the failure is on record', async (_, envelope, bounce) => {
    const server = await fake({ script: LATER });
    const { delivery, records, list } = await open([server.url]);
    const mail = request({ bounce });
    await delivery.deliver({ ...mail, envelope: { ...mail.envelope, ...envelope } });
    server.script = { rcpt: (line) => (line.includes('example.net') ? '550 5.1.1 unknown' : undefined) };
    await expect.poll(() => records).toMatchObject([{ state: 'failed', reply: '550 5.1.1 unknown' }]);
    expect(await list()).toEqual([]);
    expect(server.mails).toEqual([]);
  });

  test('what was refused beside accepted recipients is reported when asked', async () => {
    const server = await fake();
    const { delivery } = await open([server.url]);
    const refused = {
      address: 'b@example.net',
      state: 'refused',
      hop: '',
      reply: { code: 550, enhanced: '5.7.1', text: 'by rule' },
    } as const;
    expect(await delivery.reportRefused(request(), [refused])).toBeUndefined();
    await expect.poll(() => server.mails.length).toBe(1);
    expect(server.mails[0]?.bytes.toString()).toContain('550 5.7.1 by rule');
    expect(await delivery.reportRefused(request({ bounce: 'never' }), [refused])).toMatch(/^no bounce to this sender/);
  });
});

describe('a copy that was deferred beside settled ones', () => {
  test('is inspected at each attempt until it is disposed of', async () => {
    const server = await fake();
    const seen: string[] = [];
    const intakes: unknown[] = [];
    const { delivery, list } = await open([server.url], {
      options: {
        reinspect: async (item, bytes) => {
          const chunks: Buffer[] = [];
          for await (const chunk of bytes.read()) chunks.push(chunk);
          intakes.push(item.intake);
          seen.push(`${item.reason ?? ''} ${Buffer.concat(chunks).toString()}`);
          return seen.length < 3 ? { state: 'again', reason: 'still' } : { state: 'done' };
        },
      },
    });
    // What intake saw is gone from the bytes: the item says it.
    const intake = { anomalies: ['bare-lf', 'nul'], received: 3 };
    const mail = request({ content: content('Subject: x\r\n\r\n'), intake });
    await delivery.spoolForInspection(mail, Date.now(), 'scanner down');
    expect((await list()).map(({ id }) => id)).toEqual([mail.item]);
    await expect.poll(() => seen.length).toBe(3);
    expect(seen[0]).toBe('scanner down Subject: x\r\n\r\n');
    expect(intakes).toEqual([intake, intake, intake]);
    await expect.poll(list).toEqual([]);
    expect(server.mails).toEqual([]);
  });
});

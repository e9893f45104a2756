import { afterEach, describe, expect, it, vi } from 'vitest';
import { Listener } from '../../src/smtp/listener.js';
import { Client, eventually, startGateway, type Gateway, type GatewayOptions } from './harness.js';

let gateway: Gateway | undefined;

async function start(options: GatewayOptions = {}): Promise<Gateway> {
  gateway = await startGateway(options);
  return gateway;
}

async function greeted(options: GatewayOptions = {}): Promise<Client> {
  const client = await (await start(options)).connect();
  await client.hello();
  return client;
}

afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});

const OUTSIDE = 'trusted: []\n';

describe('size', () => {
  it('is refused at MAIL by SIZE and after the data by its bytes; the session goes on', async () => {
    const client = await greeted({ smtp: 'maxMessageSize: 1000' });
    expect(await client.command('MAIL FROM:<a@example.net> SIZE=1001')).toMatch(/^552 5\.3\.4 /);
    expect(await client.send('x'.repeat(999))).toMatch(/^552 5\.3\.4 /);
    expect(await client.send('x'.repeat(998))).toMatch(/^250 /);
    expect(gateway?.seen).toHaveLength(1);
  });

  it('is of no matter to memory: large uploads are files, gone when the handler has settled', async () => {
    const during: string[][] = [];
    const line = `${'x'.repeat(98)}\r\n`;
    const client = await greeted({
      handle: async ({ traceId }) => {
        during.push((await gateway?.uploads()) ?? []);
        return { code: 250, enhanced: '2.0.0', text: traceId };
      },
    });
    expect(await client.send(`Subject: x\r\n\r\n${line.repeat(20_000)}`)).toMatch(/^250 /);
    const [message] = gateway?.seen ?? [];
    expect(message?.text).toBe(`Subject: x\r\n\r\n${line.repeat(20_000)}\r\n`);
    expect(message?.source.kind).toBe('file');
    expect(during).toEqual([[`${message?.traceId ?? ''}.upload`]]);
    expect(await gateway?.uploads()).toEqual([]);
  });

  it('leaves nothing behind when the client goes away in the middle', async () => {
    const client = await greeted();
    await client.command('MAIL FROM:<a@example.net>');
    await client.command('RCPT TO:<b@example.org>');
    await client.command('DATA');
    client.write(`Subject: x\r\n\r\n${'x'.repeat(2 ** 20)}`);
    await eventually(async () => ((await gateway?.uploads()) ?? []).length === 1);
    client.destroy();
    await eventually(async () => ((await gateway?.uploads()) ?? []).length === 0);
    expect(gateway?.seen).toEqual([]);
    expect(gateway?.service.counters.aborted).toBe(1);
    await eventually(() => gateway?.service.sessions === 0);
  });
});

describe('recipients', () => {
  it('beyond maxRecipients are for another time', async () => {
    const client = await greeted({ smtp: 'maxRecipients: 2' });
    await client.command('MAIL FROM:<a@example.net>');
    expect(await client.command('RCPT TO:<a@example.org>')).toMatch(/^250 /);
    expect(await client.command('RCPT TO:<b@example.org>')).toMatch(/^250 /);
    expect(await client.command('RCPT TO:<b@EXAMPLE.ORG>')).toMatch(/^250 /);
    expect(await client.command('RCPT TO:<c@example.org>')).toMatch(/^452 4\.5\.3 /);
    await client.command('DATA');
    client.write('x\r\n.\r\n');
    expect(await client.reply()).toMatch(/^250 /);
    expect(gateway?.seen[0]?.envelope.recipients.map(({ address }) => address)).toEqual([
      'a@example.org',
      'b@EXAMPLE.ORG',
    ]);
  });
});

describe('a recipient in quotes', () => {
  it('is the one without where that can be, and ORCPT says what it was', async () => {
    const client = await greeted();
    await client.command('MAIL FROM:<"a"@example.net>');
    expect(await client.command('RCPT TO:<closed@example.org>')).toMatch(/^250 /);
    expect(await client.command('RCPT TO:<"clos\\ed"@example.org>')).toMatch(/^250 /);
    expect(await client.command('RCPT TO:<"\\closed"@EXAMPLE.org> ORCPT=rfc822;"closed"@example.org')).toMatch(/^250 /);
    expect(await client.command('RCPT TO:<"joe\\ smith"@example.org>')).toMatch(/^250 /);
    await client.command('DATA');
    client.write('x\r\n.\r\n');
    expect(await client.reply()).toMatch(/^250 /);
    expect(gateway?.seen[0]?.envelope).toMatchObject({
      sender: 'a@example.net',
      recipients: [
        { address: 'closed@EXAMPLE.org', orcpt: 'rfc822;"closed"@example.org' },
        { address: '"joe smith"@example.org' },
      ],
    });
  });
});

describe('connections', () => {
  it('are bounded in all, also for trusted clients, and a place is free after QUIT', async () => {
    const { connect } = await start({ smtp: 'maxConnections: 2' });
    const first = await connect();
    await first.hello();
    await (await connect()).hello();
    expect(await (await connect()).reply()).toMatch(/^421 4\.7\.0 Too many connections$/);
    await first.command('QUIT');
    expect(await (await connect()).reply()).toMatch(/^220 /);
  });

  it('are bounded for each client', async () => {
    const { connect, port } = await start({ listen: '[::]:0', smtp: 'maxConnectionsPerClient: 1' });
    await (await connect()).hello();
    const second = await connect();
    expect(await second.reply()).toMatch(/^421 4\.7\.0 Too many connections from your address$/);
    expect(await second.closed()).toBe('');
    expect(await (await Client.connect(port, '::1')).reply()).toMatch(/^220 /);
    expect(gateway?.service.counters.refusedSessions).toBe(1);
  });

  it('are counted until their message is done, although the client has left', async () => {
    const settle: (() => void)[] = [];
    const { connect, service } = await start({
      smtp: 'maxConnectionsPerClient: 1',
      handle: async ({ traceId }) => {
        await new Promise<void>((resolve) => settle.push(resolve));
        return { code: 250, enhanced: '2.0.0', text: traceId };
      },
    });
    const connecting = vi.spyOn(Listener.prototype, 'connect');
    const client = await connect();
    await client.hello();
    const listener = connecting.mock.contexts.find((context) => context instanceof Listener);
    connecting.mockRestore();
    for (const line of ['MAIL FROM:<a@example.net>', 'RCPT TO:<b@example.org>', 'DATA']) await client.command(line);
    client.write('x\r\n.\r\n');
    await eventually(() => settle.length === 1);
    client.reset();
    await eventually(() => listener?.sessions.size === 0);
    expect(await (await connect()).reply()).toMatch(/^421 4\.7\.0 Too many connections from your address$/);
    settle[0]?.();
    await eventually(() => service.sessions === 0);
    expect(await (await connect()).reply()).toMatch(/^220 /);
  });
});

describe('errors', () => {
  it('end the session of an outside client', async () => {
    const client = await greeted({ yaml: OUTSIDE, smtp: 'maxErrors: 3' });
    expect(await client.command('FOO')).toMatch(/^500 5\.5\.2 /);
    expect(await client.command('MAIL FROM:<>')).toMatch(/^250 /);
    expect(await client.command('RCPT TO:<b@other.example>')).toMatch(/^550 5\.7\.1 /);
    expect(await client.command('BAR')).toMatch(/^500 5\.5\.2 /);
    expect(await client.reply()).toBe('421 4.7.0 Too many errors');
    expect(await client.closed()).toBe('');
  });

  it('are commands that lead to no message beyond the free ones, and not the good ones behind them', async () => {
    const client = await greeted({ yaml: OUTSIDE, smtp: 'maxErrors: 3' });
    for (let i = 0; i < 100; i += 1) expect(await client.command('NOOP')).toMatch(/^250 /);
    expect(await client.command('MAIL FROM:<a@example.net>')).toMatch(/^250 /);
    for (let i = 0; i < 10; i += 1) expect(await client.command(`RCPT TO:<b${i}@example.org>`)).toMatch(/^250 /);
    expect(await client.command('NOOP')).toMatch(/^250 /);
    expect(await client.command('RCPT TO:<c@example.org>')).toMatch(/^250 /);
    await client.command('DATA');
    client.write('x\r\n.\r\n');
    expect(await client.reply()).toMatch(/^250 /);
    expect(gateway?.seen[0]?.envelope.recipients).toHaveLength(11);
  });

  it('are further MAIL that are put off, each after its reply', async () => {
    const client = await greeted({ yaml: OUTSIDE, smtp: 'maxErrors: 2', hasRoom: () => false });
    const said = 'MAIL FROM:<a@example.net>\r\n';
    // With EHLO a hundred are free.
    for (let i = 0; i < 99; i += 1) expect(await client.command(said.trim())).toMatch(/^452 /);
    client.write(said.repeat(3));
    expect(await client.closed()).toMatch(/^(?:452 [^\r]*\r\n){2}421 4\.7\.0 Too many errors\r\n$/);
  });

  it('are borne with a trusted client', async () => {
    const client = await greeted({ smtp: 'maxErrors: 3' });
    for (let i = 0; i < 30; i += 1) expect(await client.command('FOO')).toMatch(/^500 5\.5\.2 /);
  });

  it('do not count what a rule refused', async () => {
    const client = await greeted({
      yaml: OUTSIDE,
      smtp: 'maxErrors: 2',
      handle: () => ({ code: 550, enhanced: '5.7.1', text: 'no' }),
    });
    for (let i = 0; i < 5; i += 1) expect(await client.send('x')).toBe('550 5.7.1 no');
  });

  it.each(['x'.repeat(20_000), `${'x'.repeat(20_000)}\r\n`])(
    'end the session at a line that is too long',
    async (line) => {
      const client = await greeted();
      client.write(line);
      expect(await client.reply()).toBe('421 4.7.0 Command line too long');
    },
  );
});

describe('the greeting', () => {
  it('is not waited for by an early talker, who is sent away', async () => {
    const { connect } = await start({ yaml: OUTSIDE });
    const client = await connect();
    client.write('EHLO c\r\n');
    expect(await client.reply()).toBe('421 4.7.0 You talk too soon');
    expect(await client.closed()).toBe('');
  });

  it('comes at once to a client that has behaved before', async () => {
    const { connect } = await start({ yaml: OUTSIDE });
    const first = await connect();
    await first.hello();
    expect(await first.send('x')).toMatch(/^250 /);
    const times: number[] = [];
    for (let i = 0; i < 10; i++) {
      const next = await connect();
      const before = performance.now();
      await next.reply();
      times.push(performance.now() - before);
    }
    // Whoever waits does so for longer; on a busy machine some come late.
    expect(Math.min(...times)).toBeLessThan(90);
  });
});

describe('time', () => {
  it('of an idle client is bounded', async () => {
    const client = await greeted({ smtp: 'timeouts: { command: 500ms }' });
    expect(await client.reply()).toBe('421 4.4.2 Timeout');
    expect(await client.closed()).toBe('');
  });

  it('of the data is bounded, however busy the client is', async () => {
    const client = await greeted({ smtp: 'timeouts: { data: 200ms }' });
    await client.command('MAIL FROM:<a@example.net>');
    await client.command('RCPT TO:<b@example.org>');
    await client.command('DATA');
    const timer = setInterval(() => client.write('x\r\n'), 20);
    try {
      expect(await client.reply()).toBe('421 4.4.2 Timeout');
    } finally {
      clearInterval(timer);
    }
    expect(gateway?.service.counters).toMatchObject({ aborted: 1, messages: 0 });
  });

  it('that we need ourselves is not the client', async () => {
    const client = await greeted({
      smtp: 'timeouts: { command: 1s }',
      handle: ({ traceId }) =>
        new Promise((resolve) => setTimeout(() => resolve({ code: 250, enhanced: '2.0.0', text: traceId }), 1500)),
    });
    expect(await client.send('x')).toMatch(/^250 2\.0\.0 /);
  });
});

describe('a stop', () => {
  it('ends idle sessions, lets a message come in and be answered, and takes no new session', async () => {
    const { connect, service, seen } = await start();
    const idle = await connect();
    await idle.hello();
    const busy = await connect();
    await busy.hello();
    await busy.command('MAIL FROM:<a@example.net>');
    await busy.command('RCPT TO:<b@example.org>');
    await busy.command('DATA');
    const closed = service.close();
    expect(await idle.reply()).toBe('421 4.3.2 Service is shutting down');
    const late = await connect();
    expect(await late.reply()).toBe('421 4.3.2 Service is shutting down');
    busy.write('Subject: last\r\n.\r\n');
    expect(await busy.reply()).toMatch(/^250 2\.0\.0 Ok/);
    expect(await busy.reply()).toBe('421 4.3.2 Service is shutting down');
    await closed;
    expect(seen).toHaveLength(1);
    await expect(connect()).rejects.toThrow('ECONNREFUSED');
  });

  it('waits for a message that is being handled although its client has left', async () => {
    const connecting = vi.spyOn(Listener.prototype, 'connect');
    let settle: (() => void) | undefined;
    let settled = false;
    const { connect, service } = await start({
      handle: async ({ traceId }) => {
        await new Promise<void>((resolve) => {
          settle = resolve;
        });
        settled = true;
        return { code: 250, enhanced: '2.0.0', text: traceId };
      },
    });
    const client = await connect();
    await client.hello();
    await client.command('MAIL FROM:<a@example.net>');
    await client.command('RCPT TO:<b@example.org>');
    await client.command('DATA');
    client.write('x\r\n.\r\n');
    await eventually(() => settle !== undefined);
    const listener = connecting.mock.contexts.find((context) => context instanceof Listener);
    connecting.mockRestore();
    client.reset();
    await eventually(() => listener?.sessions.size === 0);
    const closed = service.close();
    setImmediate(() => settle?.());
    await closed;
    expect(settled).toBe(true);
    expect(service.counters).toMatchObject({ messages: 1, accepted: 1, aborted: 0 });
  });

  it('does not wait longer than it may', async () => {
    const { connect, service } = await start({ smtp: 'timeouts: { stop: 100ms }' });
    const busy = await connect();
    await busy.hello();
    await busy.command('MAIL FROM:<a@example.net>');
    await busy.command('RCPT TO:<b@example.org>');
    await busy.command('DATA');
    await service.close();
    await busy.closed();
  });
});

describe('line endings under reject', () => {
  it('are refused after the true end of data, and the session goes on', async () => {
    const client = await greeted({ smtp: 'lineEndings: reject' });
    expect(await client.send('a\n.\nMAIL FROM:<evil@example.net>\nb')).toMatch(/^550 5\.6\.0 .*bare LF/);
    expect(await client.send('a\r\n.\rb\0')).toMatch(/^550 5\.6\.0 .*bare CR, NUL/);
    expect(await client.send('fine')).toMatch(/^250 /);
  });
});

describe('a message over the network', () => {
  it('is the same however its bytes are split', async () => {
    const { connect, seen } = await start();
    const client = await connect();
    await client.hello();
    const body = Buffer.from('Subject: x\r\n\r\n..a\n.\r\nb\r.\r\n\r\n..\r\n\0.\r\nc\r\n.\r\n', 'latin1');
    for (let at = 1; at < body.length; at += 1) {
      await client.command('MAIL FROM:<a@example.net>');
      await client.command('RCPT TO:<b@example.org>');
      await client.command('DATA');
      await client.flush(body.subarray(0, at));
      await client.flush(body.subarray(at));
      expect(await client.reply()).toMatch(/^250 2\.0\.0 Ok/);
    }
    expect(new Set(seen.map(({ text }) => text))).toEqual(
      new Set(['Subject: x\r\n\r\n.a\r\n.\r\nb\r\n.\r\n\r\n.\r\n.\r\nc\r\n']),
    );
  });
});

import { writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { hashPassword } from '../../src/smtp/users.js';
import { Client, startGateway, TLS_FOLDER, type Gateway, type GatewayOptions } from './harness.js';

const gateways: Gateway[] = [];
const start = async (options: GatewayOptions): Promise<Gateway> => {
  const gateway = await startGateway(options);
  gateways.push(gateway);
  return gateway;
};
afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.stop()));
});

const STRANGERS = 'trusted: []\n';

describe('rates of a client', () => {
  it('lets so many sessions begin in the window, and no more', async () => {
    const { connect } = await start({ smtp: 'rates: { connections: 3/h }', yaml: STRANGERS });
    const greetings = [];
    for (let i = 0; i < 5; i++) {
      const client = await connect();
      greetings.push((await client.reply()).slice(0, 9));
      client.destroy();
    }
    expect(greetings).toEqual(['220 mx.ex', '220 mx.ex', '220 mx.ex', '421 4.7.0', '421 4.7.0']);
  });

  it('begins anew when the window is over', async () => {
    const { connect } = await start({ smtp: 'rates: { connections: 1/1s }', yaml: STRANGERS });
    for (;;) {
      const client = await connect();
      const greeting = await client.reply();
      client.destroy();
      if (greeting.startsWith('421')) break;
    }
    for (;;) {
      const client = await connect();
      const greeting = await client.reply();
      client.destroy();
      if (greeting.startsWith('220')) break;
    }
  });

  it('takes so many messages in all sessions together', async () => {
    const { connect, seen } = await start({ smtp: 'rates: { messages: 3/h }', yaml: STRANGERS });
    const first = await connect();
    await first.hello();
    expect(await first.send('Subject: 1\r\n\r\n1')).toMatch(/^250/);
    expect(await first.send('Subject: 2\r\n\r\n2')).toMatch(/^250/);
    const second = await connect();
    await second.hello();
    expect(await second.send('Subject: 3\r\n\r\n3')).toMatch(/^250/);
    expect(await second.command('MAIL FROM:<a@example.net>')).toBe(
      '450 4.7.1 Too many messages from you, try again later',
    );
    // What was pipelined behind the refusal is answered in order.
    first.write('MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n');
    expect(await first.reply()).toMatch(/^450 4\.7\.1 /);
    expect(await first.reply()).toBe('503 5.5.1 MAIL comes first');
    expect(await first.reply()).toBe('503 5.5.1 MAIL comes first');
    expect(seen).toHaveLength(3);
  });

  it('does not hold for trusted clients', async () => {
    const { connect } = await start({ smtp: 'rates: { connections: 1/h, messages: 1/h }' });
    for (let i = 0; i < 3; i++) {
      const client = await connect();
      await client.hello();
      expect(await client.send('Subject: x\r\n\r\nx')).toMatch(/^250/);
      client.destroy();
    }
  });
});

describe('slow and idle clients', () => {
  it('ends a session whose data comes more slowly than `minimumRate`', async () => {
    const { connect, service } = await start({
      smtp: 'minimumRate: 1KiB/s',
      yaml: STRANGERS,
      rateWindow: 200,
    });
    const client = await connect();
    await client.hello();
    await client.command('MAIL FROM:<a@example.net>');
    await client.command('RCPT TO:<b@example.org>');
    await client.command('DATA');
    client.write('Subject: slow\r\n\r\n');
    expect(await client.reply()).toBe('421 4.4.2 You send too slowly');
    await client.closed();
    expect(service.counters.aborted).toBe(1);
  });

  it('does not hold `minimumRate` against a trusted client, but against one that a trusted proxy does not know', async () => {
    const { connect } = await start({
      smtp: 'minimumRate: 1KiB/s\nxclient: ["127.0.0.1"]',
      yaml: 'trusted: ["127.0.0.1"]\n',
      rateWindow: 100,
    });
    const beginData = async (xclient: string | undefined) => {
      const client = await connect();
      await client.hello();
      if (xclient !== undefined) {
        await client.command(xclient);
        await client.command('EHLO proxy.example');
      }
      await client.command('MAIL FROM:<a@example.net>');
      await client.command('RCPT TO:<b@example.org>');
      await client.command('DATA');
      client.write('Subject: slow\r\n\r\n');
      return client;
    };
    const known = await beginData(undefined);
    const unknown = await beginData('XCLIENT ADDR=[UNAVAILABLE]');
    expect(await unknown.reply()).toBe('421 4.4.2 You send too slowly');
    // The window of the other one, which began before it, is over, too.
    known.write('.\r\n');
    expect(await known.reply()).toMatch(/^250/);
  });

  it('leaves one that is fast enough alone', async () => {
    const { connect } = await start({ smtp: 'minimumRate: 10B/s', yaml: STRANGERS, rateWindow: 300 });
    const client = await connect();
    await client.hello();
    await client.command('MAIL FROM:<a@example.net>');
    await client.command('RCPT TO:<b@example.org>');
    await client.command('DATA');
    client.write('Subject: quick\r\n\r\n');
    const line = Buffer.from(`${'x'.repeat(200)}\r\n`);
    for (const end = Date.now() + 1000; Date.now() < end;) await client.flush(line);
    client.write('.\r\n');
    expect(await client.reply()).toMatch(/^250/);
  });

  it('counts commands that lead to no message as errors when there are many', async () => {
    const { connect } = await start({ smtp: 'maxErrors: 5', yaml: STRANGERS });
    const client = await connect();
    await client.hello();
    client.write('NOOP\r\nRSET\r\n'.repeat(200));
    expect(await client.closed()).toMatch(/421 4\.7\.0 Too many errors\r\n$/);
  });

  it('stops reading from a client that never reads the replies, and ends it when it is silent too long', async () => {
    const { port, service } = await start({ smtp: 'timeouts: { command: 300ms }' });
    const socket = net.connect(port, '127.0.0.1');
    const failed = new Promise((resolve) => socket.once('error', resolve));
    const commands = Buffer.from('HELP\r\n'.repeat(10_000));
    // Until a write is no longer finished: the service reads no more, and the buffers of the two systems are full.
    let finished = 0;
    socket.once('connect', () => {
      socket.pause();
      const more = (): void => {
        if (socket.destroyed) return;
        socket.write(commands, (error) => {
          if (error !== undefined && error !== null) return;
          finished += 1;
          setImmediate(more);
        });
      };
      more();
    });
    await expect
      .poll(
        () => {
          const before = finished;
          finished = 0;
          return socket.destroyed || (before === 0 && socket.bytesWritten > 0);
        },
        { interval: 200, timeout: 30_000 },
      )
      .toBe(true);
    await failed;
    expect(service.sessions).toBe(0);
  });
});

describe('wrong passwords', () => {
  const login = (name: string, password: string): string =>
    `AUTH PLAIN ${Buffer.from(`\0${name}\0${password}`).toString('base64')}`;

  it('ends the session at the third, and looks at no password of the client after the tenth', async () => {
    const gateway = await start({
      smtp: `auth: { users: ./users }\ntls: { cert: ${TLS_FOLDER}/cert.pem, key: ${TLS_FOLDER}/key.pem }`,
      listen: 'tls://127.0.0.1:0',
      yaml: STRANGERS,
      loginDelay: 10,
    });
    await writeFile(path.join(gateway.folder, 'users'), `anna:${await hashPassword('right')}\n`);
    const session = async (): Promise<string[]> => {
      const client = await Client.connectTls(gateway.port);
      await client.hello();
      const replies: string[] = [];
      for (let i = 0; i < 3; i++) replies.push((await client.command(login('anna', `wrong${i}`))).slice(0, 9));
      if (replies.at(-1) === '535 5.7.8') replies.push((await client.reply()).slice(0, 9));
      return replies;
    };
    const wrong = ['535 5.7.8', '535 5.7.8', '535 5.7.8', '421 4.7.0'];
    // At the same time, for each is answered later than the one before.
    expect(await Promise.all([session(), session(), session()])).toEqual([wrong, wrong, wrong]);
    const client = await Client.connectTls(gateway.port);
    await client.hello();
    expect(await client.command(login('anna', 'wrong'))).toMatch(/^535 5\.7\.8/);
    expect(await client.command(login('anna', 'right'))).toBe('454 4.7.0 Too many failed logins, try again later');
  });

  it('are no more than ten where a client tries many at the same time', async () => {
    const gateway = await start({
      smtp: `auth: { users: ./users }\ntls: { cert: ${TLS_FOLDER}/cert.pem, key: ${TLS_FOLDER}/key.pem }`,
      listen: 'tls://127.0.0.1:0',
      yaml: STRANGERS,
      loginDelay: 1,
    });
    await writeFile(path.join(gateway.folder, 'users'), `anna:${await hashPassword('right')}\n`);
    const clients = await Promise.all(Array.from({ length: 25 }, () => Client.connectTls(gateway.port)));
    await Promise.all(clients.map((client) => client.hello()));
    const replies = await Promise.all(clients.map((client, i) => client.command(login('anna', `wrong${i}`))));
    expect(replies.filter((reply) => reply.startsWith('535 5.7.8'))).toHaveLength(10);
    expect(replies.filter((reply) => reply.startsWith('454 4.7.0'))).toHaveLength(15);
  });
});

import net from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Listener } from '../../src/smtp/listener.js';
import { Client, eventually, startGateway, TLS_FOLDER, type Gateway, type GatewayOptions } from './harness.js';

const CERTIFICATE = `tls: { cert: "${TLS_FOLDER}/cert.pem", key: "${TLS_FOLDER}/key.pem" }`;
const OUTSIDE = 'trusted: []\n';

const gateways: Gateway[] = [];
const sockets: net.Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const gateway of gateways.splice(0)) await gateway.stop();
});

async function start(options: GatewayOptions): Promise<Gateway> {
  const gateway = await startGateway(options);
  gateways.push(gateway);
  return gateway;
}

/** A connection that says nothing, with what becomes of it. @param allowHalfOpen it stays open when the other side ends */
async function silent(
  port: number,
  allowHalfOpen = false,
): Promise<{ socket: net.Socket; ended: () => boolean; text: () => string }> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen });
  sockets.push(socket);
  const state = { ended: false, text: '' };
  socket.on('data', (chunk) => (state.text += chunk.toString()));
  socket.on('error', () => (state.ended = true));
  socket.on('close', () => (state.ended = true));
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return { socket, ended: () => state.ended, text: () => state.text };
}

/** Writes one byte after the other, a few in the time that a command may take, until the connection is closed. */
async function trickle(client: Awaited<ReturnType<typeof silent>>, text: string, every: number): Promise<number> {
  const began = Date.now();
  for (let i = 0; !client.ended(); i += 1) {
    if (!client.socket.destroyed) client.socket.write(text[i % text.length] ?? '');
    await new Promise((resolve) => setTimeout(resolve, every));
  }
  return Date.now() - began;
}

describe('a client that sends a byte now and then', () => {
  it('in a command is ended as one that says nothing', async () => {
    const { port } = await start({ smtp: 'timeouts: { command: 300ms }' });
    const client = await silent(port);
    const time = await trickle(client, 'N', 40);
    expect(client.text()).toMatch(/\r\n421 4\.4\.2 Timeout\r\n$/);
    expect(time).toBeLessThan(5000);
  });

  it('may take its time for each command', async () => {
    const { connect } = await start({ smtp: 'timeouts: { command: 400ms }' });
    const client = await connect();
    await client.hello();
    for (let i = 0; i < 4; i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(await client.command('NOOP')).toMatch(/^250 /);
    }
    expect(await client.send('x')).toMatch(/^250 /);
  });

  it('is not ended by the time for commands while its data comes in', async () => {
    const { connect, seen } = await start({ smtp: 'timeouts: { command: 300ms, data: 10s }' });
    const client = await connect();
    await client.hello();
    for (const line of ['MAIL FROM:<a@example.net>', 'RCPT TO:<b@example.org>', 'DATA']) await client.command(line);
    for (let i = 0; i < 10; i += 1) {
      client.write('x');
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    client.write('\r\n.\r\n');
    expect(await client.reply()).toMatch(/^250 /);
    expect(seen[0]?.text).toBe(`${'x'.repeat(10)}\r\n`);
  });

  it('in a PROXY line is cut off', async () => {
    const { port, connect } = await start({
      smtp: 'timeouts: { command: 300ms }\nproxyProtocol: ["127.0.0.1"]',
    });
    const client = await silent(port);
    expect(await trickle(client, 'P', 40)).toBeLessThan(5000);
    const good = await connect();
    good.write('PROXY TCP4 127.0.0.1 127.0.0.1 4000 25\r\n');
    expect(await good.reply()).toMatch(/^220 /);
  });

  for (const [name, listen] of [
    ['STARTTLS', '127.0.0.1:0'],
    ['a listener that begins with TLS', 'tls://127.0.0.1:0'],
  ] as const)
    it(`in the handshake of ${name} is cut off`, async () => {
      const { port } = await start({ listen, smtp: `timeouts: { command: 400ms }\n${CERTIFICATE}` });
      const client = await silent(port);
      if (name === 'STARTTLS') {
        await eventually(() => client.text().startsWith('220'));
        client.socket.write('EHLO x\r\nSTARTTLS\r\n');
        await eventually(() => client.text().includes('\n220 '));
      }
      // A TLS record header that announces 16 KiB of handshake, and the record byte by byte.
      client.socket.write(Buffer.from([22, 3, 1, 64, 0]));
      expect(await trickle(client, '\x01', 40)).toBeLessThan(10_000);
    });
});

describe('TLS handshakes that never come', () => {
  it('take the places of their client, and no others', async () => {
    const { port } = await start({
      listen: 'tls://127.0.0.1:0',
      smtp: `maxConnectionsPerClient: 5\n${CERTIFICATE}`,
    });
    const halfOpen = await Promise.all(Array.from({ length: 12 }, () => silent(port)));
    await eventually(() => halfOpen.filter(({ ended }) => ended()).length === 7);
    expect(halfOpen.filter(({ ended }) => !ended()).length).toBe(5);
    for (const { socket } of halfOpen) socket.destroy();
    // The places are free again, for the whole session and not twice.
    await expect
      .poll(
        async () =>
          await Client.connectTls(port).then(
            () => 'in',
            () => 'out',
          ),
      )
      .toBe('in');
  });
});

describe('thousands of connections', () => {
  it('that close at once leave nothing behind, and others are served', async () => {
    const { port, service, connect } = await start({ yaml: OUTSIDE });
    for (let round = 0; round < 5; round += 1) {
      const batch = await Promise.all(Array.from({ length: 200 }, () => silent(port)));
      for (const { socket } of batch.slice(0, 100)) socket.resetAndDestroy();
      for (const { socket } of batch.slice(100)) socket.destroy();
    }
    await eventually(() => service.sessions === 0);
    const client = await connect();
    await client.hello();
    expect(await client.send('x')).toMatch(/^250 /);
  });

  it('beyond the limit are told so, and the places come back', async () => {
    const { port, service, connect } = await start({
      smtp: 'maxConnections: 50\nmaxConnectionsPerClient: 1000',
      yaml: OUTSIDE,
    });
    const all = await Promise.all(Array.from({ length: 300 }, () => silent(port)));
    await eventually(() => all.every(({ text }) => /^(?:220|421) /.test(text())));
    expect(all.filter(({ text }) => text().startsWith('220')).length).toBe(50);
    expect(all.filter(({ text }) => text().startsWith('421 4.7.0 Too many connections')).length).toBe(250);
    for (const { socket } of all) socket.destroy();
    await eventually(() => service.sessions === 0);
    const client = await connect();
    expect(await client.reply()).toMatch(/^220 /);
  });

  it('that were refused and are kept open are not waited for beyond a number', async () => {
    const connecting = vi.spyOn(Listener.prototype, 'connect');
    const { port } = await start({ smtp: 'maxConnections: 20\nmaxConnectionsPerClient: 10', yaml: OUTSIDE });
    const all = await Promise.all(Array.from({ length: 100 }, () => silent(port, true)));
    await eventually(() => all.every(({ text }) => /^(?:220|421) /.test(text())));
    const listener = connecting.mock.contexts.find((context) => context instanceof Listener);
    connecting.mockRestore();
    await eventually(() => (listener?.sessions.size ?? 100) <= 30);
    expect(listener?.sessions.size).toBe(30);
  });
});

describe('commands that lead to nothing', () => {
  async function outside(options: GatewayOptions): Promise<Client> {
    const { connect } = await start({ ...options, yaml: `${OUTSIDE}${options.yaml ?? ''}` });
    const client = await connect();
    await client.hello();
    return client;
  }

  async function untilClosed(client: Client, lines: readonly string[]): Promise<string> {
    client.write(`${lines.join('\r\n')}\r\n`);
    return await client.closed();
  }

  it('such as MAIL that is put off again and again, are errors in the end', async () => {
    const client = await outside({ hasRoom: () => false, smtp: 'maxErrors: 5' });
    const text = await untilClosed(
      client,
      Array.from({ length: 300 }, () => 'MAIL FROM:<a@example.net>'),
    );
    expect(text.match(/^452 /gm)?.length).toBe(104);
    expect(text).toMatch(/\r\n421 4\.7\.0 Too many errors\r\n$/);
  });

  it('such as recipients beyond the limit, are errors in the end', async () => {
    const client = await outside({ smtp: 'maxErrors: 5\nmaxRecipients: 10' });
    await client.command('MAIL FROM:<a@example.net>');
    const text = await untilClosed(
      client,
      Array.from({ length: 2000 }, (_, i) => `RCPT TO:<b${i}@example.org>`),
    );
    expect(text.match(/^250 /gm)?.length).toBe(10);
    expect(text.match(/^452 4\.5\.3 /gm)?.length).toBe(1005);
    expect(text).toMatch(/\r\n421 4\.7\.0 Too many errors\r\n$/);
  });

  it('are no errors where a list has more recipients than fit', async () => {
    const client = await outside({ smtp: 'maxErrors: 5\nmaxRecipients: 10' });
    client.write(
      `MAIL FROM:<a@example.net>\r\n${Array.from({ length: 900 }, (_, i) => `RCPT TO:<b${i}@example.org>\r\n`).join('')}`,
    );
    for (let i = 0; i < 901; i += 1) expect(await client.reply()).toMatch(/^(?:250|452 4\.5\.3) /);
    expect(await client.command('DATA')).toMatch(/^354 /);
    client.write('x\r\n.\r\n');
    expect(await client.reply()).toMatch(/^250 /);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { startGateway, type Gateway, type GatewayOptions } from './harness.js';

let gateway: Gateway | undefined;

async function start(options: GatewayOptions): Promise<Gateway> {
  gateway = await startGateway(options);
  return gateway;
}

afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});

describe('the PROXY protocol', () => {
  const behind = { smtp: 'proxyProtocol: ["127.0.0.0/8"]\nmaxConnectionsPerClient: 1' };

  it('names the client, who is then the one that counts', async () => {
    const { connect, seen } = await start(behind);
    const client = await connect();
    client.write('PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\n');
    await client.hello();
    await client.command('MAIL FROM:<a@example.net>');
    expect(await client.command('RCPT TO:<b@other.example>')).toMatch(/^550 5\.7\.1 /);
    await client.command('RSET');
    expect(await client.send('x')).toMatch(/^250 /);
    expect(seen[0]?.envelope).toMatchObject({ client: '192.0.2.7', trusted: false });

    const same = await connect();
    same.write('PROXY TCP4 192.0.2.7 192.0.2.1 4712 25\r\n');
    expect(await same.reply()).toMatch(/^421 4\.7\.0 /);
    const other = await connect();
    other.write('PROXY TCP6 2001:db8::7 2001:db8::1 4713 25\r\n');
    expect(await other.reply()).toMatch(/^220 /);
  });

  it.each([
    'EHLO c\r\n',
    'PROXY TCP4 evil 192.0.2.1 1 2\r\n',
    `PROXY ${'x'.repeat(2000)}`,
    `PROXY ${'x'.repeat(50)}\r\n`,
    '\r\n',
  ])('is required: %j ends the connection without a session', async (line) => {
    const { connect, service } = await start(behind);
    const client = await connect();
    client.write(line);
    expect(await client.closed()).not.toMatch(/^220/m);
    expect(service.counters.sessions).toBe(0);
  });

  it('may come in pieces, with the next command behind it, and may name nobody', async () => {
    const { connect, seen } = await start({
      smtp: 'proxyProtocol: ["127.0.0.0/8"]',
      yaml: 'trusted: ["127.0.0.1", "192.0.2.7"]\n',
    });
    const client = await connect();
    for (const byte of 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r') await client.flush(Buffer.from(byte));
    client.write('\nEHLO c\r\n');
    expect(await client.reply()).toMatch(/^220 /);
    expect(await client.reply()).toMatch(/^250-/);
    expect(await client.send('x', ['b@other.example'])).toMatch(/^250 /);
    const unknown = await connect();
    unknown.write('PROXY UNKNOWN\r\n');
    await unknown.hello();
    await unknown.command('MAIL FROM:<a@example.net>');
    expect(await unknown.command('RCPT TO:<b@other.example>')).toMatch(/^550 5\.7\.1 /);
    await unknown.command('RSET');
    expect(await unknown.send('x')).toMatch(/^250 /);
    expect(seen.map(({ envelope }) => [envelope.client, envelope.trusted])).toEqual([
      ['192.0.2.7', true],
      ['127.0.0.1', false],
    ]);
  });

  it('is refused from others', async () => {
    const { connect, seen } = await start({ smtp: 'proxyProtocol: ["192.0.2.1"]' });
    const client = await connect();
    await client.reply();
    client.write('PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\nEHLO c\r\n');
    expect(await client.reply()).toMatch(/^421 4\.7\.1 /);
    expect(await client.closed()).toBe('');
    expect(seen).toEqual([]);
  });
});

describe('XCLIENT', () => {
  const named = { smtp: 'xclient: ["127.0.0.1"]' };

  it('names the client and starts the session over', async () => {
    const { connect, seen } = await start(named);
    const client = await connect();
    expect(await client.hello()).toContain('XCLIENT NAME ADDR PORT PROTO HELO LOGIN');
    expect(await client.command('XCLIENT ADDR=IPv6:2001:db8::7 NAME=client.example')).toMatch(/^220 /);
    expect(await client.command('EHLO behind.example')).not.toContain('XCLIENT');
    await client.command('MAIL FROM:<a@example.net>');
    expect(await client.command('RCPT TO:<b@other.example>')).toMatch(/^550 5\.7\.1 /);
    await client.command('RSET');
    await client.send('x');
    expect(seen[0]?.envelope).toMatchObject({ client: '2001:db8::7', helo: 'behind.example', trusted: false });
    expect(seen[0]?.received).toContain('([IPv6:2001:db8::7])');
  });

  it('names what the client had said with HELO', async () => {
    const { connect, seen } = await start(named);
    const client = await connect();
    await client.hello();
    expect(await client.command('XCLIENT ADDR=192.0.2.7 HELO=client.example')).toMatch(/^220 /);
    await client.command('EHLO proxy.example');
    await client.send('x');
    expect(seen[0]?.envelope.helo).toBe('client.example');
    expect(seen[0]?.received).toContain('from client.example ([192.0.2.7])');
  });

  it('does not lend the address of the proxy to a client that has none', async () => {
    const { connect, seen } = await start({ ...named, yaml: 'trusted: ["127.0.0.1"]\n' });
    const client = await connect();
    await client.hello();
    expect(await client.command('XCLIENT ADDR=[UNAVAILABLE] NAME=[UNAVAILABLE] HELO=[UNAVAILABLE]')).toMatch(/^220 /);
    await client.command('EHLO proxy.example');
    await client.command('MAIL FROM:<a@example.net>');
    expect(await client.command('RCPT TO:<b@other.example>')).toMatch(/^550 5\.7\.1 /);
    await client.command('RSET');
    expect(await client.send('x')).toMatch(/^250 /);
    expect(seen[0]?.envelope).toMatchObject({ helo: 'proxy.example', trusted: false });
  });

  it('with LOGIN authenticates', async () => {
    const { connect, seen } = await start(named);
    const client = await connect();
    await client.hello();
    expect(await client.command('XCLIENT ADDR=192.0.2.7 LOGIN=anna')).toMatch(/^220 /);
    await client.command('EHLO behind.example');
    expect(await client.send('x', ['b@other.example'])).toMatch(/^250 /);
    expect(seen[0]?.envelope).toMatchObject({ client: '192.0.2.7', user: 'anna', trusted: true });
  });

  it.each(['ADDR=[UNAVAILABLE]', 'ADDR=192.0.2.7', 'LOGIN=[UNAVAILABLE]'])(
    'with %s ends a login of before',
    async (who) => {
      const { connect } = await start({ ...named, yaml: 'trusted: []\n' });
      const client = await connect();
      await client.hello();
      expect(await client.command('XCLIENT LOGIN=anna')).toMatch(/^220 /);
      await client.command('EHLO proxy.example');
      await client.command('MAIL FROM:<a@example.net>');
      expect(await client.command(`XCLIENT ${who}`)).toMatch(/^503 /);
      expect(await client.command('RCPT TO:<b@other.example>')).toMatch(/^250 /);
      await client.command('RSET');
      expect(await client.command(`XCLIENT ${who}`)).toMatch(/^220 /);
      await client.command('EHLO behind.example');
      await client.command('MAIL FROM:<a@example.net>');
      expect(await client.command('RCPT TO:<b@other.example>')).toMatch(/^550 5\.7\.1 /);
    },
  );

  it('is refused from others', async () => {
    const { connect } = await start({ smtp: 'xclient: ["192.0.2.1"]' });
    const client = await connect();
    expect(await client.hello()).not.toContain('XCLIENT');
    expect(await client.command('XCLIENT ADDR=192.0.2.7')).toMatch(/^550 5\.7\.0 /);
  });
});

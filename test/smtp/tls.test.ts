import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Listener } from '../../src/smtp/listener.js';
import { setUser } from '../../src/smtp/users.js';
import { silentLog } from '../../src/telemetry/log.js';
import { Client, eventually, startGateway, TLS_FOLDER, type Gateway, type GatewayOptions } from './harness.js';

const TLS = `tls: { cert: "${path.join(TLS_FOLDER, 'cert.pem')}", key: "${path.join(TLS_FOLDER, 'key.pem')}" }`;

let gateway: Gateway | undefined;

async function start(options: GatewayOptions = {}): Promise<Gateway> {
  gateway = await startGateway({ ...options, smtp: `${TLS}\n${options.smtp ?? ''}` });
  return gateway;
}

afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('STARTTLS', () => {
  it('is offered, makes the session start over, and is noted in the envelope', async () => {
    const { connect, seen } = await start();
    const client = await connect();
    expect(await client.hello()).toContain('STARTTLS');
    await client.command('MAIL FROM:<a@example.net>');
    expect(await client.command('STARTTLS')).toMatch(/^220 /);
    await client.startTls();
    expect(await client.command('RCPT TO:<b@example.org>')).toMatch(/^503 5\.5\.1 /);
    expect(await client.command('EHLO again.example.net')).not.toContain('STARTTLS');
    expect(await client.send('x')).toMatch(/^250 /);
    expect(seen[0]?.envelope).toMatchObject({ tls: true, helo: 'again.example.net' });
    expect(seen[0]?.received).toContain(' with ESMTPS\r\n');
  });

  it('discards what was sent in the clear behind it', async () => {
    const { connect, seen } = await start();
    const client = await connect();
    await client.hello();
    client.write('STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@example.net>\r\n');
    expect(await client.reply()).toMatch(/^220 /);
    await client.startTls();
    expect(await client.command('EHLO good')).toMatch(/^250-mx\.example\.org\n/);
    expect(await client.send('x')).toMatch(/^250 /);
    expect(seen[0]?.envelope).toMatchObject({ helo: 'good', sender: 'a@example.net' });
  });
});

describe('a session that is over', () => {
  it.each(['in the clear', 'with STARTTLS', 'in the handshake of STARTTLS', 'with TLS from the first byte'])(
    'is let go of: %s',
    async (how) => {
      const connecting = vi.spyOn(Listener.prototype, 'connect');
      const implicit = how === 'with TLS from the first byte';
      const { connect, port, service } = await start(implicit ? { listen: 'tls://127.0.0.1:0' } : {});
      const client = implicit ? await Client.connectTls(port) : await connect();
      await client.hello();
      const listener = connecting.mock.contexts.find((context) => context instanceof Listener);
      connecting.mockRestore();
      expect(listener?.sessions.size).toBe(1);
      if (how.endsWith('STARTTLS')) await client.command('STARTTLS');
      if (how === 'with STARTTLS') {
        await client.startTls();
        await client.command('QUIT');
      }
      client.destroy();
      await eventually(() => listener?.sessions.size === 0 && service.sessions === 0);
    },
  );

  it('by a stop in the middle of the handshake of STARTTLS is let go of', async () => {
    const { connect, service } = await start({ smtp: 'timeouts: { stop: 0s }' });
    const client = await connect();
    await client.hello();
    await client.command('STARTTLS');
    await service.close();
    expect(await client.closed()).toBe('');
  });
});

describe('implicit TLS', () => {
  it('is spoken on tls:// listeners', async () => {
    const { port, seen, service } = await start({ listen: 'tls://127.0.0.1:0' });
    expect(service.addresses).toEqual([{ host: '127.0.0.1', port, implicitTls: true }]);
    const client = await Client.connectTls(port);
    expect(await client.hello()).not.toContain('STARTTLS');
    expect(await client.send('x')).toMatch(/^250 /);
    expect(seen[0]?.envelope.tls).toBe(true);
  });

  it('lets a client close its side behind the data, and answers', async () => {
    const connecting = vi.spyOn(Listener.prototype, 'connect');
    const { port, service } = await start({
      listen: 'tls://127.0.0.1:0',
      handle: async () => {
        await eventually(() => [...(listener?.sessions ?? [])].every(({ _socket }) => _socket.readableEnded));
        return { code: 250, enhanced: '2.0.0', text: 'Ok' };
      },
    });
    const client = await Client.connectTls(port);
    await client.hello();
    const listener = connecting.mock.contexts.find((context) => context instanceof Listener);
    connecting.mockRestore();
    for (const line of ['MAIL FROM:<a@example.net>', 'RCPT TO:<b@example.org>', 'DATA']) await client.command(line);
    client.write('x\r\n.\r\n');
    client.end();
    expect(await client.reply()).toMatch(/^250 /);
    await client.closed();
    await eventually(() => service.sessions === 0);
  });

  it('needs a certificate', async () => {
    await expect(startGateway({ listen: 'tls://127.0.0.1:0' })).rejects.toThrow('needs `smtp.tls`');
  });
});

describe('AUTH', () => {
  async function withUser(): Promise<Client> {
    const { connect, folder } = await start({ smtp: 'auth: { users: ./users }', yaml: 'trusted: []\n' });
    await setUser(path.join(folder, 'users'), 'anna', 'geheim');
    const client = await connect();
    expect(await client.hello()).not.toContain('AUTH');
    expect(await client.command(`AUTH PLAIN ${base64('\0anna\0geheim')}`)).toMatch(/^538 5\.7\.11 /);
    await client.command('STARTTLS');
    await client.startTls();
    expect(await client.command('EHLO c')).toContain('250 AUTH PLAIN LOGIN');
    return client;
  }

  it('PLAIN lets a client relay, and is noted', async () => {
    const client = await withUser();
    expect(await client.command(`AUTH PLAIN ${base64('\0anna\0geheim')}`)).toMatch(/^235 2\.7\.0 /);
    expect(await client.command('EHLO c')).not.toContain('AUTH');
    expect(await client.send('x', ['b@other.example'])).toMatch(/^250 /);
    expect(gateway?.seen[0]?.envelope).toMatchObject({ user: 'anna', trusted: true });
    expect(gateway?.seen[0]?.received).toContain(' with ESMTPSA\r\n');
  });

  it('LOGIN works too, and a wrong password does not', async () => {
    const client = await withUser();
    expect(await client.command('AUTH LOGIN')).toBe('334 VXNlcm5hbWU6');
    expect(await client.command(base64('anna'))).toBe('334 UGFzc3dvcmQ6');
    expect(await client.command(base64('falsch'))).toMatch(/^535 5\.7\.8 /);
    expect(await client.command(`AUTH PLAIN ${base64('\0otto\0geheim')}`)).toMatch(/^535 5\.7\.8 /);
    await client.command('MAIL FROM:<a@example.net>');
    expect(await client.command('RCPT TO:<b@other.example>')).toMatch(/^550 5\.7\.1 /);
    await client.command('RSET');
    await client.command('AUTH LOGIN');
    await client.command(base64('anna'));
    expect(await client.command(base64('geheim'))).toMatch(/^235 2\.7\.0 /);
  });

  it('can be given up, and what is no base64 is not guessed at', async () => {
    const client = await withUser();
    const right = base64('\0anna\0geheim');
    for (const lines of [
      ['AUTH PLAIN', '*'],
      ['AUTH LOGIN', '*'],
      ['AUTH LOGIN', base64('anna'), '*'],
    ]) {
      for (const line of lines.slice(0, -1)) expect(await client.command(line)).toMatch(/^334(?: |$)/);
      expect(await client.command('*')).toMatch(/^501 5\.\d+\.\d+ /);
    }
    for (const lines of [
      ['AUTH PLAIN', `${right}!`],
      ['AUTH PLAIN', right.slice(0, -1)],
      [`AUTH PLAIN ${right}!`],
      ['AUTH LOGIN anna1'],
      ['AUTH LOGIN', base64('anna'), 'g\u00e9heim'],
    ]) {
      for (const line of lines.slice(0, -1)) expect(await client.command(line)).toMatch(/^334(?: |$)/);
      expect(await client.command(lines.at(-1) ?? '')).toMatch(/^501 5\.5\.2 /);
    }
    expect(await client.command('AUTH PLAIN =')).toMatch(/^501 /);
    expect(await client.command('AUTH CRAM-MD5')).toMatch(/^504 /);
    expect(await client.command(`AUTH PLAIN ${base64('otto\0anna\0geheim')}`)).toMatch(/^535 5\.7\.8 /);
    expect(await client.command('AUTH PLAIN')).toMatch(/^334 ?$/);
    expect(await client.command(base64('anna\0anna\0geheim'))).toMatch(/^235 2\.7\.0 /);
    expect(await client.command(`AUTH PLAIN ${right}`)).toMatch(/^503 /);
  });

  it('is temporary when the users file cannot be read', async () => {
    const { connect } = await start({ smtp: 'auth: { users: ./users }' });
    const client = await connect();
    await client.hello();
    await client.command('STARTTLS');
    await client.startTls();
    await client.command('EHLO c');
    const reply = await client.command(`AUTH PLAIN ${base64('\0anna\0geheim')}`);
    expect(reply).toBe('454 4.7.0 Temporary authentication failure');
  });
});

describe('a start', () => {
  it('with a certificate that is none says which', async () => {
    const broken = await startGateway();
    const cert = path.join(broken.folder, 'cert.pem');
    await writeFile(cert, 'nonsense');
    try {
      await expect(startGateway({ smtp: `tls: { cert: "${cert}", key: "${cert}" }` })).rejects.toThrow('`smtp.tls`');
      await expect(startGateway({ smtp: 'tls: { cert: ./none.pem, key: ./none.pem }' })).rejects.toThrow(
        '`smtp.tls.cert` cannot be read',
      );
    } finally {
      await broken.stop();
    }
  });

  it('on a port that is taken says so', async () => {
    const { port } = await start();
    await expect(startGateway({ listen: `127.0.0.1:${port}` })).rejects.toThrow(
      `\`smtp.listen\`: cannot listen on 127.0.0.1:${port}: another program listens there already`,
    );
  });

  it('on an address that is not of this machine says so, and nothing of connections', async () => {
    const log = silentLog();
    const info = vi.spyOn(log, 'info');
    // RFC 5737: an address for documents, which no machine has.
    await expect(startGateway({ listen: '203.0.113.9:0', log })).rejects.toThrow(
      '`smtp.listen`: cannot listen on 203.0.113.9:0: this machine has no such address',
    );
    expect(info).not.toHaveBeenCalled();
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { Client, startGateway, type Gateway, type GatewayOptions } from './harness.js';

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

describe('a client that closes its side', () => {
  const DIALOGUE = 'EHLO c\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n';

  it('when it has said all gets all its replies', async () => {
    const { connect, service } = await start({
      handle: async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        return { code: 250, enhanced: '2.0.0', text: 'Ok: taken' };
      },
    });
    const client = await connect();
    client.write(`${DIALOGUE}.\r\n`);
    client.end();
    const replies = (await client.closed()).trim().split('\r\n');
    expect(replies.at(-1)).toBe('250 2.0.0 Ok: taken');
    expect(replies.filter((line) => line.startsWith('250-')).length).toBeGreaterThan(3);
    await expect.poll(() => service.sessions).toBe(0);
  });

  it.each(['', 'EHLO c\r\n', 'EHLO', DIALOGUE])('after %j has left', async (said) => {
    const { connect, service, seen } = await start();
    const client = await connect();
    await expect.poll(() => service.sessions).toBe(1);
    client.write(said);
    client.end();
    await client.closed();
    await expect.poll(() => service.sessions).toBe(0);
    expect(seen).toEqual([]);
  });
});

describe('a session', () => {
  it('greets, names its extensions, takes a message and answers with the trace ID', async () => {
    const { connect, seen } = await start();
    const client = await connect();
    expect(await client.reply()).toMatch(/^220 mx\.example\.org ESMTP/);
    expect((await client.command('EHLO client.example.net')).split('\n')).toEqual([
      '250-mx.example.org',
      '250-PIPELINING',
      `250-SIZE ${50 * 2 ** 20}`,
      '250-8BITMIME',
      '250-SMTPUTF8',
      '250-DSN',
      '250 ENHANCEDSTATUSCODES',
    ]);
    expect(await client.command('MAIL FROM:<a@example.net>')).toBe('250 2.1.0 Ok');
    expect(await client.command('RCPT TO:<b@example.org>')).toBe('250 2.1.5 Ok');
    expect(await client.command('DATA')).toBe('354 End data with <CR><LF>.<CR><LF>');
    client.write('Subject: hello\r\n\r\n..dot\r\nend\r\n.\r\n');
    const reply = await client.reply();
    const [message] = seen;
    expect(message?.text).toBe('Subject: hello\r\n\r\n.dot\r\nend\r\n');
    expect(reply).toBe(`250 2.0.0 Ok: queued as ${message?.traceId ?? ''}`);
    expect(message?.envelope).toEqual({
      sender: 'a@example.net',
      recipients: [{ address: 'b@example.org' }],
      client: '127.0.0.1',
      helo: 'client.example.net',
      tls: false,
      trusted: true,
      smtpUtf8: false,
      eightBit: false,
    });
    expect(message?.received).toMatch(
      /^Received: from client\.example\.net \(\[127\.0\.0\.1\]\)\r\n\tby mx\.example\.org with ESMTP\r\n\tid [0-9A-Z]{26}\r\n\tfor <b@example\.org>;\r\n\t\w{3}, \d{2} \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n$/,
    );
    expect(await client.command('QUIT')).toMatch(/^221 2\.0\.0 /);
    expect(await client.closed()).toBe('');
  });

  it('takes a whole dialogue that is pipelined in one segment, with two messages', async () => {
    const { connect, seen } = await start();
    const client = await connect();
    await client.reply();
    const mail = 'MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n';
    client.write(`EHLO c\r\n${mail}Subject: 1\r\n\r\n1\r\n.\r\n${mail}Subject: 2\r\n\r\n2\r\n.\r\nQUIT\r\n`);
    const replies: string[] = [];
    for (let i = 0; i < 10; i += 1) replies.push((await client.reply()).slice(0, 3));
    expect(replies).toEqual(['250', '250', '250', '354', '250', '250', '250', '354', '250', '221']);
    expect(seen.map(({ text }) => text)).toEqual(['Subject: 1\r\n\r\n1\r\n', 'Subject: 2\r\n\r\n2\r\n']);
  });

  it('takes a message of no bytes', async () => {
    const { connect, seen } = await start();
    const client = await connect();
    await client.hello();
    await client.command('MAIL FROM:<>');
    await client.command('RCPT TO:<b@example.org>');
    await client.command('DATA');
    client.write('.\r\n');
    expect(await client.reply()).toMatch(/^250 2\.0\.0 /);
    expect(seen[0]).toMatchObject({ text: '', envelope: { sender: '' } });
  });

  it('gives the handler what it needs for status notifications', async () => {
    const client = await greeted();
    await client.command('MAIL FROM:<a@example.net> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=QQ+2B314');
    await client.command('RCPT TO:<b@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b@old.example');
    await client.command('RCPT TO:<c@example.org> NOTIFY=NEVER');
    await client.command('DATA');
    client.write('x\r\n.\r\n');
    await client.reply();
    expect(gateway?.seen[0]?.envelope).toMatchObject({
      eightBit: true,
      ret: 'headers',
      envid: 'QQ+2B314',
      recipients: [
        { address: 'b@example.org', notify: ['success', 'delay'], orcpt: 'rfc822;b@old.example' },
        { address: 'c@example.org', notify: ['never'] },
      ],
    });
    expect(gateway?.seen[0]?.received).not.toContain('for <');
  });

  it.each([
    ['BDAT 10', '500 5.5.2'],
    ['EXPN list', '502 5.5.1'],
    ['VRFY someone', '252 2.5.0'],
    ['NOOP', '250 2.0.0'],
    ['RSET', '250 2.0.0'],
    ['HELP', '214 2.0.0'],
    ['WIZ', '500 5.5.2'],
    ['EHLO', '501 5.5.4'],
    ['RCPT TO:<b@example.org>', '503 5.5.1'],
    ['DATA', '503 5.5.1'],
    ['STARTTLS', '500 5.5.2'],
    ['AUTH PLAIN AGEAYg==', '500 5.5.2'],
    ['XCLIENT ADDR=192.0.2.1', '550 5.7.0'],
    ['MAIL FROM:a@example.net', '501 5.1.7'],
    ['MAIL FROM:<a b@example.net>', '501 5.1.7'],
    ['MAIL FROM:<a@example.net> FOO=1', '555 5.5.4'],
    ['MAIL FROM:<a@example.net> REQUIRETLS', '555 5.5.4'],
    ['MAIL FROM:<a@example.net> ENVID=a=b', '501 5.5.4'],
    ['MAIL FROM:<a@example.net> BODY=BINARYMIME', '501 5.5.4'],
    ['MAIL FROM:<a@example.net> SIZE=1 SIZE=1', '501 5.5.4'],
    ['MAIL FROM:<ä@example.net>', '553 5.6.7'],
    ['MAIL FROM:<a@example.net> SIZE=99999999999', '552 5.3.4'],
  ])('answers %s with %s', async (line, code) => {
    const client = await greeted();
    const reply = await client.command(line);
    expect(reply.slice(0, 9)).toBe(code);
    expect(reply.match(/\b[245]\.\d+\.\d+\b/g)).toHaveLength(1);
    expect(await client.command('NOOP')).toMatch(/^250/);
  });

  it('wants HELO first, and takes no parameters of DATA', async () => {
    const client = await (await start()).connect();
    await client.reply();
    expect(await client.command('MAIL FROM:<a@example.net>')).toMatch(/^503 5\.5\.1 /);
    await client.command('HELO c');
    await client.command('MAIL FROM:<a@example.net>');
    expect(await client.command('MAIL FROM:<a@example.net>')).toMatch(/^503 5\.5\.1 /);
    await client.command('RCPT TO:<b@example.org>');
    expect(await client.command('DATA now')).toMatch(/^501 5\.5\.4 /);
    expect(await client.command('DATA')).toMatch(/^354 /);
    client.write('x\r\n.\r\n');
    expect(await client.reply()).toMatch(/^250 /);
    expect(gateway?.seen[0]?.received).toContain(' with SMTP\r\n');
  });

  it('takes non-ASCII addresses with SMTPUTF8, and hands them on as they came', async () => {
    const client = await greeted({ yaml: 'domains: [BÜCHER.example]\ntrusted: []\n' });
    expect(await client.command('MAIL FROM:<jörg@example.net> SMTPUTF8')).toMatch(/^250 /);
    expect(await client.command('RCPT TO:<käthe@bücher.example>')).toMatch(/^250 /);
    expect(await client.command('RCPT TO:<hans@XN--BCHER-KVA.example>')).toMatch(/^250 /);
    await client.command('DATA');
    client.write('x\r\n.\r\n');
    await client.reply();
    expect(gateway?.seen[0]?.envelope).toMatchObject({
      sender: 'jörg@example.net',
      recipients: [{ address: 'käthe@bücher.example' }, { address: 'hans@XN--BCHER-KVA.example' }],
      smtpUtf8: true,
    });
    expect(gateway?.seen[0]?.received).toContain(' with UTF8SMTP\r\n');
  });
});

describe('what the handler does', () => {
  it('is the reply, made fit for the wire', async () => {
    const client = await greeted({
      handle: () => ({ code: 550, enhanced: '5.7.1', text: 'No\r\n250 way — really' }),
    });
    expect(await client.send('x')).toBe('550 5.7.1 No 250 way ? really');
    expect(await client.command('NOOP')).toMatch(/^250 /);
  });

  it('when it fails is 451 without a word of why', async () => {
    const client = await greeted({
      handle: () => Promise.reject(new Error('password=secret in /etc/gatepost')),
    });
    expect(await client.send('x')).toBe('451 4.3.0 Local error in processing, try again later');
    expect(await client.command('NOOP')).toMatch(/^250 /);
  });

  it('with no room is 452 at MAIL', async () => {
    const client = await greeted({ hasRoom: () => false });
    expect(await client.command('MAIL FROM:<a@example.net>')).toMatch(/^452 4\.3\.1 /);
  });
});

describe('relaying', () => {
  const outside = 'trusted: []\n';

  it.each([
    ['b@example.org', '250'],
    ['b@EXAMPLE.Org', '250'],
    ['postmaster', '250'],
    ['"b c"@example.org', '250'],
    ['b@other.example', '550'],
    ['b@sub.example.org', '550'],
    ['b@example.org.evil.example', '550'],
    ['b@[127.0.0.1]', '550'],
    ['b%other.example@example.net', '550'],
    ['@example.org:b@other.example', '550'],
    ['"b@example.org"@other.example', '550'],
    ['postmaster@other.example', '550'],
  ])('for an outside client: %s is %s', async (recipient, code) => {
    const client = await greeted({ yaml: outside });
    await client.command('MAIL FROM:<a@example.net>');
    const reply = await client.command(`RCPT TO:<${recipient}>`);
    expect(reply.slice(0, 3)).toBe(code);
    if (code === '550')
      expect(reply).toMatch(/^550 5\.7\.1 Relaying denied: \S+ is not among the domains of this gateway$/m);
  });

  it.each([
    'user%other.example@example.org',
    'user%other.example%example.net@example.org',
    'other.example!user@example.org',
    'example.net!other.example!user@EXAMPLE.org',
    '"user@other.example"@example.org',
    '"user\\@other.example"@example.org',
    '"user\\%other.example"@example.org',
    '"@example.net:user@other.example"@example.org',
    '@example.org:user%other.example@example.org',
  ])('for an outside client: %s is no way round, as the next hop could follow the route', async (recipient) => {
    const client = await greeted({ yaml: outside });
    await client.command('MAIL FROM:<a@example.net>');
    expect(await client.command(`RCPT TO:<${recipient}>`)).toBe(
      '550 5.7.1 Relaying denied: no @, % or ! may stand before the domain',
    );
  });

  it.each(['/G=John/S=Doe/O=Firm/@example.org', 'a|b@example.org', 'bounce+user=other.example@example.org'])(
    'for an outside client: %s is an address like others',
    async (recipient) => {
      const client = await greeted({ yaml: outside });
      await client.command('MAIL FROM:<a@example.net>');
      expect(await client.command(`RCPT TO:<${recipient}>`)).toMatch(/^250 /);
    },
  );

  it('leaves routes in a local part to clients that may relay', async () => {
    const client = await greeted();
    await client.command('MAIL FROM:<a@example.net>');
    expect(await client.command('RCPT TO:<user%other.example@example.org>')).toMatch(/^250 /);
    expect(await client.command('RCPT TO:<"user@other.example"@example.org>')).toMatch(/^250 /);
  });

  it('is open to a trusted client, also over a dual-stack listener', async () => {
    const { port } = await start({ listen: '[::]:0', yaml: 'trusted: ["127.0.0.1"]\n' });
    const client = await Client.connect(port);
    await client.hello();
    await client.command('MAIL FROM:<a@example.net>');
    expect(await client.command('RCPT TO:<b@other.example>')).toMatch(/^250 /);
  });

  it('goes by a change of the trusted clients from the next command on, in sessions that are open', async () => {
    const { connect, service, config } = await start({ yaml: outside });
    const client = await connect();
    await client.hello();
    const relayed = async (): Promise<string> => {
      await client.command('RSET');
      await client.command('MAIL FROM:<a@example.net>');
      return (await client.command('RCPT TO:<b@other.example>')).slice(0, 3);
    };
    expect(await relayed()).toBe('550');
    (await service.prepare({ ...config, trusted: ['127.0.0.1'] }))();
    expect(await relayed()).toBe('250');
    (await service.prepare({ ...config, trusted: [] }))();
    expect(await relayed()).toBe('550');
  });

  it('sends mail for postmaster to the first domain', async () => {
    const client = await greeted({ yaml: `${outside}domains: [one.example, two.example]\n` });
    await client.send('x', ['Postmaster']);
    expect(gateway?.seen[0]?.envelope.recipients).toEqual([{ address: 'Postmaster@one.example' }]);
  });

  it('refused for all recipients leaves nothing for DATA', async () => {
    const client = await greeted({ yaml: outside });
    await client.command('MAIL FROM:<a@example.net>');
    await client.command('RCPT TO:<b@other.example>');
    expect(await client.command('DATA')).toMatch(/^554 5\.5\.1 /);
  });
});

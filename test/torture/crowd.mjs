// Many SMTP clients in a process of their own, for memory.test.ts: their sockets and buffers are not the test's.
// Takes one job by message, reports the count of clients that got as far as was asked, and keeps them until it is ended.
import { once } from 'node:events';
import net from 'node:net';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';

/** Clients that connect at a time. */
const AT_ONCE = 200;
const LINE = `${'x'.repeat(76)}\r\n`;

/** A client that waits for one whole reply at a time. */
class Client {
  text = '';
  closed = false;

  constructor(port) {
    this.socket = net.connect({ port, host: '127.0.0.1' });
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk) => (this.text += chunk.toString('latin1')));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.closed = true));
  }

  /** The next reply, or an empty text when the connection is closed before it. */
  async reply() {
    for (;;) {
      const found = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.text);
      if (found !== null) {
        this.text = this.text.slice(found[0].length);
        return found[0];
      }
      if (this.closed) return '';
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')]).catch(() => undefined);
    }
  }

  async command(line) {
    this.socket.write(`${line}\r\n`);
    return await this.reply();
  }
}

async function connectAll(port, count) {
  const clients = [];
  const greetings = [];
  while (clients.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - clients.length) }, () => new Client(port));
    greetings.push(...(await Promise.all(some.map((client) => client.reply()))));
    clients.push(...some);
  }
  return { clients, greetings };
}

/** Says hello and then nothing. */
async function idle({ port, count }) {
  const { clients, greetings } = await connectAll(port, count);
  const let_in = clients.filter((_, i) => greetings[i].startsWith('220'));
  for (let i = 0; i < let_in.length; i += AT_ONCE)
    await Promise.all(let_in.slice(i, i + AT_ONCE).map((client) => client.command('EHLO idle.example')));
  const refused = greetings.filter((text) => text.startsWith('421')).length;
  return { served: let_in.length, refused, lost: count - let_in.length - refused };
}

/** All upload at the same time, a little of each in turn. */
async function upload({ port, count, bytes, piece, pause }) {
  const { clients } = await connectAll(port, count);
  for (const line of ['EHLO slow.example', 'MAIL FROM:<a@example.net>', 'RCPT TO:<b@example.org>', 'DATA'])
    await Promise.all(clients.map((client) => client.command(line)));
  const chunk = Buffer.from(LINE.repeat(Math.ceil(piece / LINE.length)));
  for (const client of clients) client.socket.write('Subject: large\r\n\r\n');
  for (let sent = 0; sent < bytes; sent += chunk.length) {
    for (const { socket } of clients) {
      socket.write(chunk);
      await turn();
    }
    await Promise.all(clients.map(({ socket }) => (socket.writableNeedDrain ? once(socket, 'drain') : undefined)));
    await delay(pause);
  }
  process.send({ uploaded: true });
  const replies = await Promise.all(clients.map((client) => client.command('.')));
  const taken = replies.filter((reply) => reply.startsWith('250')).length;
  return { taken, others: [...new Set(replies.filter((reply) => !reply.startsWith('250')))] };
}

process.once('message', (job) => {
  void (job.kind === 'idle' ? idle(job) : upload(job)).then((result) => process.send({ result }));
});

// A load of so many messages a second, and the time from the end of each message's data to its reply.
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** One kept session. */
class Session {
  #socket;
  #buffer = '';
  #waiting;

  static async open(port) {
    const session = new Session();
    session.#socket = net.connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
    session.#socket.on('data', (text) => session.#read(text));
    session.#socket.on('error', (error) => session.#waiting?.reject(error));
    await session.#reply();
    await session.#ask('EHLO bench.example\r\n');
    return session;
  }

  /** @returns ms from the end of the data to the reply */
  async send(body) {
    await this.#ask('MAIL FROM:<alice@partner.example>\r\n');
    await this.#ask('RCPT TO:<bob@example.org>\r\n');
    await this.#ask('DATA\r\n');
    this.#socket.write(body);
    const start = performance.now();
    await this.#ask('\r\n.\r\n');
    return performance.now() - start;
  }

  close() {
    this.#socket.end('QUIT\r\n');
  }

  #read(text) {
    this.#buffer += text;
    const end = /^\d{3} .*\r\n/m.exec(this.#buffer);
    if (end === null) return;
    this.#buffer = this.#buffer.slice(end.index + end[0].length);
    const { resolve, reject } = this.#waiting;
    if (end[0] < '4') resolve();
    else reject(new Error(end[0].trim()));
  }

  #reply() {
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
  }

  async #ask(text) {
    const reply = this.#reply();
    this.#socket.write(text);
    await reply;
  }
}

/** @returns median and 99th percentile, ms */
export async function latency({ port, body, rate, seconds, sessions }) {
  const free = await Promise.all(Array.from({ length: sessions }, () => Session.open(port)));
  const all = [...free];
  const times = [];
  const running = new Set();
  const start = performance.now();
  for (let i = 0; i < rate * seconds; i++) {
    const due = start + (i * 1000) / rate;
    const wait = due - performance.now();
    if (wait > 1) await delay(wait);
    while (free.length === 0) await Promise.race(running);
    const session = free.pop();
    const work = session.send(body).then((ms) => {
      times.push(ms);
      free.push(session);
      running.delete(work);
    });
    running.add(work);
  }
  await Promise.all(running);
  for (const session of all) session.close();
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))];
  return { median: at(0.5), p99: at(0.99) };
}

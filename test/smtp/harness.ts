import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { parseConfig, type Config } from '../../src/config/load.js';
import { readSource } from '../../src/message/source.js';
import type { SmtpReply } from '../../src/rules/types.js';
import { startSmtp, type SmtpService } from '../../src/smtp/smtp-service.js';
import type { MessageHandler, ReceivedMessage } from '../../src/smtp/types.js';
import { silentLog, type Log } from '../../src/telemetry/log.js';

/** A message as the handler saw it, with its bytes. */
export interface Seen extends ReceivedMessage {
  readonly text: string;
}

export interface Gateway {
  readonly service: SmtpService;
  readonly config: Config;
  readonly port: number;
  readonly seen: Seen[];
  readonly folder: string;
  /** Names in the folder for large uploads. */
  readonly uploads: () => Promise<string[]>;
  readonly connect: () => Promise<Client>;
  readonly stop: () => Promise<void>;
}

export interface GatewayOptions {
  /** gatepost.yaml; `smtp.listen` is put in. */
  readonly yaml?: string;
  readonly smtp?: string;
  readonly listen?: string;
  readonly hasRoom?: () => boolean;
  /** ms over which the speed of a client is measured. */
  readonly rateWindow?: number;
  /** ms for each wrong password. */
  readonly loginDelay?: number;
  readonly log?: Log;
  readonly handle?: (message: Seen) => Promise<SmtpReply> | SmtpReply;
}

export const TLS_FOLDER = path.resolve(import.meta.dirname, '../fixtures/tls');

export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-smtp-'));
  const spoolFolder = path.join(folder, 'uploads');
  const listen = options.listen ?? '127.0.0.1:0';
  const yaml = `smtp:\n  listen: ["${listen}"]\n${indent(options.smtp ?? '')}${options.yaml ?? ''}`;
  const { config } = await parseConfig(yaml, folder);
  const seen: Seen[] = [];
  const handler: MessageHandler = {
    hasRoom: options.hasRoom ?? (() => true),
    handle: async (message) => {
      const full = { ...message, text: (await readSource(message.source)).toString('latin1') };
      seen.push(full);
      return (
        (await options.handle?.(full)) ?? { code: 250, enhanced: '2.0.0', text: `Ok: queued as ${message.traceId}` }
      );
    },
  };
  const service = await startSmtp({
    config,
    handler,
    log: options.log ?? silentLog(),
    spoolFolder,
    ...(options.rateWindow === undefined ? {} : { rateWindow: options.rateWindow }),
    ...(options.loginDelay === undefined ? {} : { loginDelay: options.loginDelay }),
  });
  const port = service.addresses[0]?.port ?? 0;
  return {
    service,
    config,
    port,
    seen,
    folder,
    uploads: () => readdir(spoolFolder),
    connect: () => Client.connect(port),
    stop: async () => {
      await service.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function indent(text: string): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => `  ${line}\n`)
    .join('');
}

/** A raw SMTP client: what it sends is what goes out. */
export class Client {
  #socket: net.Socket;
  #text = '';
  #ended = false;
  #waiting: (() => void)[] = [];

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    this.#listen();
  }

  static connect(port: number, host = '127.0.0.1'): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ port, host });
      socket.setNoDelay(true);
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Client(socket)));
    });
  }

  static async connectTls(port: number): Promise<Client> {
    const ca = await readFile(path.join(TLS_FOLDER, 'cert.pem'));
    return new Promise((resolve, reject) => {
      const socket = tls.connect({ port, host: '127.0.0.1', ca, servername: 'mx.example.org' });
      socket.once('error', reject);
      socket.once('secureConnect', () => resolve(new Client(socket)));
    });
  }

  write(data: string | Buffer): void {
    this.#socket.write(typeof data === 'string' ? Buffer.from(data, 'utf8') : data);
  }

  /** Writes and resolves when the bytes are handed to the system, so that the next write is its own segment. */
  flush(data: Buffer): Promise<void> {
    return new Promise((resolve) => this.#socket.write(data, () => setImmediate(resolve)));
  }

  /** Sends one command and waits for its reply. */
  async command(line: string): Promise<string> {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  /** The next reply, its lines joined with a line feed. */
  async reply(): Promise<string> {
    for (;;) {
      const match = /^(?:\d{3}-[^\r\n]*\r\n)*\d{3}(?: [^\r\n]*)?\r\n/.exec(this.#text);
      if (match !== null) {
        this.#text = this.#text.slice(match[0].length);
        return match[0].trimEnd().replaceAll('\r\n', '\n');
      }
      if (this.#ended) throw new Error(`the server closed; left: ${JSON.stringify(this.#text)}`);
      await this.#more();
    }
  }

  /** Resolves with what came after the last reply, when the server has closed. */
  async closed(): Promise<string> {
    while (!this.#ended) await this.#more();
    return this.#text;
  }

  async hello(name = 'client.example.net'): Promise<string> {
    await this.reply();
    return this.command(`EHLO ${name}`);
  }

  /** Greeting, EHLO and one message; resolves with the final reply. */
  async send(body: string | Buffer, recipients: readonly string[] = ['b@example.org'], sender = 'a@example.net') {
    await this.command(`MAIL FROM:<${sender}>`);
    for (const recipient of recipients) await this.command(`RCPT TO:<${recipient}>`);
    const go = await this.command('DATA');
    if (!go.startsWith('354')) return go;
    this.write(body);
    this.write('\r\n.\r\n');
    return this.reply();
  }

  async startTls(): Promise<void> {
    const ca = await readFile(path.join(TLS_FOLDER, 'cert.pem'));
    this.#socket.removeAllListeners();
    const plain = this.#socket;
    const secure = tls.connect({ socket: plain, ca, servername: 'mx.example.org' });
    this.#socket = secure;
    this.#listen();
    await new Promise<void>((resolve, reject) => {
      secure.once('secureConnect', resolve);
      secure.once('error', reject);
    });
  }

  /** Says that nothing more will come; replies are still read. */
  end(): void {
    this.#socket.end();
  }

  /** Is gone without a word: a reset tells the other side. */
  reset(): void {
    if (this.#socket instanceof tls.TLSSocket) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  /** Breaks the connection off. */
  destroy(): void {
    this.#socket.destroy();
  }

  #listen(): void {
    this.#socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('utf8');
      this.#wake();
    });
    for (const event of ['end', 'close', 'error']) {
      this.#socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Waits until the condition holds; the test's own timeout is the bound. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

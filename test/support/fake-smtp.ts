import { createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

/**
 * What the server does at a point of the dialogue: a string is sent as reply (CRLF is added); the word `close` ends the
 * connection, `hang` says nothing, `half` sends text without an end and closes. At the end of data a reply may come
 * `after` so many ms, and `swallow` takes the mail and ends the connection without a word.
 */
export type FakeAction = string | { readonly half: string } | { readonly reply: string; readonly after: number };

/** An action, or what chooses it; undefined takes the usual one. */
export type FakeChoice = FakeAction | ((argument: string, session: FakeSession) => FakeAction | undefined);

export interface FakeSession {
  /** Number of the connection, from 1. */
  readonly connection: number;
  /** Mails that this connection has carried. */
  readonly mails: number;
  /** The name that the client gave with EHLO; empty before. */
  readonly helo: string;
}

export interface FakeScript {
  readonly greeting?: FakeChoice;
  readonly ehlo?: FakeChoice;
  readonly starttls?: FakeChoice;
  readonly auth?: FakeChoice;
  readonly mail?: FakeChoice;
  readonly rcpt?: FakeChoice;
  readonly rset?: FakeChoice;
  readonly data?: FakeChoice;
  /** The answer to the end of data; `swallow` is known only here. */
  readonly end?: FakeChoice;
}

export interface FakeMail {
  readonly mailFrom: string;
  readonly rcptTo: readonly string[];
  /** What came between DATA and its end, dots un-stuffed, with the last CRLF. */
  readonly bytes: Buffer;
}

export interface FakeSmtp {
  readonly port: number;
  /** `smtp://127.0.0.1:port` */
  readonly url: string;
  /** Mails whose end of data was answered with 2xx. */
  readonly mails: readonly FakeMail[];
  /** Command lines as they came, with the number of the connection in front: `1 EHLO x`. */
  readonly dialogue: readonly string[];
  readonly connections: number;
  /** Changes the script for what comes. */
  script: FakeScript;
  /** Sends a reply on all connections, also on those that hang. */
  say(reply: string): void;
  /** Cuts all connections. */
  cut(): void;
  /** Stops listening and cuts all connections. */
  close(): Promise<void>;
}

export interface FakeOptions {
  /** Port to listen on; default: a free one. */
  readonly port?: number;
  readonly extensions?: readonly string[];
  readonly script?: FakeScript;
  /**
   * Takes each mail in place of `mails`.
   * @param told the 2xx could be written to a connection that was there
   * @param read when the end of its data was read, ms since the epoch: the 2xx may come long after
   */
  readonly onMail?: (mail: FakeMail, told: boolean, session: FakeSession, read: number) => void;
  /** Certificate and key (PEM) for STARTTLS, which is then offered; `implicit` begins with TLS. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly implicit?: boolean };
}

export const USUAL_EXTENSIONS = ['PIPELINING', 'SIZE 0', '8BITMIME', 'SMTPUTF8', 'DSN', 'ENHANCEDSTATUSCODES'];

/** A server on 127.0.0.1 that follows a script, for tests of clients. */
export async function startFakeSmtp(options: FakeOptions = {}): Promise<FakeSmtp> {
  const mails: FakeMail[] = [];
  const dialogue: string[] = [];
  const sockets = new Set<Socket>();
  const state = { script: options.script ?? {}, connections: 0 };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    state.connections += 1;
    serve(socket, state.connections);
  });

  function serve(raw: Socket, connection: number): void {
    let socket: Socket = raw;
    let secure = false;
    let buffer = Buffer.alloc(0);
    let inData = false;
    let silent = false;
    let waiting = false;
    let mailFrom = '';
    let refused = false;
    let rcptTo: string[] = [];
    const session = { connection, mails: 0, helo: '' };

    const secured = (): void => {
      const { cert = '', key = '' } = options.tls ?? {};
      socket.removeAllListeners('data');
      socket = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ cert, key }) });
      secure = true;
      listen();
    };

    /** @returns whether the action was a reply of the given class */
    const act = (choice: FakeChoice | undefined, argument: string, usual: string): string => {
      const action = (typeof choice === 'function' ? choice(argument, session) : choice) ?? usual;
      if (action === 'hang') {
        silent = true;
        return '';
      }
      if (action === 'close') {
        silent = true;
        socket.destroy();
        return '';
      }
      if (typeof action !== 'string') {
        silent = true;
        socket.write('half' in action ? action.half : action.reply, () => socket.destroy());
        return '';
      }
      socket.write(`${action}\r\n`);
      return action;
    };

    const ehlo = (): string => {
      const offered = [
        'fake.test',
        ...(options.extensions ?? USUAL_EXTENSIONS),
        ...(options.tls !== undefined && !secure ? ['STARTTLS'] : []),
      ];
      return offered.map((line, index) => `250${index === offered.length - 1 ? ' ' : '-'}${line}`).join('\r\n');
    };

    const command = (line: string): void => {
      dialogue.push(`${connection} ${line}`);
      const { script } = state;
      const verb = (/^[A-Za-z]+/.exec(line)?.[0] ?? '').toUpperCase();
      const argument = line.slice(verb.length).trim();
      if (verb === 'EHLO') {
        session.helo = argument;
        act(script.ehlo, argument, ehlo());
      } else if (verb === 'STARTTLS') {
        if (act(script.starttls, argument, '220 go ahead').startsWith('220')) secured();
      } else if (verb === 'AUTH') act(script.auth, argument, '235 2.7.0 welcome');
      else if (verb === 'MAIL') {
        refused = !act(script.mail, argument, '250 2.1.0 ok').startsWith('2');
        rcptTo = [];
        if (!refused) mailFrom = argument;
      } else if (verb === 'RCPT') {
        const usual = refused ? '503 5.5.1 MAIL first' : '250 2.1.5 ok';
        if (act(script.rcpt, argument, usual).startsWith('2')) rcptTo.push(argument);
      } else if (verb === 'DATA') {
        const usual = rcptTo.length > 0 ? '354 go on' : '503 5.5.1 no valid recipients';
        inData = act(script.data, argument, usual).startsWith('354');
      } else if (verb === 'RSET') act(script.rset, argument, '250 2.0.0 ok');
      else if (verb === 'QUIT') {
        socket.end('221 2.0.0 bye\r\n');
        silent = true;
      } else act(script.auth, line, '500 5.5.2 what?');
    };

    const endOfData = (bytes: Buffer): void => {
      inData = false;
      const text = bytes.toString('latin1').replace(/^\./gm, '');
      session.mails += 1;
      const mail = { mailFrom, rcptTo, bytes: Buffer.from(text, 'latin1') };
      rcptTo = [];
      const read = Date.now();
      const keep = (told: boolean): void => {
        if (options.onMail === undefined) mails.push(mail);
        else options.onMail(mail, told, session, read);
      };
      const { end } = state.script;
      const action = (typeof end === 'function' ? end('', session) : end) ?? '250 2.0.0 queued';
      if (action === 'swallow') {
        silent = true;
        keep(false);
        socket.destroy();
      } else if (typeof action !== 'string' && 'after' in action) {
        waiting = true;
        setTimeout(() => {
          waiting = false;
          if (act(action.reply, '', '').startsWith('2')) keep(!socket.destroyed);
          work();
        }, action.after);
      } else if (act(action, '', '').startsWith('2')) keep(true);
    };

    const work = (): void => {
      while (!silent && !waiting) {
        if (inData) {
          const empty = buffer.indexOf('.\r\n') === 0;
          const end = empty ? 0 : buffer.indexOf('\r\n.\r\n') + 2;
          if (!empty && end < 2) return;
          const bytes = buffer.subarray(0, end);
          buffer = buffer.subarray(end + 3);
          endOfData(bytes);
        } else {
          const end = buffer.indexOf('\r\n');
          if (end < 0) return;
          const line = buffer.toString('utf8', 0, end);
          buffer = buffer.subarray(end + 2);
          command(line);
        }
      }
    };

    function listen(): void {
      socket.on('data', (chunk: Buffer) => {
        buffer = Buffer.concat([buffer, chunk]);
        work();
      });
      socket.on('error', () => socket.destroy());
    }

    if (options.tls?.implicit === true) secured();
    else listen();
    act(state.script.greeting, '', '220 fake.test ESMTP');
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const { port } = address;

  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    mails,
    dialogue,
    get connections() {
      return state.connections;
    },
    get script() {
      return state.script;
    },
    set script(script: FakeScript) {
      state.script = script;
    },
    say(reply) {
      for (const socket of sockets) socket.write(`${reply}\r\n`);
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

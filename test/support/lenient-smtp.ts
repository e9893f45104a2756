import { createServer, type Socket } from 'node:net';

export interface LenientMail {
  readonly mailFrom: string;
  readonly lines: readonly string[];
}

export interface LenientSmtp {
  readonly port: number;
  /** Mails as this server understood them. */
  readonly mails: LenientMail[];
  /** Commands as this server understood them. */
  readonly commands: string[];
  close(): Promise<void>;
}

/**
 * A next hop that takes everything for a line end that some server has been seen to take for one: CRLF, a bare LF, a bare
 * CR, each with NUL anywhere in between. A line of one dot ends the data, whatever ends the lines.
 */
export async function startLenientSmtp(): Promise<LenientSmtp> {
  const mails: LenientMail[] = [];
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let line = '';
    let data: string[] | undefined;
    let mailFrom = '';
    const command = (text: string): void => {
      if (text === '') return;
      commands.push(text);
      const verb = text.slice(0, 4).toUpperCase();
      if (verb === 'EHLO') socket.write('250-lenient.test\r\n250-8BITMIME\r\n250 SIZE\r\n');
      else if (verb === 'DATA') {
        data = [];
        socket.write('354 go on\r\n');
      } else {
        if (verb === 'MAIL') mailFrom = text;
        socket.write(verb === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
      }
    };
    const take = (text: string): void => {
      if (data === undefined) command(text);
      else if (text === '.') {
        mails.push({ mailFrom, lines: data });
        data = undefined;
        socket.write('250 taken\r\n');
      } else data.push(text.startsWith('.') ? text.slice(1) : text);
    };
    let afterCr = false;
    socket.on('data', (chunk) => {
      for (const character of chunk.toString('latin1')) {
        if (character === '\0') continue;
        if (character === '\n' && afterCr) afterCr = false;
        else if (character === '\r' || character === '\n') {
          afterCr = character === '\r';
          take(line);
          line = '';
        } else {
          afterCr = false;
          line += character;
        }
      }
    });
    socket.write('220 lenient.test ESMTP\r\n');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    mails,
    commands,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

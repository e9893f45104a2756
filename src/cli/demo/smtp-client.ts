import net from 'node:net';
import { createInterface } from 'node:readline';

export interface SentMail {
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly bytes: Buffer;
  readonly declareSize?: boolean;
}

/** Sends one mail as an outside server would and returns the reply that settles it, in the server's own words. */
export async function sendMail(host: string, port: number, mail: SentMail): Promise<string> {
  const socket = net.connect(port, host);
  let broken = '421 the connection was closed';
  socket.on('error', (error) => {
    broken = `421 ${error.message}`;
  });
  const lines = createInterface({ input: socket, crlfDelay: Infinity })[Symbol.asyncIterator]();
  const reply = async (): Promise<string> => {
    for (;;) {
      const line = await lines.next();
      if (line.done === true) return broken;
      if (/^\d{3}(?!-)/.test(line.value)) return line.value;
    }
  };
  const say = async (command: string): Promise<string> => {
    socket.write(`${command}\r\n`);
    return await reply();
  };
  try {
    const greeting = await reply();
    if (!greeting.startsWith('2')) return greeting;
    await say('EHLO partner.example');
    const from = await say(
      `MAIL FROM:<${mail.sender}>${mail.declareSize === true ? ` SIZE=${mail.bytes.length}` : ''}`,
    );
    if (!from.startsWith('2')) return from;
    let last = '';
    let accepted = 0;
    for (const recipient of mail.recipients) {
      last = await say(`RCPT TO:<${recipient}>`);
      if (last.startsWith('2')) accepted += 1;
    }
    if (accepted === 0) return last;
    const data = await say('DATA');
    if (!data.startsWith('3')) return data;
    // RFC 5321 4.5.2: a dot at the start of a line is doubled.
    socket.write(Buffer.from(mail.bytes.toString('latin1').replace(/^\./gm, '..'), 'latin1'));
    const final = await say(mail.bytes.subarray(-2).toString('latin1') === '\r\n' ? '.' : '\r\n.');
    await say('QUIT');
    return final;
  } finally {
    socket.destroy();
  }
}

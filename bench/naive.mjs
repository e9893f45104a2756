// What a gateway costs that does the least: takes a message, parses it, sends it on. It decides and records nothing.
// usage: node bench/naive.mjs PORT HOP-PORT
import { simpleParser } from 'mailparser';
import nodemailer from 'nodemailer';
import { SMTPServer } from 'smtp-server';

const [port, hop] = process.argv.slice(2).map(Number);
const transport = nodemailer.createTransport({
  host: '127.0.0.1',
  port: hop,
  pool: true,
  maxConnections: 20,
  maxMessages: Infinity,
  ignoreTLS: true,
});

/** As it came in, with a field on top. */
async function pass(stream, session) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  const raw = Buffer.concat(pieces);
  const parsed = await simpleParser(raw);
  const infected = parsed.attachments.some(({ content }) => content.includes('EICAR-STANDARD-ANTIVIRUS-TEST-FILE'));
  if (infected) throw Object.assign(new Error('refused'), { responseCode: 550 });
  await transport.sendMail({
    envelope: {
      from: session.envelope.mailFrom.address,
      to: session.envelope.rcptTo.map(({ address }) => address),
    },
    raw: Buffer.concat([Buffer.from('X-Passed: naive\r\n'), raw]),
  });
}

const server = new SMTPServer({
  disabledCommands: ['AUTH', 'STARTTLS'],
  disableReverseLookup: true,
  logger: false,
  onData: (stream, session, callback) => void pass(stream, session).then(() => callback(null), callback),
});
server.on('error', () => {});
server.listen(port, '127.0.0.1');

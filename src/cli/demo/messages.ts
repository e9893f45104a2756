import { generateKeyPairSync, randomBytes } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer/index.js';
import DKIM from 'nodemailer/lib/dkim/index.js';
import { makeZip } from './zip.js';

export interface DemoMessage {
  readonly title: string;
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly bytes: Buffer;
  /** Announced with SIZE= at MAIL FROM. */
  readonly declareSize?: boolean;
}

const ALICE = 'alice@partner.example';
const BOB = 'bob@example.org';

/** The mail of the demonstration, made fresh: nothing harmful lies in a file. */
export async function demoMessages(maxSize: number): Promise<DemoMessage[]> {
  const compose = (
    subject: string,
    attachments: readonly Attachment[] = [],
    to: readonly string[] = [BOB],
  ): Promise<Buffer> =>
    build({
      from: `Alice <${ALICE}>`,
      to: [...to],
      subject,
      text: `Hello,\n\n${subject}.\n\nRegards,\nAlice\n`,
      attachments: [...attachments],
    });
  const plain = await compose('Notes from our meeting');
  return [
    { title: 'clean', sender: ALICE, recipients: [BOB], bytes: plain },
    {
      title: 'clean, with a DKIM signature',
      sender: ALICE,
      recipients: [BOB],
      bytes: await sign(await compose('Signed notes')),
    },
    {
      title: 'EICAR in a zip in a zip',
      sender: ALICE,
      recipients: [BOB],
      bytes: await compose('Your invoice', [
        {
          filename: 'invoice.zip',
          content: makeZip([{ name: 'inner.zip', data: makeZip([{ name: 'invoice.com', data: eicar() }]) }]),
        },
      ]),
    },
    {
      title: 'an .exe renamed to .pdf',
      sender: ALICE,
      recipients: [BOB],
      bytes: await compose('The report', [
        { filename: 'report.pdf', content: program(), contentType: 'application/pdf' },
        { filename: 'summary.txt', content: Buffer.from('All is well.\n') },
      ]),
    },
    {
      title: 'an encrypted zip',
      sender: ALICE,
      recipients: [BOB],
      bytes: await compose('The contract', [
        {
          filename: 'contract.zip',
          content: makeZip([{ name: 'contract.txt', data: Buffer.from('confidential') }], 'sesame'),
        },
      ]),
    },
    {
      title: 'a macro document',
      sender: ALICE,
      recipients: [BOB],
      bytes: await compose('Order form', [{ filename: 'order.docm', content: randomBytes(600) }]),
    },
    {
      title: 'two recipients, two rules',
      sender: ALICE,
      recipients: [BOB, 'build@example.org'],
      bytes: await compose(
        'The new release',
        [{ filename: 'setup.exe', content: program() }],
        [BOB, 'build@example.org'],
      ),
    },
    {
      title: 'a relay attempt',
      sender: ALICE,
      recipients: ['victim@elsewhere.example'],
      bytes: await compose('Buy now', [], ['victim@elsewhere.example']),
    },
    {
      title: 'an oversized one',
      sender: ALICE,
      recipients: [BOB],
      bytes: await compose('Holiday pictures', [{ filename: 'pictures.bin', content: randomBytes(maxSize) }]),
    },
    {
      title: 'a blocked recipient',
      sender: ALICE,
      recipients: ['former@example.org'],
      bytes: await compose('Are you still there?', [], ['former@example.org']),
    },
  ];
}

interface Attachment {
  readonly filename: string;
  readonly content: Buffer;
  readonly contentType?: string;
}

interface Mail {
  readonly from: string;
  readonly to: string[];
  readonly subject: string;
  readonly text: string;
  readonly attachments: Attachment[];
}

function build(mail: Mail): Promise<Buffer> {
  return new MailComposer({ ...mail, newline: 'windows' }).compile().build();
}

/** Signs like the sender's own server would. */
async function sign(bytes: Buffer): Promise<Buffer> {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const stream = new DKIM({ domainName: 'partner.example', keySelector: 'demo', privateKey }).sign(bytes, {});
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The EICAR test file, put together here so that no scanner takes this file for one. */
export function eicar(): Buffer {
  return Buffer.from(['X5O!P%@AP[4\\PZX54(P^)7CC)7}', '$EICAR-STANDARD-', 'ANTIVIRUS-TEST-FILE', '!$H+H*'].join(''));
}

/** Bytes that begin as a Windows program does. */
function program(): Buffer {
  const bytes = Buffer.alloc(1024);
  bytes.write('MZ', 0, 'latin1');
  bytes.writeUInt32LE(0x80, 0x3c);
  bytes.write('PE\0\0', 0x80, 'latin1');
  bytes.writeUInt16LE(0x14c, 0x84);
  return bytes;
}

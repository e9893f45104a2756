import type { FakeMail, FakeSession } from '../support/fake-smtp.js';
import { FATES, mailOf, TAG } from './mails.js';

/** One receipt of a mail for one recipient by a server, from its own point of view. */
export interface Receipt {
  /** ms since the epoch, at the server's 250. */
  readonly at: number;
  /** When the server had read all of it: a 250 may come long after. */
  readonly read: number;
  /** The 250 was written to a connection that was there. */
  readonly told: boolean;
  /** The life of the gateway that the connection was of: the name that it gives with EHLO. */
  readonly life: string;
  /** Connection and number of the mail on it: the same for all recipients of one mail. */
  readonly transaction: string;
}

/** What servers have taken, by what it was and for whom. */
export class Records {
  readonly receipts = new Map<string, Receipt[]>();
  /** What came that is not what was sent. */
  readonly damaged: string[] = [];
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  of(key: string): readonly Receipt[] {
    return this.receipts.get(key) ?? [];
  }

  /** Notes a mail, for each of its recipients. */
  note(mail: FakeMail, told: boolean, { connection, mails, helo }: FakeSession, read: number): void {
    const text = mail.bytes.toString('latin1');
    const receipt = { at: Date.now(), read, told, life: helo, transaction: `${connection}/${mails}` };
    for (const to of mail.rcptTo.map(addressIn)) for (const key of this.#keys(text, mail, to)) this.#add(key, receipt);
  }

  #add(key: string, receipt: Receipt): void {
    const known = this.receipts.get(key);
    if (known === undefined) this.receipts.set(key, [receipt]);
    else known.push(receipt);
  }

  #keys(text: string, mail: FakeMail, to: string): string[] {
    const number = /^X-Torture: (\d+)\r$/m.exec(text)?.[1] ?? '';
    const header = headerOf(text);
    if (/^Content-Type: multipart\/report\b/m.test(header))
      return [...text.matchAll(/^Final-Recipient: rfc822; *(\S+)\r\n(?:.+\r\n)*?Action: failed\r$/gim)].map(
        ([, about]) => `dsn ${number} ${about ?? ''}`,
      );
    const notification = /^X-Gatepost-Notification: (\S+)\r$/m.exec(header)?.[1];
    if (notification !== undefined) return [`notification ${notification} ${to}`];
    const messageId = /^Message-ID:\s*<([^>]+)>/im.exec(header)?.[1];
    if (messageId !== undefined && /^X-Gatepost-Event: /m.test(header)) return [`event ${messageId} ${to}`];
    if (number === '' || !this.#isWhole(Number(number), mail.bytes, to))
      this.damaged.push(`${number} for ${to}: ${mail.mailFrom} ${mail.bytes.length} bytes: ${text.slice(0, 300)}`);
    return [`mail ${number} ${to}`];
  }

  #isWhole(number: number, bytes: Buffer, to: string): boolean {
    const sent = mailOf(this.#seed, number).bytes;
    if (FATES[to.split('@')[0] ?? '']?.changed !== true)
      return bytes.subarray(bytes.indexOf('X-Torture:')).equals(sent);
    const body = sent.subarray(sent.indexOf('\r\n\r\n') + 4);
    return bytes.includes(body) && bytes.toString('latin1').split(TAG).length === 2;
  }
}

function headerOf(text: string): string {
  const end = text.indexOf('\r\n\r\n');
  return end < 0 ? text : text.slice(0, end + 2);
}

function addressIn(parameter: string): string {
  return /<([^>]*)>/.exec(parameter)?.[1] ?? parameter;
}

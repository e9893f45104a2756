import type { SmtpReplyLines } from '../delivery/client/reply-parser.js';
import type { Encryption, Watcher } from '../delivery/client/watcher.js';
import { formatSize } from '../config/units.js';
import { printable } from './terminal.js';

const MAX_LINES = 200;

/** The SMTP dialogue as it may be shown: no password, and of the message its size. */
export class ShownDialogue implements Watcher {
  readonly #lines: string[] = [];
  /** What the next line of the client is. */
  #next: 'command' | 'password' | 'data' = 'command';
  #loggingIn = false;
  readonly #secrets: string[] = [];
  #data = 0;

  get lines(): readonly string[] {
    return this.#lines;
  }

  connected(address: string): void {
    this.#show(`-- connected to ${address}`);
  }

  secured({ protocol, cipher, unverified }: Encryption): void {
    const doubt =
      unverified === undefined ? 'the certificate is good' : `the certificate is not verified: ${unverified}`;
    this.#show(`-- ${protocol}, ${cipher}; ${doubt}`);
  }

  sent(text: Buffer): void {
    if (this.#next === 'data') {
      this.#data += text.length;
      return;
    }
    for (const line of text.toString('utf8').split('\r\n')) if (line !== '') this.#command(line);
  }

  received({ code, lines }: SmtpReplyLines): void {
    if (this.#data > 0) this.#show(`C: (the mail, ${formatSize(this.#data)})`);
    this.#data = 0;
    for (const [i, line] of lines.entries())
      this.#show(`S: ${code}${i === lines.length - 1 ? ' ' : '-'}${this.#hide(line)}`);
    if (code === 354) this.#next = 'data';
    else if (this.#loggingIn && code === 334) this.#next = 'password';
    else {
      this.#next = 'command';
      this.#loggingIn = false;
    }
  }

  #command(line: string): void {
    if (this.#next === 'password') {
      this.#secrets.push(line);
      this.#show('C: (hidden)');
      return;
    }
    const auth = /^AUTH\s+(\S+)(\s.*)?$/i.exec(line);
    this.#loggingIn = auth !== null;
    if (auth?.[2] !== undefined) this.#secrets.push(auth[2].trim());
    this.#show(auth === null ? `C: ${line}` : `C: AUTH ${auth[1] ?? ''}${auth[2] === undefined ? '' : ' (hidden)'}`);
  }

  /** Some servers repeat in a refusal what they did not take. */
  #hide(line: string): string {
    return this.#secrets.reduce((text, secret) => text.replaceAll(secret, '(hidden)'), line);
  }

  #show(line: string): void {
    if (this.#lines.length < MAX_LINES) this.#lines.push(printable(line));
  }
}

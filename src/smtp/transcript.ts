/** Lines that are kept of a session, the last ones, and characters of each. */
const LINES = 50;
const WIDTH = 200;

const VERBS = new Set(
  'HELO EHLO MAIL RCPT DATA RSET NOOP QUIT VRFY EXPN HELP STARTTLS AUTH XCLIENT BDAT ETRN PROXY XFORWARD'.split(' '),
);

/** The last lines of a session, for people: what the client said and what it got. Never its passwords, never its mail. */
export class Transcript {
  readonly #lines: string[] = [];
  #dropped = 0;
  #authenticating = false;

  /** @param secret the line answers a challenge of AUTH */
  heard(command: Buffer, secret: boolean): void {
    this.#add('C', secret ? '(hidden)' : this.#shown(command.toString('utf8', 0, WIDTH * 4)));
  }

  /** @param lines of a reply, without its code */
  answered(code: number, lines: readonly string[]): void {
    for (const line of lines) this.#add('S', `${code} ${line}`);
  }

  /** Of a message only the size is told. */
  data(bytes: number): void {
    this.#add('C', `(${bytes} bytes of data)`);
  }

  get lines(): readonly string[] {
    return this.#dropped === 0 ? this.#lines : [`(${this.#dropped} lines before)`, ...this.#lines];
  }

  #shown(line: string): string {
    const [verb = ''] = line.trim().split(/\s/, 1);
    if (/^auth$/i.test(verb)) {
      this.#authenticating = true;
      return line.replace(/^(\s*\S+\s+\S+)\s+\S[^]*$/, '$1 (hidden)');
    }
    // A client that goes on without waiting for a challenge says its password where a command is expected.
    return this.#authenticating && !VERBS.has(verb.toUpperCase()) ? '(hidden)' : line;
  }

  #add(side: 'C' | 'S', text: string): void {
    const clean = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]+/gu, ' ').trim();
    this.#lines.push(`${side}: ${clean.length > WIDTH ? `${clean.slice(0, WIDTH - 1)}…` : clean}`);
    if (this.#lines.length <= LINES) return;
    this.#lines.shift();
    this.#dropped += 1;
  }
}

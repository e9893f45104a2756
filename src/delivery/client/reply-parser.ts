/** A reply of a server (RFC 5321 4.2), as it came. */
export interface SmtpReplyLines {
  readonly code: number;
  /** Texts of the lines without code and separator. */
  readonly lines: readonly string[];
}

/** The server says something that is no SMTP reply, or more than we take. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** RFC 5321 4.5.3.1.5 allows 512 octets; servers that write more are taken up to here. */
const MAX_LINE = 4096;
const MAX_LINES = 128;
const LF = 0x0a;

/** Cuts what a server sends into replies, with bounds on length and number of lines. */
export class ReplyParser {
  #rest: Buffer = Buffer.alloc(0);
  #code = 0;
  #lines: string[] = [];

  /** Whether a reply has begun and not ended. */
  get inside(): boolean {
    return this.#rest.length > 0 || this.#lines.length > 0;
  }

  /**
   * The replies that this chunk completes, one after the other: those before something that is no reply count.
   * @throws ProtocolError
   */
  *push(chunk: Buffer): Generator<SmtpReplyLines> {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let end = this.#rest.indexOf(LF); end >= 0; end = this.#rest.indexOf(LF)) {
      if (end > MAX_LINE) throw new ProtocolError('a reply line is too long');
      const line = this.#rest.toString('utf8', 0, end).replace(/\r$/, '');
      this.#rest = this.#rest.subarray(end + 1);
      const reply = this.#line(line);
      if (reply !== undefined) yield reply;
    }
    if (this.#rest.length > MAX_LINE) throw new ProtocolError('a reply line is too long');
  }

  #line(line: string): SmtpReplyLines | undefined {
    const match = /^([2-5]\d\d)(?:([ -])(.*))?$/s.exec(line);
    if (match === null) throw new ProtocolError('what the server sent is no SMTP reply');
    const code = Number(match[1]);
    if (this.#lines.length > 0 && code !== this.#code) throw new ProtocolError('the lines of a reply differ in code');
    if (this.#lines.length >= MAX_LINES) throw new ProtocolError('a reply has too many lines');
    this.#code = code;
    this.#lines.push(match[3] ?? '');
    if (match[2] === '-') return undefined;
    const lines = this.#lines;
    this.#lines = [];
    return { code, lines };
  }
}

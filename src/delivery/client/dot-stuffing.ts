const LF = 0x0a;
const CR = 0x0d;
const DOT_AFTER_LF = Buffer.from('\n.');
const DOT = Buffer.from('.');

/**
 * Makes a message ready for DATA (RFC 5321 4.5.2): doubles a dot at the start of a line, changes nothing else.
 * The input is canonical: its line ends are CRLF.
 */
export class DotStuffing {
  #last = LF;
  #beforeLast = CR;

  /** The pieces to send for a chunk; mostly the chunk itself. */
  pieces(chunk: Buffer): Buffer[] {
    if (chunk.length === 0) return [];
    const pieces: Buffer[] = [];
    if (this.#last === LF && chunk[0] === 0x2e) pieces.push(DOT);
    let start = 0;
    for (let at = chunk.indexOf(DOT_AFTER_LF); at >= 0; at = chunk.indexOf(DOT_AFTER_LF, at + 1)) {
      pieces.push(chunk.subarray(start, at + 1), DOT);
      start = at + 1;
    }
    pieces.push(chunk.subarray(start));
    this.#beforeLast = chunk.length > 1 ? (chunk.at(-2) ?? 0) : this.#last;
    this.#last = chunk.at(-1) ?? 0;
    return pieces;
  }

  /** What ends the data: with a line end before it where the message has none at its end. */
  end(): Buffer {
    return Buffer.from(this.#last === LF && this.#beforeLast === CR ? '.\r\n' : '\r\n.\r\n');
  }
}

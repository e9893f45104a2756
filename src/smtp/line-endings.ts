/** What becomes of bare CR, bare LF and NUL in the data of a message. */
export type LineEndingPolicy = 'normalize' | 'reject';

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

/** Where in a line the decoder stands. A dot at the start of a line and a CR are withheld until the next byte is seen. */
const LINE_START = 0;
const IN_LINE = 1;
const AFTER_CR = 2;
const AFTER_DOT = 3;
const AFTER_DOT_CR = 4;
type State = typeof LINE_START | typeof IN_LINE | typeof AFTER_CR | typeof AFTER_DOT | typeof AFTER_DOT_CR;

const CR_PIECE = Buffer.from([CR]);

/**
 * Decodes what follows DATA: finds the end, takes the dots of RFC 5321 4.5.2 out and applies the line-ending
 * policy, with the same outcome however the bytes are split.
 *
 * Only CRLF ends a line here. The data ends at CRLF.CRLF and nowhere else, and a dot is taken out only behind CRLF
 * (or at the very start): behind a bare LF, a bare CR or a NUL it is content. So no sequence that another server
 * might read as an end of data ends it here, and what is passed on holds CRLF line ends alone.
 */
export class DataDecoder {
  bareCr = false;
  bareLf = false;
  nul = false;
  readonly #drop: boolean;
  #state: State = LINE_START;

  constructor(policy: LineEndingPolicy) {
    this.#drop = policy === 'reject';
  }

  /** True when something was there that the policy is about. */
  get anomalous(): boolean {
    return this.bareCr || this.bareLf || this.nul;
  }

  /**
   * Takes the next bytes. A chunk in which all is in order is passed on as it is, without a copy.
   * Under `reject` nothing more is passed on from the first anomaly.
   * @returns the offset behind the end of data, or -1 when it was not in this chunk
   */
  write(chunk: Buffer, emit: (piece: Buffer) => void): number {
    if (chunk.includes(NUL) || (this.#drop && this.anomalous)) return this.#rewrite(chunk, 0, emit);
    const length = chunk.length;
    let state = this.#state;
    let start = 0;
    let at = 0;
    const pass = (end: number): void => {
      if (end > start) emit(start === 0 && end === length ? chunk : chunk.subarray(start, end));
    };
    while (at < length) {
      const byte = chunk[at];
      if (state === IN_LINE || (state === LINE_START && byte !== DOT)) {
        // Two native searches a line cost less than a look at each byte.
        state = IN_LINE;
        const lf = chunk.indexOf(LF, at);
        const cr = chunk.indexOf(CR, at);
        if (cr >= 0 && cr === lf - 1) {
          at = lf + 1;
          state = LINE_START;
        } else if (lf < 0 && cr === length - 1) {
          pass(cr);
          this.#state = AFTER_CR;
          return -1;
        } else {
          at = cr >= 0 && (lf < 0 || cr < lf) ? cr : lf >= 0 ? lf : length;
          break;
        }
      } else if (state === LINE_START) {
        pass(at);
        at += 1;
        start = at;
        state = AFTER_DOT;
      } else if (state === AFTER_CR) {
        if (byte !== LF) break;
        emit(CR_PIECE);
        at += 1;
        state = LINE_START;
      } else if (state === AFTER_DOT) {
        if (byte === CR) {
          at += 1;
          start = at;
          state = AFTER_DOT_CR;
        } else {
          // The dot is taken out, and the line goes on.
          start = at;
          state = IN_LINE;
        }
      } else {
        if (byte !== LF) break;
        this.#state = LINE_START;
        return at + 1;
      }
    }
    pass(at);
    this.#state = state;
    return at === length ? -1 : this.#rewrite(chunk, at, emit);
  }

  /** The slow part: from the first byte that is not in order to the end of the chunk, copied byte by byte. */
  #rewrite(chunk: Buffer, from: number, emit: (piece: Buffer) => void): number {
    const length = chunk.length;
    // Each byte becomes two at the most, and a withheld CR two more.
    const out = Buffer.allocUnsafe(2 * (length - from) + 2);
    let size = 0;
    let state = this.#state;
    let at = from;
    let ended = false;
    while (at < length && !ended) {
      const byte = chunk[at] ?? 0;
      at += 1;
      if (state === AFTER_DOT) {
        if (byte === CR) {
          state = AFTER_DOT_CR;
          continue;
        }
        state = IN_LINE;
      } else if (state === AFTER_DOT_CR) {
        if (byte === LF) {
          ended = true;
          state = LINE_START;
          continue;
        }
        state = AFTER_CR;
      } else if (state === LINE_START && byte === DOT) {
        state = AFTER_DOT;
        continue;
      }
      if (state === AFTER_CR) {
        out[size++] = CR;
        out[size++] = LF;
        if (byte === LF) {
          state = LINE_START;
          continue;
        }
        this.bareCr = true;
        state = IN_LINE;
      }
      if (byte === CR) state = AFTER_CR;
      else if (byte === LF) {
        this.bareLf = true;
        out[size++] = CR;
        out[size++] = LF;
        state = IN_LINE;
      } else {
        state = IN_LINE;
        if (byte === NUL) this.nul = true;
        else out[size++] = byte;
      }
    }
    this.#state = state;
    const piece = out.subarray(0, size);
    // Else one byte among many NULs would keep the room for all of them from being free.
    if (size > 0 && !(this.#drop && this.anomalous)) emit(size < out.length / 4 ? Buffer.from(piece) : piece);
    return ended ? at : -1;
  }
}

import { createReadStream } from 'node:fs';

/** Bytes of a separator and the line behind it: neither is longer. */
const LOOK_AHEAD = 2000;
/** Bytes before a separator that tell whether it is one: the empty line, and the end of the line before it. */
const LOOK_BEHIND = 4;

export interface MboxOptions {
  /** Bytes that are read at a time. */
  readonly chunk?: number;
  /** Longer messages are passed over, so that a broken mailbox costs no memory. */
  readonly maxMessage?: number;
}

/** A message of a mailbox, or `undefined` for one that is too long to be kept. */
export type MboxMessage = Buffer | undefined;

/**
 * Reads the messages of a mailbox file one by one (RFC 4155; mboxrd and mboxo): each begins with a "From " line behind
 * an empty line, and a `>` that was put before such lines of a body is taken away. The time is linear in the file, and
 * no more than one message is held.
 * @throws Error when the file cannot be read
 */
export async function* readMbox(
  file: string,
  { chunk: highWaterMark = 2 ** 20, maxMessage = 256 * 2 ** 20 }: MboxOptions = {},
): AsyncGenerator<MboxMessage> {
  const gathered = new Gathered(maxMessage);
  // What may still hold the beginning of a separator, and what stands before it.
  let open: Buffer = Buffer.alloc(0);
  let searched = 1;
  let first = true;
  const take = function* (until: number): Generator<MboxMessage> {
    gathered.add(open.subarray(0, until));
    // Empty lines before the first separator are no message.
    const nothing = first && gathered.isBlank;
    const message = gathered.take();
    first = false;
    if (!nothing) yield message;
    open = open.subarray(until);
    searched = 1;
  };
  const stream: AsyncIterable<Buffer> = createReadStream(file, { highWaterMark });
  for await (const chunk of stream) {
    open = Buffer.concat([open, chunk]);
    const until = open.length - LOOK_AHEAD;
    for (let end = separator(open, searched, until); end > 0; end = separator(open, 1, open.length - LOOK_AHEAD))
      yield* take(end);
    const done = Math.max(0, open.length - LOOK_AHEAD - LOOK_BEHIND);
    gathered.add(open.subarray(0, done));
    open = open.subarray(done);
    searched = Math.max(1, open.length - LOOK_AHEAD);
  }
  for (let end = separator(open, searched, open.length); end > 0; end = separator(open, 1, open.length))
    yield* take(end);
  if (gathered.length + open.length > 0) yield* take(open.length);
}

/** The pieces of one message. */
class Gathered {
  length = 0;
  private pieces: Buffer[] = [];
  private readonly most: number;

  constructor(most: number) {
    this.most = most;
  }

  get isBlank(): boolean {
    return (
      this.length < LOOK_AHEAD && this.pieces.every((piece) => piece.every((byte) => byte === 0x0a || byte === 0x0d))
    );
  }

  add(piece: Buffer): void {
    this.length += piece.length;
    if (this.length > this.most) this.pieces = [];
    else if (piece.length > 0) this.pieces.push(piece);
  }

  take(): MboxMessage {
    const message = this.length > this.most ? undefined : body(Buffer.concat(this.pieces));
    this.pieces = [];
    this.length = 0;
    return message;
  }
}

const START = Buffer.from('\nFrom ');

/** Where the next separator begins, from `from` on and before `until`; -1 when there is none. */
function separator(bytes: Buffer, from: number, until: number): number {
  for (let at = bytes.indexOf(START, from - 1); at >= 0; at = bytes.indexOf(START, at + 1)) {
    if (at + 1 >= until) return -1;
    const before = bytes[at - 1] === 0x0d ? at - 2 : at - 1;
    if (bytes[before] === 0x0a && isSeparator(bytes.subarray(at + 1, at + 1 + LOOK_AHEAD))) return at + 1;
  }
  return -1;
}

const DATE = /\b(mon|tue|wed|thu|fri|sat|sun)\b.*\d{1,2}:\d{2}.*\d{4}/i;
const FIELD = /^(>?From |[\x21-\x39\x3b-\x7e]+:)/;

/** A line of a body that begins with "From " has no date in it, and goes on as a sentence does. */
function isSeparator(bytes: Buffer): boolean {
  const [line = '', next = ''] = bytes.toString('latin1').split('\n', 2);
  if (DATE.test(line)) return true;
  return FIELD.test(next) && (/\d{1,2}:\d{2}/.test(line) || /^From \S+\s*$/.test(line));
}

const QUOTED = Buffer.from('\n>');

/** The message without its separator and the empty line behind it. */
function body(bytes: Buffer): Buffer {
  const start = bytes.toString('latin1', 0, 5) === 'From ' ? bytes.indexOf(0x0a) + 1 : 0;
  const end = bytes.length - (/\n(\r?\n)$/.exec(bytes.toString('latin1', bytes.length - 3))?.[1]?.length ?? 0);
  const pieces: Buffer[] = [];
  let from = start;
  for (let at = bytes.indexOf(QUOTED, start); at >= 0 && at < end; at = bytes.indexOf(QUOTED, at + 1)) {
    if (!isQuoted(bytes, at + 1)) continue;
    pieces.push(bytes.subarray(from, at + 1));
    from = at + 2;
  }
  pieces.push(bytes.subarray(from, Math.max(from, end)));
  return pieces.length === 1 ? (pieces[0] ?? bytes) : Buffer.concat(pieces);
}

/** Whether `>From `, with any number of `>`, stands there. */
function isQuoted(bytes: Buffer, from: number): boolean {
  let at = from;
  while (bytes[at] === 0x3e) at += 1;
  return bytes.toString('latin1', at, at + 5) === 'From ';
}

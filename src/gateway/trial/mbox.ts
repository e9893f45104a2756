import { createReadStream } from 'node:fs';

/** Longer messages than any server takes: they are passed over, so that a broken mailbox costs no memory. */
const MAX_MESSAGE = 256 * 2 ** 20;
/** A separator and the line behind it are not longer than this. */
const LOOK_AHEAD = 2000;

/** A message of a mailbox, or `undefined` for one that is too long to be kept. */
export type MboxMessage = Buffer | undefined;

/**
 * Reads the messages of a mailbox file one by one (RFC 4155; mboxrd and mboxo): each begins with a "From " line behind
 * an empty line, and a `>` that was put before such lines of a body is taken away.
 * @throws Error when the file cannot be read
 */
export async function* readMbox(file: string): AsyncGenerator<MboxMessage> {
  let rest: Buffer = Buffer.alloc(0);
  let skipping = false;
  let first = true;
  const stream: AsyncIterable<Buffer> = createReadStream(file, { highWaterMark: 2 ** 20 });
  for await (const chunk of stream) {
    let searched = Math.max(0, rest.length - LOOK_AHEAD);
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const end = separator(rest, searched, rest.length - LOOK_AHEAD);
      if (end < 0) break;
      if (!first || end > 0) yield skipping ? undefined : body(rest.subarray(0, end));
      rest = rest.subarray(end);
      searched = 1;
      skipping = false;
      first = false;
    }
    if (rest.length > MAX_MESSAGE) {
      skipping = true;
      rest = rest.subarray(rest.length - LOOK_AHEAD);
    }
  }
  for (let end = separator(rest, 1, rest.length); end > 0; end = separator(rest, 1, rest.length)) {
    yield skipping ? undefined : body(rest.subarray(0, end));
    rest = rest.subarray(end);
    skipping = false;
  }
  if (rest.length > 0) yield skipping ? undefined : body(rest);
}

const START = Buffer.from('\nFrom ');

/** Where the next separator begins, from `from` on and before `until`; -1 when there is none. */
function separator(bytes: Buffer, from: number, until: number): number {
  for (let at = bytes.indexOf(START, Math.max(0, from - 1)); at >= 0; at = bytes.indexOf(START, at + 1)) {
    if (at + 1 >= until) return -1;
    const before = bytes[at - 1] === 0x0d ? at - 2 : at - 1;
    if (bytes[before] === 0x0a && isSeparator(bytes.subarray(at + 1, at + 1 + LOOK_AHEAD))) return at + 1;
  }
  return -1;
}

/** A line of a body that begins with "From " has no time in it, and no header field follows it. */
function isSeparator(bytes: Buffer): boolean {
  const [line = '', next = ''] = bytes.toString('latin1').split('\n', 2);
  return /\d{1,2}:\d{2}/.test(line) || /^[\x21-\x39\x3b-\x7e]+:/.test(next);
}

/** The message without its separator and the empty line behind it. */
function body(bytes: Buffer): Buffer {
  const line = bytes.toString('latin1', 0, 5) === 'From ' ? bytes.indexOf(0x0a) + 1 : 0;
  const text = bytes
    .toString('latin1', line)
    .replace(/(\r?\n)\r?\n$/, '$1')
    .replace(/^>(>*From )/gm, '$1');
  return Buffer.from(text, 'latin1');
}

import { isUtf8 } from 'node:buffer';
import type { Content } from '../../message/source.js';
import { MAX_LINE } from './part.js';

/** What an original that is to be attached needs of a server. */
export interface Survey {
  /** Bytes over 127. */
  readonly eightBit: boolean;
  /** Its header has characters beyond ASCII, in UTF-8: it is a message/global (RFC 6532 3.7). */
  readonly global: boolean;
  /** It cannot go over SMTP as it is: long lines, bare CR or LF, NUL. */
  readonly binary: boolean;
}

const CR = 13;
const LF = 10;
/** Headers are kept up to this size to see whether they are UTF-8, bytes. */
const MAX_HEADER = 64 * 1024;

/** Reads an original once, in bounded memory. */
export async function survey(content: Content): Promise<Survey> {
  let [eightBit, binary, inHeader] = [false, false, true];
  let [line, before] = [0, 0];
  const header: number[] = [];
  for await (const chunk of content.read())
    for (const byte of chunk) {
      if (byte > 127) eightBit = true;
      if (inHeader && header.length < MAX_HEADER) header.push(byte);
      if ((before === CR) !== (byte === LF) || byte === 0) binary = true;
      if (byte === LF) {
        if (line === 0) inHeader = false;
        line = 0;
      } else if (byte !== CR) {
        line++;
        if (line > MAX_LINE) binary = true;
      }
      before = byte;
    }
  const bytes = Buffer.from(header);
  return { eightBit, global: bytes.some((byte) => byte > 127) && isUtf8(bytes), binary: binary || before === CR };
}

import { Mark } from '../mark.js';
import { decodeRaw } from './header-text.js';
import { decodeBase64 } from './base64.js';
import { decodeUu } from './transfer.js';

/** A file that stands in a text: as it was done before MIME, which several clients still show, or as pages carry them. */
export interface InlineFile {
  readonly name: string;
  readonly how: 'uuencode' | 'base64' | 'yenc' | 'binhex' | 'data' | 'script' | 'property';
  /** Media type that it claims. */
  readonly mime?: string;
  /** Undefined where this program cannot decode it. */
  decode(): Buffer | undefined;
}

/** What was found in a text. */
export interface InlineFiles {
  readonly files: readonly InlineFile[];
  /** There is more than was looked at. */
  readonly cut: boolean;
}

/** Files that are looked at in one text, of each kind. */
export const MAX_FILES = 100;
const LF = 0x0a;
const BEGIN = new Mark('begin');
const YBEGIN = new Mark('=ybegin ');
const BINHEX = new Mark('(This file must be converted with BinHex');

/** Finds files in a text: uuencode (POSIX), yEnc, BinHex (RFC 1741). */
export function inlineFiles(text: Buffer): InlineFiles {
  const files: InlineFile[] = [];
  let cut = false;
  for (const line of linesWith(text, BEGIN)) {
    const head = /^begin(-base64)?[ \t]+[0-7]{3,7}[ \t]+(\S[^\r\n]{0,255})/.exec(line.text);
    if (head === null) continue;
    if (files.length >= MAX_FILES) {
      cut = true;
      break;
    }
    const body = (): Buffer => text.subarray(line.next);
    files.push({
      name: decodeRaw(head[2] ?? '').trim(),
      how: head[1] === undefined ? 'uuencode' : 'base64',
      decode: () => (head[1] === undefined ? decodeUu(text.subarray(line.start)) : decodeBase64(toEqualSigns(body()))),
    });
  }
  for (const line of linesWith(text, YBEGIN)) {
    const name = / name=([^\r\n]{1,255})/.exec(line.text)?.[1];
    if (name === undefined) continue;
    if (files.length >= MAX_FILES) {
      cut = true;
      break;
    }
    files.push({ name: decodeRaw(name).trim(), how: 'yenc', decode: () => decodeYenc(text.subarray(line.next)) });
  }
  if (BINHEX.isIn(text)) files.push({ name: '', how: 'binhex', decode: () => undefined });
  return { files, cut };
}

interface Line {
  readonly start: number;
  readonly next: number;
  readonly text: string;
}

function* linesWith(text: Buffer, start: Mark): Generator<Line> {
  for (let at = start.indexIn(text); at >= 0; at = start.indexIn(text, at + start.length)) {
    if (at > 0 && text[at - 1] !== LF) continue;
    const feed = text.indexOf(LF, at);
    if (feed < 0) return;
    yield { start: at, next: feed + 1, text: text.toString('latin1', at, Math.min(feed, at + 400)) };
  }
}

/** The lines up to the one that ends a file in begin-base64. */
function toEqualSigns(body: Buffer): Buffer {
  const end = body.indexOf('\n====');
  return end < 0 ? body : body.subarray(0, end + 1);
}

/** The yEnc draft, 1.3: every byte is 42 off, `=` escapes. */
function decodeYenc(body: Buffer): Buffer {
  const stop = body.indexOf('\n=yend');
  const end = stop < 0 ? body.length : stop;
  const out = Buffer.allocUnsafe(end);
  let length = 0;
  let at = 0;
  if (body.toString('latin1', 0, 7) === '=ypart ') at = body.indexOf(LF) + 1;
  for (; at < end; at += 1) {
    let byte = body[at] ?? 0;
    if (byte === 0x0d || byte === LF) continue;
    if (byte === 0x3d) {
      at += 1;
      byte = (body[at] ?? 0) - 64;
    }
    out[length++] = (byte - 42) & 0xff;
  }
  return out.subarray(0, length);
}

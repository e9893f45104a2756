import { decodeBase64 } from '../decode/base64.js';
import { decodeEntities } from '../decode/entities.js';
import { decodeRaw } from '../decode/header-text.js';
import { MAX_FILES, type InlineFile, type InlineFiles } from '../decode/inline-files.js';
import { Mark } from '../mark.js';
import { identify } from './identify.js';
import { nameByType } from './program-names.js';

/** Addresses that are looked at: newsletters hold pictures by the dozen. */
const MAX_ADDRESSES = 10_000;
/** Media type, parameters and the word base64. */
const MAX_HEAD = 500;
/** How far around an address its tag is looked for. */
const MAX_TAG = 2000;
/** How much is decoded to tell what it is. */
const SAMPLE = 4096;

const ENDINGS: readonly Buffer[] = ['a:', 'A:', '\t:', '\n:', '\r:'].map((ending) => Buffer.from(ending));
const REFERENCES: readonly Mark[] = ['&colon;', '&Tab;', '&NewLine;'].map((name) => new Mark(name));

const NONE: InlineFiles = { files: [], cut: false };

/**
 * Finds files in `data:` addresses (RFC 2397) of a text, in base64 or percent-encoded. Pictures, fonts, sounds and
 * style sheets are none, unless their bytes are something else or the page offers them for download.
 */
export function dataFiles(text: Buffer): InlineFiles {
  const { colons, coded } = addressesIn(text);
  if (colons.length === 0 && !coded) return NONE;
  const page = coded ? decodeEntities(text.toString('latin1')) : text.toString('latin1');
  const places = coded ? addressesIn(Buffer.from(page, 'latin1')).colons : colons;
  const reader = new AddressReader(page);
  const files: InlineFile[] = [];
  let cut = places.length >= MAX_ADDRESSES;
  let from = 0;
  for (const colon of places) {
    if (colon < from) continue;
    if (files.length >= MAX_FILES || reader.isSpent) {
      cut = true;
      break;
    }
    const found = reader.at(colon);
    if (found === undefined) continue;
    files.push(found.file);
    from = found.end;
  }
  return { files, cut };
}

/** The colons of `data:`, and whether one may be written with character references. By the native search alone. */
function addressesIn(text: Buffer): { readonly colons: readonly number[]; readonly coded: boolean } {
  const colons: number[] = [];
  for (const ending of ENDINGS) {
    for (let at = text.indexOf(ending); at >= 0; at = text.indexOf(ending, at + 2)) {
      if (colons.length >= MAX_ADDRESSES) break;
      if (isData(text, at + 1)) colons.push(at + 1);
    }
  }
  return { colons: colons.sort((one, other) => one - other), coded: isCoded(text) };
}

/** Whether the word `data` stands before a colon; programs leave out tabs and line ends in an address. */
function isData(text: Buffer, colon: number): boolean {
  let at = colon;
  for (const letter of [0x61, 0x74, 0x61, 0x64]) {
    at -= 1;
    while (at >= 0 && (text[at] === 0x0a || text[at] === 0x0d || text[at] === 0x09)) at -= 1;
    if (((text[at] ?? 0) | 0x20) !== letter) return false;
  }
  return true;
}

/** Whether a reference stands for one of the characters of `data:`, or for one that programs leave out in it. */
function isCoded(text: Buffer): boolean {
  if (REFERENCES.some((reference) => reference.isIn(text))) return true;
  for (let at = text.indexOf('&#'); at >= 0; at = text.indexOf('&#', at + 2)) {
    const hex = ((text[at + 2] ?? 0) | 0x20) === 0x78;
    let digit = at + (hex ? 3 : 2);
    while (text[digit] === 0x30) digit += 1;
    const code = Number.parseInt(text.toString('latin1', digit, digit + 4), hex ? 16 : 10);
    if (code === 0x3a || code === 9 || code === 10 || code === 13 || 'dat'.includes(lower(code))) return true;
  }
  return false;
}

function lower(code: number): string {
  return code > 0x40 && code < 0x7b ? String.fromCharCode(code | 0x20) : '?';
}

class AddressReader {
  readonly #page: string;
  readonly #missing = new Set<string>();
  /** Characters that may still be searched, so that many addresses without an end cost no more than a few passes. */
  #left: number;

  constructor(page: string) {
    this.#page = page;
    this.#left = page.length * 8 + 1024 * 1024;
  }

  get isSpent(): boolean {
    return this.#left < 0;
  }

  /** The file of the address whose colon stands here; undefined for none that is opened. */
  at(colon: number): { readonly file: InlineFile; readonly end: number } | undefined {
    const page = this.#page;
    const comma = page.slice(colon, colon + MAX_HEAD).indexOf(',');
    if (comma < 0) return undefined;
    const head = page
      .slice(colon + 1, colon + comma)
      .replace(/[\t\r\n]/g, '')
      .trim();
    if (/[<>(){}]/.test(head)) return undefined;
    const body = colon + comma + 1;
    const before = /\S?\s{0,20}d\s*a\s*t\s*a\s*$/i.exec(page.slice(Math.max(0, colon - 60), colon))?.[0] ?? '';
    const start = colon - before.length + (/^d\s*a\s*t/i.test(before) ? 0 : 1);
    const end = this.#end(before.charAt(0), body);
    this.#left -= SAMPLE + ((end - body) >> 3);
    if (end <= body) return undefined;
    const type = head.split(';', 1)[0]?.trim().toLowerCase() ?? '';
    const mime = /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : 'text/plain';
    const base64 = /;\s*base64$/i.test(head);
    const tag = this.#tag(start, end);
    const sample = decoded(page.slice(body, Math.min(end, body + SAMPLE)), base64);
    if (!tag.download && (!isFile(mime, sample) || !(base64 || KNOWN_TYPE.test(type)))) return undefined;
    const name = tag.name === '' && !tag.loads ? nameByType(mime) : tag.name;
    return { file: { name, how: 'data', mime, decode: () => decoded(page.slice(body, end), base64) }, end };
  }

  /** Where the address ends, by the quote or bracket before it. */
  #end(opening: string, body: number): number {
    const page = this.#page;
    const closing = opening === '(' ? ')' : opening;
    if (/["'`)]/.test(closing) && !this.#missing.has(closing)) {
      const end = page.indexOf(closing, body);
      if (end >= 0) return page.charAt(end - 1) === '\\' ? end - 1 : end;
      this.#missing.add(closing);
    }
    const stop = /[\s<>"'`)]/g;
    stop.lastIndex = body;
    return stop.exec(page)?.index ?? page.length;
  }

  /** What the tag around an address says of it. */
  #tag(start: number, end: number): { readonly name: string; readonly download: boolean; readonly loads: boolean } {
    const before = this.#page.slice(Math.max(0, start - MAX_TAG), start);
    const opening = before.lastIndexOf('<');
    if (opening < 0) return { name: '', download: false, loads: false };
    const after = this.#page.slice(end, end + MAX_TAG);
    const close = after.search(/>/);
    const tag = `${before.slice(opening)} ${close < 0 ? after : after.slice(0, close)}`;
    const download = /[\s"'/]download(?:\s*=\s*(?:"([^"]*)|'([^']*)|([^\s"'>]+)))?/i.exec(tag);
    const written = (download?.[1] ?? download?.[2] ?? download?.[3] ?? '').slice(0, 255);
    return {
      name: decodeEntities(decodeRaw(written)).trim(),
      download: download !== null,
      loads: /^<(?:script|link|style)\b/i.test(tag),
    };
  }
}

/** Without base64 only this tells an address from a sentence about data. */
const KNOWN_TYPE = /^(?:application|audio|font|image|message|model|multipart|text|video)\/[\w.+-]+$/;

/** Media, fonts and styles that a page shows are part of it, if they are what they claim. */
const SHOWN = /^(?:(?:image|font|audio|video)\/|application\/(?:x-)?font|application\/vnd\.ms-fontobject|text\/css$)/;

/** Whether what claims this media type is a file of its own rather than part of the page. */
export function isFile(mime: string, sample: Buffer): boolean {
  if (sample.length === 0) return false;
  if (!SHOWN.test(mime)) return true;
  const { type, format } = identify(sample, '');
  if (type === 'text') return format !== 'svg' && mime !== 'text/css';
  return type !== 'image' && type !== 'audio' && type !== 'video' && type !== 'other';
}

function decoded(body: string, base64: boolean): Buffer {
  const plain = body.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const bytes = Buffer.from(plain, 'latin1');
  return base64 ? decodeBase64(bytes) : bytes;
}

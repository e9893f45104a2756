import { decodeBase64 } from '../decode/base64.js';
import { decodeRaw } from '../decode/header-text.js';
import { MAX_FILES, type InlineFile, type InlineFiles } from '../decode/inline-files.js';
import { dataFiles, isFile } from './data-addresses.js';
import { nameByType } from './program-names.js';

const SAMPLE = 4096;
/** Name and parameters of a property. */
const MAX_HEAD = 2000;
const START = /^(?:\xef\xbb\xbf|\ufeff)?\s*begin\s*:\s*v(?:calendar|card|note|msg)\b/i;

/** Whether a text is a calendar (RFC 5545) or a visiting card (RFC 6350). */
export function isCard(text: Buffer): boolean {
  return startsCard(text.toString('latin1', 0, 64));
}

/** The same of a text that was decoded. */
export function startsCard(text: string): boolean {
  return START.test(text.slice(0, 64));
}

/** Each property in one line (RFC 5545 3.1, RFC 6350 3.2). */
export function unfolded(text: string): string {
  return text.replace(/\r?\n[ \t]/g, '');
}

/** Files in the properties of a calendar or card, in base64 or as `data:` address. Pictures and sounds are none. */
export function propertyFiles(text: Buffer): InlineFiles {
  const whole = unfolded(text.toString('latin1'));
  const files: InlineFile[] = [];
  let cut = false;
  for (const line of whole.split(/[\r\n]+/)) {
    const head = /^[^:"]*(?:"[^"]*"[^:"]*)*:/.exec(line.slice(0, MAX_HEAD))?.[0] ?? '';
    if (!/;(?:encoding=)?"?(?:base64|b)"?\s*[;:]/i.test(head)) continue;
    const body = (): Buffer => Buffer.from(line.slice(head.length), 'latin1');
    const mime = claimed(head);
    const sample = decodeBase64(Buffer.from(line.slice(head.length, head.length + SAMPLE), 'latin1'));
    if (!isFile(mime, sample)) continue;
    if (files.length >= MAX_FILES) {
      cut = true;
      break;
    }
    const written = parameter(head, '(?:x-)?(?:[a-z]{1,20}-)?filename');
    const name = written === '' ? nameByType(mime) : decodeRaw(written).trim();
    files.push({ name, how: 'property', mime, decode: () => decodeBase64(body()) });
  }
  const inAddresses = dataFiles(Buffer.from(whole, 'latin1'));
  return { files: [...files, ...inAddresses.files], cut: cut || inAddresses.cut };
}

/** The media type that a property claims, by what it is for where it names none. */
function claimed(head: string): string {
  const named = parameter(head, '(?:fmttype|mediatype|type)').toLowerCase();
  if (/^[\w.+-]+\/[\w.+-]+$/.test(named)) return named;
  if (/^(?:[\w-]+\.)?(?:photo|logo)\b/i.test(head)) return 'image/jpeg';
  return /^(?:[\w-]+\.)?sound\b/i.test(head) ? 'audio/basic' : '';
}

function parameter(head: string, name: string): string {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^;:"]*))`, 'i').exec(head);
  return found?.[1] ?? found?.[2] ?? '';
}

import { decodeBase64 } from '../decode/base64.js';
import { MAX_FILES, type InlineFile, type InlineFiles } from '../decode/inline-files.js';
import { isFile } from './data-addresses.js';
import { byMagic } from './magic.js';
import { isOle } from './ole-file.js';

/** Characters of 64 bytes. */
const MIN_CHARACTERS = 86;
/** Of a run that is broken into lines, each but the last is at least this long. */
const MIN_LINE = 60;
/** The mark of a disk image stands at 0x8001. */
const SAMPLE = 48 * 1024;
const CR = 0x0d;
const LF = 0x0a;

const IS_BASE64 = new Uint8Array(256);
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
  IS_BASE64[char.charCodeAt(0)] = 1;

/** Programs, and what holds files. The marks of others are so short that keys and sums have them by chance. */
const FORMATS: ReadonlySet<string> = new Set(
  (
    'pe ne dos elf macho lnk class dex swf zip gzip 7z rar xz zstd bzip2 cab ace rpm xar lzip tar iso vhd vhdx vmdk wim ' +
    'squashfs img dmg pdf rtf chm onenote'
  ).split(' '),
);

/**
 * Finds files that a script carries as text: long runs of base64 that are a program, an archive or another container
 * once decoded, and whatever stands as text in `atob()`. One pass over the bytes.
 */
export function scriptFiles(script: Buffer): InlineFiles {
  const files: InlineFile[] = [];
  let at = 0;
  let cut = false;
  while (at < script.length) {
    if (IS_BASE64[script[at] ?? 0] !== 1) {
      at += 1;
      continue;
    }
    const end = endOfRun(script, at);
    if (end - at >= MIN_CHARACTERS) {
      const run = script.subarray(at, end);
      if (isCarried(script, at, run)) {
        if (files.length >= MAX_FILES) {
          cut = true;
          break;
        }
        files.push({ name: '', how: 'script', decode: () => decodeBase64(run) });
      }
    }
    at = end;
  }
  return { files, cut };
}

/** Where a run ends; lines that are long enough belong together. */
function endOfRun(script: Buffer, start: number): number {
  let at = start;
  let line = start;
  for (;;) {
    while (IS_BASE64[script[at] ?? 0] === 1) at += 1;
    const next = script[at] === CR && script[at + 1] === LF ? at + 2 : script[at] === LF ? at + 1 : at;
    if (next === at || at - line < MIN_LINE || IS_BASE64[script[next] ?? 0] !== 1) return at;
    at = next;
    line = next;
  }
}

function isCarried(script: Buffer, at: number, run: Buffer): boolean {
  const before = script.toString('latin1', Math.max(0, at - 20), at);
  // Addresses with their data are read as such.
  if (/base64,\s*$/i.test(before)) return false;
  const sample = decodeBase64(run.subarray(0, SAMPLE));
  if (/\batob\s*\(\s*["'`]$/.test(before)) return isFile('image/png', sample);
  const kind = byMagic(sample);
  return isOle(sample) || (kind !== undefined && FORMATS.has(kind.format));
}

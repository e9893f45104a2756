import { decodeUnlabelled } from '../../decode/charset.js';

const MAX_SPECIFICATIONS = 10_000;
/** A file specification is short; its name stands this near to its `/EF`. */
const NEAR = 2000;

/**
 * The names that file specifications (ISO 32000-1 7.11.3) give to the objects that hold the files, by object number;
 * empty where there is none.
 */
export function embeddedNames(text: string, names: Map<number, string>): void {
  let at = text.indexOf('/EF');
  for (let count = 0; at >= 0 && count < MAX_SPECIFICATIONS; count += 1) {
    const files = /^\/EF\s{0,10}<<([^>]{0,500})>>/.exec(text.slice(at, at + 600))?.[1] ?? '';
    const before = text.slice(Math.max(0, at - NEAR), at);
    // Nothing of the specification before: the object, or the one before it in an object stream, ends there.
    const own = before.slice(
      Math.max(before.lastIndexOf('endobj'), before.lastIndexOf('/Filespec'), before.lastIndexOf('/EF')) + 1,
    );
    const behind = text.slice(at + 3, at + NEAR).split('endobj', 1)[0] ?? '';
    const name = nameIn(own) || nameIn(behind);
    for (const reference of files.matchAll(/(\d{1,10})\s{1,10}\d{1,5}\s{1,10}R/g)) {
      const number = Number(reference[1]);
      if ((names.get(number) ?? '') === '') names.set(number, name);
    }
    at = text.indexOf('/EF', at + 3);
  }
}

function nameIn(text: string): string {
  const wide = stringAfter(text, '/UF');
  return wide === '' ? stringAfter(text, '/F') : wide;
}

/** The string that is the value of a key; empty when there is none. */
function stringAfter(text: string, key: string): string {
  for (let at = text.lastIndexOf(key); at >= 0; at = at === 0 ? -1 : text.lastIndexOf(key, at - 1)) {
    const rest = text.slice(at + key.length, at + key.length + 1100);
    const literal = /^\s{0,10}\(((?:\\[^]|[^\\()]){0,1000})\)/.exec(rest)?.[1];
    if (literal !== undefined) return decodeText(Buffer.from(unescape(literal), 'latin1'));
    const hex = /^\s{0,10}<([0-9a-fA-F\s]{0,2000})>/.exec(rest)?.[1];
    if (hex !== undefined) return decodeText(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
  }
  return '';
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

/** 7.3.4.2 */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{1,3}|[^])/g, (_, escaped: string) =>
    /^[0-7]/.test(escaped) ? String.fromCharCode(Number.parseInt(escaped, 8) & 0xff) : (ESCAPES[escaped] ?? escaped),
  );
}

function decodeText(bytes: Buffer): string {
  if (bytes[0] === 0xfe && bytes[1] === 0xff) {
    return Buffer.from(bytes.subarray(2, bytes.length & ~1))
      .swap16()
      .toString('utf16le');
  }
  return decodeUnlabelled(bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes);
}

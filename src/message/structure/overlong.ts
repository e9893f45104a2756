import { isUtf8 } from 'node:buffer';

/**
 * Whether bytes hold UTF-8 that is longer than it may be (RFC 3629 3): readers that take it see a character, such as a
 * dot or a slash, which others do not. Bytes in another charset can look so by chance only where they hold C0 or C1.
 */
export function hasOverlong(bytes: Buffer): boolean {
  if (isUtf8(bytes)) return false;
  for (let at = 0; at + 1 < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte < 0xc0) continue;
    const next = bytes[at + 1] ?? 0;
    if ((next & 0xc0) !== 0x80) continue;
    if (byte === 0xc0 || byte === 0xc1) return true;
    const third = bytes[at + 2] ?? 0;
    if (((byte === 0xe0 && next < 0xa0) || (byte === 0xf0 && next < 0x90)) && (third & 0xc0) === 0x80) return true;
  }
  return false;
}

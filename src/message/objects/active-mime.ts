import type { Listing, Unpacked } from './entry.js';
import { unzlib } from './inflate.js';

/** Behind the head, in which the place of the data stands in one of several ways. */
const FROM = 0x1e;
const TO = 0x80;

/** ActiveMime: in it Office keeps the macros of documents that are saved as XML or as a web archive, packed by zlib. */
export function listActiveMime(archive: Buffer): Listing {
  const unpack = (bytes: Buffer, max: number): Unpacked => {
    for (let at = FROM; at < Math.min(TO, bytes.length); at += 1) {
      // The first byte of zlib (RFC 1950 2.2), whose first two are a multiple of 31.
      if (bytes[at] !== 0x78 || ((0x78 << 8) | (bytes[at + 1] ?? 0)) % 31 !== 0) continue;
      return unzlib(bytes.subarray(at), max);
    }
    return { kind: 'damaged', detail: 'unscannable: ActiveMime without its data' };
  };
  const common = { packed: archive.length, claimed: 0, encrypted: false };
  return { entries: [{ name: 'editdata.bin', ...common, unpack }], damage: [], cut: false };
}

import type { Listing } from './entry.js';
import { storedEntry } from './stored.js';

const LEAD = 96;
const HEADER_MAGIC = 0x8eade801;

/** The packed cpio in an RPM package: behind a lead and two headers, the first of which is filled up to eight bytes. */
export function listRpm(archive: Buffer): Listing {
  const signature = headerEnd(archive, LEAD);
  const payload = signature === undefined ? undefined : headerEnd(archive, Math.ceil(signature / 8) * 8);
  if (payload === undefined) return { entries: [], damage: ['unscannable: an RPM header is damaged'], cut: false };
  return { entries: [storedEntry('payload', payload, archive.length - payload)], damage: [], cut: false };
}

function headerEnd(archive: Buffer, at: number): number | undefined {
  if (at + 16 > archive.length || archive.readUInt32BE(at) !== HEADER_MAGIC) return undefined;
  const end = at + 16 + archive.readUInt32BE(at + 8) * 16 + archive.readUInt32BE(at + 12);
  return end > archive.length ? undefined : end;
}

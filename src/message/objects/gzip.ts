import type { Listing } from './entry.js';
import { gunzip } from './inflate.js';
import { listSingle } from './single.js';
import { readCString } from './text-bytes.js';

const FLAG_EXTRA = 0x04;
const FLAG_NAME = 0x08;

/** The one file in a gzip (RFC 1952). Its name is the one in the header, else the archive's without its extension. */
export function listGzip(archive: Buffer, archiveName: string): Listing {
  // ISIZE, the length modulo 2^32, ends the file.
  const claimed = archive.length >= 18 ? archive.readUInt32LE(archive.length - 4) : 0;
  return listSingle(archive, archiveName, claimed, gunzip, headerName(archive));
}

function headerName(archive: Buffer): string | undefined {
  const flags = archive[3] ?? 0;
  if ((flags & FLAG_NAME) === 0) return undefined;
  let at = 10;
  if ((flags & FLAG_EXTRA) !== 0) {
    if (at + 2 > archive.length) return undefined;
    at += 2 + archive.readUInt16LE(at);
  }
  const name = readCString(archive, at, 1024);
  return name === '' ? undefined : name;
}

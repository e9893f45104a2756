import { listActiveMime } from './active-mime.js';
import { listAppleSingle } from './apple-single.js';
import { listAr } from './ar.js';
import type { Budget } from './budget.js';
import { listCpio } from './cpio.js';
import { listImage } from './disk/image.js';
import type { Listing } from './entry.js';
import { listGzip } from './gzip.js';
import { listOneNote } from './onenote.js';
import { listRpm } from './rpm.js';
import { listSingle } from './single.js';
import { listCms } from './smime/cms.js';
import { listTar } from './tar.js';
import { listTnef } from './tnef/tnef.js';
import { unpackBzip2 } from './unpack/bzip2.js';
import { unpackLzma } from './unpack/lzma.js';
import { unpackLzw } from './unpack/lzw.js';
import { unpackXz } from './unpack/xz.js';
import { listZip } from './zip.js';

/** Lists an archive. The name is the archive's own. */
export type Lister = (archive: Buffer, budget: Budget, name: string) => Listing;

const LISTERS: ReadonlyMap<string, Lister> = new Map<string, Lister>([
  ['zip', (archive, budget) => listZip(archive, budget.entriesLeft)],
  ['gzip', (archive, _budget, name) => listGzip(archive, name)],
  ['bzip2', (archive, _budget, name) => listSingle(archive, name, 0, unpackBzip2)],
  ['xz', (archive, _budget, name) => listSingle(archive, name, 0, unpackXz)],
  ['lzma', (archive, _budget, name) => listSingle(archive, name, 0, unpackLzma)],
  ['compress', (archive, _budget, name) => listSingle(archive, name, 0, unpackLzw)],
  ['activemime', (archive) => listActiveMime(archive)],
  ['tnef', (archive, budget) => listTnef(archive, budget.entriesLeft)],
  ['cpio', (archive, budget) => listCpio(archive, budget.entriesLeft)],
  ['ar', (archive, budget) => listAr(archive, budget.entriesLeft)],
  ['rpm', (archive) => listRpm(archive)],
  ['iso', (archive, budget) => listImage(archive, budget.entriesLeft)],
  ['p7m', (archive, _budget, name) => listCms(archive, 'signed', name)],
  ['p7z', (archive, _budget, name) => listCms(archive, 'compressed', name)],
  ['onenote', (archive, budget) => listOneNote(archive, budget.entriesLeft)],
  ['applesingle', (archive, _budget, name) => listAppleSingle(archive, name)],
  ['tar', (archive, budget) => listTar(archive, budget.entriesLeft)],
]);

/** The reader for a format, or undefined when there is none. */
export function listerOf(format: string): Lister | undefined {
  return LISTERS.get(format);
}

import type { Budget } from './budget.js';
import type { Listing } from './entry.js';
import { listGzip } from './gzip.js';
import { listTar } from './tar.js';
import { listZip } from './zip.js';

/** Lists an archive. The name is the archive's own. */
export type Lister = (archive: Buffer, budget: Budget, name: string) => Listing;

const LISTERS: ReadonlyMap<string, Lister> = new Map<string, Lister>([
  ['zip', (archive, budget) => listZip(archive, budget.entriesLeft)],
  ['gzip', (archive, _budget, name) => listGzip(archive, name)],
  ['tar', (archive, budget) => listTar(archive, budget.entriesLeft)],
]);

/** The reader for a format, or undefined when there is none. */
export function listerOf(format: string): Lister | undefined {
  return LISTERS.get(format);
}

import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { durableFiles, type DurableFiles } from '../../store/files.js';
import type { Log } from '../../telemetry/log.js';
import { decodeBatch, encodeLine, type BatchLine } from './batch.js';

export const BATCH = '.jsonl';
export const ORIGINAL = '.eml';
const CORRUPT = 'corrupt';

export interface StoredBatch {
  readonly name: string;
  readonly lines: readonly BatchLine[];
}

export interface FolderReading {
  readonly batches: readonly StoredBatch[];
  /** Trace IDs of which the original is kept. */
  readonly originals: readonly string[];
}

/**
 * Reads all that lies in the outbox. A batch that is damaged is set aside in `corrupt/`; what can be read of it is
 * written anew first.
 */
export async function readFolder(
  folder: string,
  log: Log,
  files: DurableFiles = durableFiles(),
): Promise<FolderReading> {
  await mkdir(path.join(folder, CORRUPT), { recursive: true, mode: 0o700 });
  const names = (await readdir(folder)).sort();
  const batches: StoredBatch[] = [];
  const originals: string[] = [];
  for (const name of names) {
    const file = path.join(folder, name);
    if (name.endsWith('.tmp')) await files.remove(file);
    else if (name.endsWith(ORIGINAL)) originals.push(path.basename(name, ORIGINAL));
    else if (name.endsWith(BATCH)) {
      const batch = await readBatch(folder, name, log, files);
      if (batch !== undefined) batches.push(batch);
    }
  }
  return { batches, originals };
}

async function readBatch(
  folder: string,
  name: string,
  log: Log,
  files: DurableFiles,
): Promise<StoredBatch | undefined> {
  const file = path.join(folder, name);
  try {
    const bytes = await readFile(file);
    const reading = decodeBatch(bytes);
    if (reading.damaged === 0) return { name, lines: reading.lines };
    log.error(
      { file: name, damaged: reading.damaged, readable: reading.lines.length },
      'a file of the outbox is damaged: it is set aside in outbox/corrupt',
    );
    if (reading.lines.length === 0) {
      await files.move(file, path.join(folder, CORRUPT, name));
      return undefined;
    }
    const mended = Buffer.concat(reading.lines.map((line) => encodeLine(line.notification)));
    const mendedName = `${path.basename(name, BATCH)}m${BATCH}`;
    await files.replace(path.join(folder, mendedName), mended);
    await files.move(file, path.join(folder, CORRUPT, name));
    return { name: mendedName, lines: decodeBatch(mended).lines };
  } catch (error) {
    log.error({ file: name, err: error }, 'a file of the outbox cannot be read: it stays where it is');
    return undefined;
  }
}

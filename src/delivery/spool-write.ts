import type { Content } from '../message/source.js';
import type { DurableFiles, StagedFile } from '../store/files.js';
import { Checksum } from './spool-checksum.js';
import { emlOf, jsonOf, type SpoolPaths } from './spool-folder.js';
import { formatItem, type SpoolItem } from './spool-item.js';

/**
 * Writes the two files of a new item, fsynced when this resolves; when it rejects, neither is there.
 * @param discard removes a file, and never rejects
 * @returns the item with the checksum of its message
 */
export async function writeItem(
  files: DurableFiles,
  { root, tmp }: SpoolPaths,
  item: SpoolItem,
  content: Content,
  discard: (file: string) => Promise<void>,
): Promise<SpoolItem> {
  const checksum = new Checksum();
  const eml = await files.stage(emlOf(root, item.item), checksum.over(content.read()), tmp);
  const whole = { ...item, crc32: checksum.text };
  let json: StagedFile | undefined;
  try {
    // While this file lies in tmp, a message without its .json was never acknowledged.
    json = await files.stage(jsonOf(root, item.item), formatItem(whole), tmp);
    await eml.commit();
    await json.commit();
    return whole;
  } catch (error) {
    await eml.discard();
    await discard(emlOf(root, item.item));
    await json?.discard();
    throw error;
  }
}

import { Checksum } from '../../src/delivery/spool-checksum.js';
import { emlOf, jsonOf, makeFolders, spoolPaths } from '../../src/delivery/spool-folder.js';
import { formatItem, newItem, type NewSpoolItem } from '../../src/delivery/spool-item.js';
import { eachSpoolItem, listing, type SpoolListing } from '../../src/delivery/spool-list.js';
import { durableFiles } from '../../src/store/files.js';

/** What lies in a spool folder, as `gatepost queue list` shows it. */
export async function listSpool(folder: string): Promise<readonly SpoolListing[]> {
  const found: SpoolListing[] = [];
  for await (const item of eachSpoolItem(folder)) found.push(listing(item));
  return found;
}

/** Puts mail where a gateway takes it over, as a release does. */
export async function addToSpool(folder: string, mail: NewSpoolItem): Promise<void> {
  const paths = spoolPaths(folder);
  await makeFolders(paths);
  const files = durableFiles();
  const checksum = new Checksum();
  await files.create(emlOf(paths.incoming, mail.item), checksum.over(mail.content.read()));
  const item = { ...newItem(mail, new Date(), ''), crc32: checksum.text };
  await files.create(jsonOf(paths.incoming, mail.item), formatItem(item));
}

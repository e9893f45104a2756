import type { Listing } from '../entry.js';
import { type ImageFile, sameBytes, toEntry } from './extents.js';
import { listIso } from './iso.js';
import { hasUdf, listUdf } from './udf.js';

/** The files of an optical image: of ISO 9660 with its extensions, and of UDF, which systems prefer where both are. */
export function listImage(image: Buffer, maxEntries: number): Listing {
  const iso = listIso(image, maxEntries);
  const files: ImageFile[] = [...iso.files];
  const damage = iso.damaged ? ['the image is damaged'] : [];
  let cut = iso.cut;
  if (hasUdf(image)) {
    const udf = listUdf(image, maxEntries);
    if (udf === undefined) damage.push('unscannable: a UDF file system of this make cannot be read');
    else {
      const known = new Set(files.map(sameBytes));
      for (const file of udf.files) if (!known.has(sameBytes(file))) files.push(file);
      if (udf.damaged) damage.push('the UDF file system is damaged');
      cut ||= udf.cut;
    }
  }
  if (files.length > maxEntries) cut = true;
  return { entries: files.slice(0, maxEntries).map(toEntry), damage, cut };
}

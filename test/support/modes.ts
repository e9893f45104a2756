import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * What other users of the machine could read or change in a folder, with its mode; they may pass through folders of the
 * gateway, whose names they do not see. The embedded database's own folder is closed as a whole.
 */
export async function openToOthers(folder: string): Promise<string[]> {
  const found: string[] = [];
  const look = async (place: string): Promise<void> => {
    const [mode] = await Promise.allSettled([stat(place)]);
    // Gone meanwhile.
    if (mode.status === 'rejected') return;
    const bits = mode.value.mode & 0o777;
    const shown = `${path.relative(folder, place) || '.'} ${bits.toString(8)}`;
    if ((bits & 0o066) !== 0 || (!mode.value.isDirectory() && (bits & 0o011) !== 0)) found.push(shown);
    if (!mode.value.isDirectory()) return;
    if (path.basename(place) === 'postgres') {
      if ((bits & 0o077) !== 0) found.push(shown);
      return;
    }
    for (const name of await readdir(place).catch(() => [])) await look(path.join(place, name));
  };
  await look(folder);
  return found;
}

import { chmod, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { inject } from 'vitest';

/**
 * A folder that the first who needs it fills, for all processes of the run. Where two need it at the same time both fill
 * one, and the first that is whole is taken.
 * @returns its path
 */
export async function madeOnce(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const place = path.join(inject('runFolder'), name);
  if (await isThere(place)) return place;
  const draft = await mkdtemp(`${place}-`);
  try {
    await chmod(draft, 0o755);
    await fill(draft);
    await rename(draft, place);
  } catch (error) {
    if (!(await isThere(place))) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return place;
}

async function isThere(place: string): Promise<boolean> {
  return await stat(place).then(
    () => true,
    () => false,
  );
}

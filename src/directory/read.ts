import type { DirectorySettings } from '../config/schema-directory.js';
import { DirectoryError, type DirectoryFailure } from './errors.js';
import { openSession, type DirectorySession } from './session.js';
import type { GroupReading } from './types.js';
import { GroupWalker } from './walk.js';

/** What came of one reading of the directory. Plain data. */
export type DirectoryReading =
  | { readonly kind: 'failed'; readonly failure: DirectoryFailure; readonly reason: string }
  | { readonly kind: 'read'; readonly groups: Readonly<Record<string, GroupReading | GroupFailure>> };

export interface GroupFailure {
  readonly failure: string;
}

/**
 * Reads all groups; one that cannot be read does not stop the others. Never rejects but for a mistake of ours.
 * @param names groups to read; all without it
 */
export async function readDirectory(settings: DirectorySettings, names?: readonly string[]): Promise<DirectoryReading> {
  const groups: Record<string, GroupReading | GroupFailure> = {};
  let session: DirectorySession | undefined;
  try {
    for (const [name, definition] of Object.entries(settings.groups)) {
      if (names?.includes(name) === false) continue;
      session ??= await openSession(settings);
      try {
        groups[name] = await new GroupWalker(session, settings).read(definition);
      } catch (error) {
        if (!(error instanceof DirectoryError)) throw error;
        groups[name] = { failure: error.message };
        // A search that the server does not get done costs the connection: the next group gets a new one.
        if (error.kind !== 'unreachable') continue;
        await session.close();
        session = undefined;
      }
    }
    return { kind: 'read', groups };
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error;
    return { kind: 'failed', failure: error.kind, reason: error.message };
  } finally {
    await session?.close();
  }
}

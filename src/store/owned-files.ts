import { lchown, open, rename, stat, unlink } from 'node:fs/promises';
import { durableFiles, type DurableFiles } from './files.js';

/** Durable files in folders of somebody else: what root's command writes is the gateway's to read, which may run as another account. */
export interface OwnedFiles extends DurableFiles {
  /** Gives a folder that was made here to its owner. */
  give(folder: string): Promise<void>;
}

/**
 * What is written belongs to the owner of a folder. Never through a name that could have become a link meanwhile: that
 * would give away any file of the system.
 * @param folder the data folder
 */
export async function filesOfOwner(folder: string): Promise<OwnedFiles> {
  if (process.getuid?.() !== 0) return { ...durableFiles(), give: () => Promise.resolve() };
  const { uid, gid } = await stat(folder);
  const files = durableFiles({
    rename,
    unlink,
    open: async (file, flags, mode) => {
      const handle = await open(file, flags, mode);
      if (flags !== 'r') await handle.chown(uid, gid);
      return handle;
    },
  });
  return { ...files, give: async (made) => await lchown(made, uid, gid) };
}

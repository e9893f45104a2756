import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmdirSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A file system of its own, of a few MB, that can be filled up. */
export interface SmallDisk {
  /** Bytes that are free. */
  readonly free: number;
  /** Takes all that is free, to the last block. @returns bytes taken */
  fill(): number;
  /** Gives it back. */
  empty(): void;
  unmount(): void;
}

/** For `describe.skipIf`: this machine mounts nothing for whoever runs the test. */
export const mountMissing = !canMount();

/** Mounts one over a folder that is there. @param size bytes */
export function mountSmallDisk(folder: string, size: number): SmallDisk {
  if (!mount(folder, size)) throw new Error('it cannot be mounted');
  const ballast = openSync(path.join(folder, 'ballast'), 'w');
  return {
    get free() {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    },
    fill() {
      let taken = 0;
      for (const bytes of [2 ** 20, 4096]) taken += writeUntilFull(ballast, Buffer.alloc(bytes));
      return taken;
    },
    empty: () => ftruncateSync(ballast),
    unmount() {
      closeSync(ballast);
      // Processes of a gateway that was killed may take a moment to be gone.
      spawnSync('umount', ['--lazy', folder]);
    },
  };
}

function writeUntilFull(file: number, chunk: Buffer): number {
  for (let taken = 0; ;) {
    try {
      taken += writeSync(file, chunk);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return taken;
      throw error;
    }
  }
}

function mount(folder: string, size: number): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0755`, 'tmpfs', folder]).status === 0;
}

function canMount(): boolean {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatepost-mount-'));
  const mounted = mount(folder, 2 ** 16);
  if (mounted) spawnSync('umount', [folder]);
  rmdirSync(folder);
  return mounted;
}

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder for what is made once and used by all test files of a run. Every account may enter it. */
    readonly runFolder: string;
  }
}

/** Before the first test of a run; what it gives is called after the last. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatepost-run-'));
  await chmod(folder, 0o755);
  project.provide('runFolder', folder);
  return async () => await rm(folder, { recursive: true, force: true });
}

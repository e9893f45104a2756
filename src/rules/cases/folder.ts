import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../../config/file-error.js';
import { sortProblems } from '../../config/problems.js';
import { shownPath } from '../../config/shown-path.js';
import { loadCases, type LoadedCases } from './load.js';
import type { CaseContext } from './schema.js';

/** The files of test cases in a folder, in the order of their names; a folder that is not there has none. */
export async function caseFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => name.endsWith('.yaml') && !name.startsWith('.'))
    .sort()
    .map((name) => path.join(folder, name));
}

/**
 * Reads and checks several files of test cases.
 * @param root folder that displayed paths count from
 */
export async function loadCaseFiles(files: readonly string[], root: string, context: CaseContext): Promise<LoadedCases> {
  const loaded = await Promise.all(files.map(async (file) => await loadCases(file, shownPath(file, root), context)));
  return {
    cases: loaded.flatMap(({ cases }) => cases),
    problems: sortProblems(loaded.flatMap(({ problems }) => problems)),
  };
}

import { stat } from 'node:fs/promises';
import { codeOf } from './file-error.js';
import type { Problem } from './problems.js';
import { resolveFrom, type RawConfig } from './schema.js';
import type { YamlSource } from './yaml-source.js';

const HINT = 'name another folder, or move that file away';

/** What is wrong with the folders that a configuration names, or has by default. @param folder that paths count from */
export async function checkFolders(raw: RawConfig, folder: string, source: YamlSource): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const key of ['rules', 'templates', 'data'] as const) {
    const shown = raw[key] ?? `./${key}`;
    // The data folder is made, and what was not named need not be there.
    const needed = key !== 'data' && raw[key] !== undefined;
    const found = await kindOf(resolveFrom(folder, shown));
    if (found === 'file') problems.push(source.error([key], `\`${key}\`: "${shown}" is a file, not a folder`, HINT));
    if (found === 'below a file')
      problems.push(source.error([key], `\`${key}\`: there can be no folder "${shown}", as it is below a file`, HINT));
    if (found === 'missing' && needed) problems.push(source.error([key], `\`${key}\`: there is no folder "${shown}"`));
  }
  return problems;
}

async function kindOf(place: string): Promise<'folder' | 'file' | 'below a file' | 'missing' | 'closed'> {
  try {
    return (await stat(place)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return 'missing';
    // Who may not look into it is told where it is used.
    return code === 'ENOTDIR' ? 'below a file' : 'closed';
  }
}

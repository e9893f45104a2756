import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Problem } from './problems.js';
import type { DirectorySettings } from './schema-directory.js';
import type { YamlSource } from './yaml-source.js';

const OWN_HOST = /^(localhost|127(\.\d+){3})$/;

/** What the schema cannot tell of `directory:`: whether its files are there, and what is hardly meant. */
export async function checkDirectory(
  settings: DirectorySettings | undefined,
  folder: string,
  source: YamlSource,
): Promise<readonly Problem[]> {
  if (settings === undefined) return [];
  const { ca, url, bind, startTls } = settings;
  const problems: Problem[] = [];
  if (ca !== undefined) {
    const isFile = await stat(path.resolve(folder, ca)).then(
      (found) => found.isFile(),
      () => false,
    );
    if (!isFile) problems.push(source.error(['directory', 'ca'], `\`directory.ca\`: there is no file "${ca}"`));
  }
  const open = url.find((text) => text.startsWith('ldap:') && !OWN_HOST.test(new URL(text).hostname));
  if (bind !== undefined && !startTls && open !== undefined)
    problems.push(
      source.warning(
        ['directory', 'bind'],
        `\`directory.bind\`: the password goes to ${open} in clear`,
        'write ldaps://, or `startTls: true`',
        'key',
      ),
    );
  return problems;
}

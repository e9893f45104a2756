import path from 'node:path';
import { whyNoAuthority } from './files.js';
import type { Problem } from './problems.js';
import type { DirectorySettings } from './schema-directory.js';
import type { YamlSource } from './yaml-source.js';

const OWN_HOST = /^(localhost|127(\.\d+){3})$/;

/** What the schema cannot tell of `directory:`: whether its files are there, and what is hardly meant. */
export function checkDirectory(
  settings: DirectorySettings | undefined,
  folder: string,
  source: YamlSource,
): readonly Problem[] {
  if (settings === undefined) return [];
  const { ca, url, bind, startTls } = settings;
  const problems: Problem[] = [];
  if (ca !== undefined) {
    const reason = whyNoAuthority(path.resolve(folder, ca));
    if (reason !== undefined) problems.push(source.error(['directory', 'ca'], `\`directory.ca\`: ${reason}`));
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

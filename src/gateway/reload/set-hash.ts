import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../../config/load.js';
import type { RuleBundle } from '../../rules/model.js';
import { templateFiles } from './fingerprint.js';

/**
 * What tells one rule set from another, the same on all nodes: rules and lists by their bytes, own templates by theirs,
 * the domains, the modules that run and the thresholds. Paths, addresses of engines and names of nodes are not in it.
 * @returns SHA-256 in hex
 * @throws the file system's error when a template cannot be read
 */
export async function setHash(config: Config, bundle: RuleBundle): Promise<string> {
  const hash = createHash('sha256');
  const add = (name: string, content: string | Buffer): void => {
    hash.update(`${Buffer.byteLength(name)}:${name}:${Buffer.byteLength(content)}:`);
    hash.update(content);
  };
  add('rules', bundle.hash);
  add('domains', JSON.stringify(config.domains));
  add('modules', JSON.stringify(config.detectors.map(({ name }) => name).sort()));
  add('thresholds', JSON.stringify(bundle.thresholds));
  add('language', config.notifications.language);
  const folder = config.templates;
  for (const file of folder === undefined ? [] : (await templateFiles(folder)).sort())
    add(
      path
        .relative(folder ?? '', file)
        .split(path.sep)
        .join('/'),
      await readFile(file),
    );
  return hash.digest('hex');
}

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Problem } from './problems.js';
import { formatPath } from './zod-problems.js';
import type { YamlSource } from './yaml-source.js';

interface Given {
  readonly url: string;
  readonly ca?: string | undefined;
}

/** What the schema cannot see of webhooks: files that are not there, the same address twice. */
export async function checkWebhooks(hooks: readonly Given[], folder: string, source: YamlSource): Promise<Problem[]> {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const [i, { url, ca }] of hooks.entries()) {
    const at = ['notifications', 'webhooks', i] as const;
    if (seen.has(url))
      problems.push(
        source.error(
          [...at, 'url'],
          `\`${formatPath([...at, 'url'])}\`: there is another webhook with the same address`,
        ),
      );
    seen.add(url);
    if (ca === undefined) continue;
    const text = await readFile(path.resolve(folder, ca), 'latin1').catch(() => undefined);
    if (text?.includes('-----BEGIN') !== true)
      problems.push(
        source.error([...at, 'ca'], `\`${formatPath([...at, 'ca'])}\`: "${ca}" is no file with certificates (PEM)`),
      );
  }
  return problems;
}

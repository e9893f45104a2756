import path from 'node:path';
import { whyNoAuthority } from './files.js';
import type { Problem } from './problems.js';
import { formatPath } from './zod-problems.js';
import type { YamlSource } from './yaml-source.js';

interface Given {
  readonly url: string;
  readonly ca?: string | undefined;
}

/** What the schema cannot see of webhooks: files that are not there, the same address twice. */
export function checkWebhooks(hooks: readonly Given[], folder: string, source: YamlSource): Problem[] {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const [i, { url, ca }] of hooks.entries()) {
    const complain = (key: 'url' | 'ca', reason: string): void => {
      const at = ['notifications', 'webhooks', i, key];
      problems.push(source.error(at, `\`${formatPath(at)}\`: ${reason}`));
    };
    if (seen.has(url)) complain('url', 'there is another webhook with the same address');
    seen.add(url);
    const reason = ca === undefined ? undefined : whyNoAuthority(path.resolve(folder, ca));
    if (reason !== undefined) complain('ca', reason);
  }
  return problems;
}

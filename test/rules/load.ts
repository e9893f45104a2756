import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { formatProblem, sortProblems } from '../../src/config/problems.js';
import { compileRules, type RuleSet } from '../../src/rules/compile.js';
import { loadRules, type LoadedRules, type LoadOptions } from '../../src/rules/load.js';

export const DEFAULTS: LoadOptions = {
  domains: ['example.org'],
  timezone: 'Europe/Berlin',
  modules: new Map([
    ['content', ['encrypted', 'macro']],
    ['signatures', ['infected']],
    ['antivirus', ['infected', 'encrypted', 'macro']],
    ['antispam', ['spam', 'probable-spam', 'bulk', 'phishing']],
    ['authentication', ['spf', 'dkim', 'dmarc']],
    ['sandbox', ['malicious', 'suspicious']],
  ]),
  generalConfigured: true,
};

/** Writes a rule folder (`10-a.yaml`, `lists/names.txt`, ...), loads it, and removes it again. */
export async function loadFiles(
  files: Readonly<Record<string, string>>,
  options: Partial<LoadOptions> = {},
): Promise<LoadedRules> {
  const root = await mkdtemp(path.join(os.tmpdir(), 'gatepost-rules-'));
  try {
    const folder = path.join(root, 'rules');
    await mkdir(path.join(folder, 'lists'), { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
    return await loadRules(folder, { ...DEFAULTS, displayRoot: root, ...options });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** The compiled set of one rule file. @throws Error with the problems when it is broken */
export async function ruleSet(
  text: string,
  lists: Readonly<Record<string, string>> = {},
  options: Partial<LoadOptions> = {},
): Promise<RuleSet> {
  const files = Object.fromEntries(Object.entries(lists).map(([name, list]) => [`lists/${name}.txt`, list]));
  const { bundle, problems } = await loadFiles({ '10-test.yaml': text, ...files }, options);
  if (bundle === undefined) throw new Error(sortProblems(problems).map(formatProblem).join('\n'));
  return compileRules(structuredClone(bundle));
}

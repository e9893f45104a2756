import { readFile, writeFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { ConfigError, formatProblem } from '../../src/config/problems.js';
import { loadSetup, type Setup } from '../../src/gateway/setup.js';
import { runCase } from '../../src/gateway/trial/cases.js';
import { startInspecting } from '../../src/gateway/trial/inspecting.js';
import { Coverage } from '../../src/rules/cases/coverage.js';
import { loadCases } from '../../src/rules/cases/load.js';
import { makeSite } from '../support/gateway.js';

/**
 * A case as in `rules/tests/*.yaml`, shortened: what it does not give of `raw` and `envelope` comes from the group and
 * then from here; `expect` is that of the only recipient, `each` of several; modules that it gives no findings of are clean.
 */
const caseShape = z.strictObject({
  name: z.string(),
  raw: z.string().optional(),
  envelope: z.record(z.string(), z.unknown()).default({}),
  findings: z.array(z.looseObject({ module: z.string() })).default([]),
  /** Modules that do run. */
  run: z.array(z.string()).default([]),
  expect: z.record(z.string(), z.unknown()).optional(),
  each: z.record(z.string(), z.unknown()).optional(),
});

/** One rule set and what it does. */
const groupShape = z.strictObject({
  /** The sentence of the specification, shortened. */
  about: z.string(),
  rules: z.string(),
  lists: z.record(z.string(), z.string()).default({}),
  /** Further files by path, such as a second rule file. */
  files: z.record(z.string(), z.string()).default({}),
  /** Lines of gatepost.yaml instead of those below. */
  config: z.string().optional(),
  raw: z.string().optional(),
  envelope: z.record(z.string(), z.unknown()).default({}),
  cases: z.array(caseShape).default([]),
  /** What `check` says of the set: texts that stand among its errors, or among its warnings. */
  errors: z.array(z.string()).optional(),
  warnings: z.array(z.string()).optional(),
});

export type Group = z.infer<typeof groupShape>;

const CONFIG = `smtp: { hostname: mx.example.org }
domains: [example.org]
node: { timezone: Europe/Berlin }
notifications: { from: "Gatepost <gatepost@example.org>", general: [security@example.org] }
scan: { deadline: 60s }
detectors:
  content: {}
  signatures: {}
  links: {}
  antivirus: {}
  antispam: {}
  authentication: { dns: ["127.0.0.1:53"] }
  sandbox: { module: ./sandbox.mjs }
`;

/** A third party's module; it never finds anything by itself. */
const SANDBOX = `export default ({ z }) => ({
  settings: z.strictObject({}),
  statuses: ['malicious', 'suspicious'],
  create: () => ({ inspect: () => Promise.resolve([]) }),
});
`;

const RAW = 'From: A <a@partner.example>\nTo: b@example.org\nSubject: Minutes\n\nHere they are.\n';

export async function readGroups(file: string): Promise<Group[]> {
  return z.array(groupShape).parse(parse(await readFile(file, 'utf8')));
}

/** What came out otherwise than the group says, for people; none when all is well. */
export async function runGroup(group: Group): Promise<string[]> {
  const lists = Object.entries(group.lists).map(([name, text]): [string, string] => [`rules/lists/${name}.txt`, text]);
  const site = await makeSite(group.config ?? CONFIG, {
    'rules/10-test.yaml': group.rules,
    'sandbox.mjs': SANDBOX,
    ...Object.fromEntries(lists),
    ...group.files,
  });
  try {
    const loaded = await load(site.config);
    const wanted = [...(group.errors ?? []), ...(group.warnings ?? [])];
    const missing = wanted.filter((text) => !loaded.said.some((line) => line.includes(text)));
    const wrong = missing.map((text) => `nothing is said of: ${text}\n${loaded.said.join('\n')}`);
    if (group.warnings?.length === 0) wrong.push(...loaded.said);
    if (loaded.setup === undefined) return group.errors === undefined ? [...loaded.said] : wrong;
    if (group.errors !== undefined) return [...wrong, 'the set loads'];
    return [...wrong, ...(await runCases(group, loaded.setup, site.folder))];
  } finally {
    await site.remove();
  }
}

async function load(config: string): Promise<{ readonly setup?: Setup; readonly said: readonly string[] }> {
  try {
    const setup = await loadSetup('trial', config);
    return { setup, said: setup.warnings.map(formatProblem) };
  } catch (error) {
    if (error instanceof ConfigError) return { said: error.problems.map(formatProblem) };
    throw error;
  }
}

async function runCases(group: Group, setup: Setup, folder: string): Promise<string[]> {
  if (group.cases.length === 0) return [];
  const file = path.join(folder, 'rules', 'tests', 'cases.yaml');
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, stringify(group.cases.map((one) => fullCase(one, group, setup))));
  const context = {
    modules: new Map(setup.specs.map((spec) => [spec.name, spec.statuses])),
    rules: setup.bundle.rules.map(({ id }) => id),
    timezone: setup.config.node.timezone,
  };
  const { cases, problems } = await loadCases(file, 'cases.yaml', context);
  const wrong = problems.map(formatProblem);
  const inspecting = await startInspecting(setup, 1);
  try {
    for (const test of cases) {
      const { failed, error } = await runCase(test, inspecting, setup.config, new Coverage(setup.bundle));
      if (error !== undefined) wrong.push(`${test.name}: ${error}`);
      for (const { recipient, differences } of failed)
        for (const { key, expected, got, why = '' } of differences)
          wrong.push(`${test.name}: ${recipient}: ${key} is to be ${expected}, and is ${got} (${why})`);
    }
  } finally {
    await inspecting.close();
  }
  return wrong;
}

function fullCase(one: Group['cases'][number], group: Group, setup: Setup): unknown {
  const envelope: Record<string, unknown> = {
    sender: 'a@partner.example',
    recipients: ['b@example.org'],
    ...group.envelope,
    ...one.envelope,
  };
  const given = new Set([...one.findings.map(({ module }) => module), ...one.run]);
  const clean = setup.specs.filter(({ name }) => !given.has(name)).map(({ name }) => ({ module: name, status: 'clean' }));
  const [only] = [envelope['recipients']].flat();
  return {
    name: one.name,
    raw: one.raw ?? group.raw ?? RAW,
    envelope,
    findings: [...one.findings, ...clean],
    expect: one.each ?? { [String(only)]: one.expect ?? {} },
  };
}

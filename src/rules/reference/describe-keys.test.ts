import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { casesJsonSchemaText } from '../cases/json-schema.js';
import { rulesJsonSchema } from '../json-schema.js';

const DOCS = path.join(import.meta.dirname, '../../../docs');
const RECIPES = path.join(DOCS, 'examples/recipes');
const SCHEMAS: Readonly<Record<'rules' | 'cases', object>> = {
  rules: rulesJsonSchema(),
  cases: JSON.parse(casesJsonSchemaText()) as object,
};
const ajv = new Ajv({ strict: false });
const validate = { rules: ajv.compile(SCHEMAS.rules), cases: ajv.compile(SCHEMAS.cases) };

/** Whether an editor finds words for a node: its own, or those of what it refers to. */
function hasWords(node: unknown, root: unknown, depth = 0): boolean {
  if (!isRecord(node) || depth > 8) return false;
  if (typeof node['description'] === 'string' && node['description'].length > 3) return true;
  const { $ref, allOf } = node;
  if (typeof $ref === 'string') {
    const steps = $ref.split('/').slice(1);
    if (hasWords(steps.reduce<unknown>((at, step) => (isRecord(at) ? at[step] : undefined), root), root, depth + 1)) return true;
  }
  return Array.isArray(allOf) && allOf.some((each) => hasWords(each, root, depth + 1));
}

/** Paths of keys that nothing is said about, and how many there are at all. */
function undescribed(root: unknown): { readonly missing: string[]; readonly total: number } {
  const missing: string[] = [];
  let total = 0;
  const visit = (node: unknown, at: string): void => {
    if (typeof node !== 'object' || node === null) return;
    if (isRecord(node) && isRecord(node['properties'])) {
      for (const [key, child] of Object.entries(node['properties'])) {
        total++;
        if (!hasWords(child, root)) missing.push(`${at}/${key}`);
      }
    }
    for (const [step, inner] of Object.entries(node)) visit(inner, `${at}/${step}`);
  };
  visit(root, '');
  return { missing, total };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function yamlIn(folder: string): Promise<[string, string][]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));
  return await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name), 'utf8')]));
}

describe('the JSON Schemas for editors', () => {
  it.each(['rules', 'cases'] as const)('have words for each key of %s', (which) => {
    const { missing, total } = undescribed(SCHEMAS[which]);
    expect(missing).toEqual([]);
    expect(total).toBeGreaterThan(40);
  });

  it.each([
    ['rules', RECIPES],
    ['cases', path.join(RECIPES, 'tests')],
  ] as const)('accept the %s of the recipes', async (which, folder) => {
    const files = await yamlIn(folder);
    expect(files.length).toBeGreaterThan(20);
    for (const [name, text] of files)
      expect(validate[which](parse(text)), `${name}: ${JSON.stringify(validate[which].errors)}`).toBe(true);
  });

  it('accept the examples of docs/rules.md', async () => {
    const page = await readFile(path.join(DOCS, 'rules.md'), 'utf8');
    const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1] ?? '');
    expect(blocks.length).toBeGreaterThan(8);
    for (const block of blocks) {
      const accepts = block.startsWith('# rules/tests/') ? validate.cases : validate.rules;
      expect(accepts(parse(block)), `${block}: ${JSON.stringify(accepts.errors)}`).toBe(true);
    }
  });
});

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { DEFAULTS, loadFiles } from '../../test/rules/load.js';
import { caseFileSchema } from './cases/schema.js';
import { FIELDS, OBJECT_TYPES } from './fields.js';
import { KNOWN_MODULES, STATUS_KEYS } from './findings.js';
import { ACTIONS, GROUPS } from './schema-response.js';

const page = await readFile(path.join(import.meta.dirname, '../../docs/rules.md'), 'utf8');
const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1] ?? '');
const cases = blocks.filter(isCases);
const examples = blocks.filter((block) => !isCases(block));

/** A block of test cases says in which file they stand. */
function isCases(block: string): boolean {
  return block.startsWith('# rules/tests/');
}

describe('docs/rules.md', () => {
  it('has examples, and each loads without a complaint', async () => {
    expect(examples.length).toBeGreaterThan(8);
    const modules = new Map([...DEFAULTS.modules, ...KNOWN_MODULES]);
    for (const example of examples)
      expect(await loadFiles({ '10-example.yaml': example }, { modules })).toMatchObject({ problems: [] });
  });

  it('has test cases, of rules that stand on the page', () => {
    const rules = examples.flatMap((example) => [...example.matchAll(/- id: ([a-z-]+)/g)].map((match) => match[1] ?? ''));
    expect(cases.length).toBeGreaterThan(0);
    const schema = caseFileSchema({ modules: KNOWN_MODULES, timezone: 'UTC', rules });
    for (const text of cases) expect(schema.safeParse(parse(text)).error).toBeUndefined();
  });

  it.each([...STATUS_KEYS, ...ACTIONS, ...GROUPS])('names %s', (word) => {
    expect(page).toContain(`\`${word}\``);
  });

  it('names every field and every type', () => {
    for (const field of FIELDS.keys()) {
      const last = field.slice(field.indexOf('.'));
      expect(page.includes(`\`${field}\``) || page.includes(`\`${last}\``) || field.startsWith('link.'), field).toBe(true);
    }
    expect(page).toContain(OBJECT_TYPES.join(' '));
  });
});

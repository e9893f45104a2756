import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadFiles } from '../../test/rules/load.js';
import { FIELDS, OBJECT_TYPES } from './fields.js';
import { STATUS_KEYS } from './findings.js';
import { ACTIONS, GROUPS } from './schema-response.js';

const page = await readFile(path.join(import.meta.dirname, '../../docs/rules.md'), 'utf8');
const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1] ?? '');

describe('docs/rules.md', () => {
  it('has examples, and each loads without a complaint', async () => {
    expect(examples.length).toBeGreaterThan(3);
    for (const example of examples) expect(await loadFiles({ '10-example.yaml': example })).toMatchObject({ problems: [] });
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

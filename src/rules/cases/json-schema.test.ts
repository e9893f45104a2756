import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { casesJsonSchemaText } from './json-schema.js';

const RULES = path.join(import.meta.dirname, '../../../rules');
const schema: unknown = JSON.parse(casesJsonSchemaText());
const validate = new Ajv({ strict: false }).compile(schema as object);

describe('the JSON Schema of test files', () => {
  it('is written beside the shipped rules; `npx vitest run src/rules/cases/json-schema.test.ts --update=all` writes it anew', async () => {
    await expect(casesJsonSchemaText()).toMatchFileSnapshot(path.join(RULES, 'tests.schema.json'));
  });

  it('is named in the first line of each shipped test file, and accepts the file', async () => {
    const files = (await readdir(path.join(RULES, 'tests'))).filter((name) => name.endsWith('.yaml'));
    expect(files.length).toBeGreaterThan(2);
    for (const name of files) {
      const text = await readFile(path.join(RULES, 'tests', name), 'utf8');
      expect(text.split('\n')[0], name).toBe('# yaml-language-server: $schema=../tests.schema.json');
      expect(validate(parse(text)), `${name}: ${JSON.stringify(validate.errors)}`).toBe(true);
    }
  });

  it.each([
    ['an unknown key', '- { name: a, raw: x, envelop: {} }'],
    ['an unknown action', '- { name: a, raw: x, envelope: { sender: "", recipients: [b@c.example] }, expect: { b@c.example: { action: drop } } }'],
    ['a case without a name', '- { raw: x, envelope: { sender: "", recipients: [b@c.example] }, expect: {} }'],
  ])('refuses %s', (_, text) => {
    expect(validate(parse(text))).toBe(false);
  });
});

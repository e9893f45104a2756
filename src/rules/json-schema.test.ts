import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { rulesJsonSchema, rulesJsonSchemaText } from './json-schema.js';

const SHIPPED = path.join(import.meta.dirname, '../../rules');
const validate = new Ajv({ strict: true, strictTypes: false }).compile(rulesJsonSchema());

function accepts(text: string): boolean {
  return validate(parse(text));
}

describe('the JSON Schema for editors', () => {
  it('is written beside the shipped rules; `npx vitest run src/rules/json-schema.test.ts --update=all` writes it anew', async () => {
    await expect(rulesJsonSchemaText()).toMatchFileSnapshot(path.join(SHIPPED, 'rules.schema.json'));
  });

  it('is named in the first line of each shipped file, and accepts the file', async () => {
    const files = (await readdir(SHIPPED)).filter((name) => name.endsWith('.yaml'));
    expect(files.length).toBeGreaterThan(3);
    for (const name of files) {
      const text = await readFile(path.join(SHIPPED, name), 'utf8');
      expect(text.split('\n')[0], name).toBe('# yaml-language-server: $schema=./rules.schema.json');
      expect(accepts(text), `${name}: ${JSON.stringify(validate.errors)}`).toBe(true);
    }
  });

  it('accepts short forms', () => {
    expect(
      accepts(`
rules:
  - id: a
    match: { sender: a@b.example, when: { header.X-Mailer: "*Bot*", not: { attachment.size: { over: 5MB } } } }
    on:
      antivirus.infected: { action: reject }
      spf: { fail: { tag: "[Spoofed?]" } }
      content: { id: x, when: { subject: [a, b] }, notify: general }
`),
    ).toBe(true);
  });

  it.each([
    ['an unknown key of a rule', 'rules: [ { id: a, matches: {} } ]'],
    ['an unknown key under on', 'rules: [ { id: a, on: { malwares: {} } } ]'],
    ['an unknown field', 'rules: [ { id: a, match: { when: { subjects: x } } } ]'],
    ['an unknown action', 'rules: [ { id: a, on: { malware: { action: drop } } } ]'],
    ['a rule without an id', 'rules: [ { name: a } ]'],
  ])('refuses %s', (_, text) => {
    expect(accepts(text)).toBe(false);
  });
});

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { PROGRAM_FOLDER } from '../../config/load.js';
import { webhookSchemaText } from './reference.js';

it('the JSON Schema in docs/reference is the one of the code (node scripts/reference.mjs writes it)', async () => {
  const file = path.join(PROGRAM_FOLDER, 'docs', 'reference', 'webhook.schema.json');
  expect(await readFile(file, 'utf8')).toBe(webhookSchemaText());
});

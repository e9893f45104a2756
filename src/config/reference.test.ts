import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { PROGRAM_FOLDER } from './load.js';
import { configurationPage } from './reference.js';

it('docs/reference/configuration.md is what the schema says (else: npm run reference)', async () => {
  const page = await readFile(path.join(PROGRAM_FOLDER, 'docs', 'reference', 'configuration.md'), 'utf8');
  expect(page).toBe(configurationPage());
});

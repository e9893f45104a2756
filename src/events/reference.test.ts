import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { PROGRAM_FOLDER } from '../config/load.js';
import { eventsPage } from './reference.js';

it('docs/reference/events.md is what the registry says (else: npm run reference)', async () => {
  const page = await readFile(path.join(PROGRAM_FOLDER, 'docs', 'reference', 'events.md'), 'utf8');
  expect(page).toBe(eventsPage());
});

import path from 'node:path';
import { expect, it } from 'vitest';
import { PROGRAM_FOLDER } from '../../config/load.js';
import { rulesPage } from './page.js';

const DOCS = path.join(PROGRAM_FOLDER, 'docs');

it('docs/rules.md has the tables that the schemas make, and the recipes that there are (else: npm run reference)', async () => {
  await expect(await rulesPage(DOCS)).toMatchFileSnapshot(path.join(DOCS, 'rules.md'));
});

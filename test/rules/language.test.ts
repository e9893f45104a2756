import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readGroups, runGroup } from './language.js';

const FOLDER = path.join(import.meta.dirname, 'language');
const files = (await readdir(FOLDER)).sort();
const pages = await Promise.all(files.map(async (name) => ({ name, groups: await readGroups(path.join(FOLDER, name)) })));

describe.each(pages)('the rule language: $name', ({ groups }) => {
  it.each(groups)('$about', async (group) => {
    expect(await runGroup(group)).toEqual([]);
  });
});

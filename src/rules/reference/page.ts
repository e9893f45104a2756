import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { rulesTables } from './tables.js';

/**
 * docs/rules.md with its tables as the schemas say and its list of recipes as their files say: what stands between
 * `<!-- NAME, made by npm run reference -->` and `<!-- end -->` is made anew, the rest is written by hand.
 * @param docs the folder with rules.md and examples/recipes
 * @throws Error when the page lacks a table, or has a mark of none
 */
export async function rulesPage(docs: string): Promise<string> {
  const text = await readFile(path.join(docs, 'rules.md'), 'utf8');
  const parts = new Map([...rulesTables(), ['recipes', await recipeList(docs)]]);
  const seen = new Set<string>();
  const page = text.replace(
    /(<!-- ([a-z]+), made by npm run reference -->\n).*?\n?(<!-- end -->)/gs,
    (_, head: string, name: string, tail: string) => {
      const part = parts.get(name);
      if (part === undefined) throw new Error(`docs/rules.md has a mark of "${name}", which there is not`);
      seen.add(name);
      return `${head}\n${part}\n\n${tail}`;
    },
  );
  const missing = [...parts.keys()].filter((name) => !seen.has(name));
  if (missing.length > 0) throw new Error(`docs/rules.md has no place for ${missing.join(', ')}`);
  return page;
}

/** Each recipe with the sentence that its file begins with. */
async function recipeList(docs: string): Promise<string> {
  const folder = path.join(docs, 'examples', 'recipes');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  const lines = await Promise.all(
    names.map(async (name) => {
      const [first = ''] = (await readFile(path.join(folder, name), 'utf8')).split('\n');
      return `- [${path.parse(name).name}](examples/recipes/${name}): ${first.replace(/^# */, '')}`;
    }),
  );
  return lines.join('\n');
}

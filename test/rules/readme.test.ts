import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/config/problems.js';
import { failuresOf, runCasesOf } from './run-cases.js';

const README = path.join(import.meta.dirname, '../../README.md');

interface Step {
  readonly file: string;
  readonly append: boolean;
  readonly text: string;
}

/** The files that a reader of "A first rule of your own" writes, in the order of the page. */
async function steps(): Promise<Step[]> {
  const [, part = ''] = (await readFile(README, 'utf8')).split('## A first rule of your own');
  const [own = ''] = part.split('\n## ');
  return [...own.matchAll(/cat (>>?) (\S+) <<'END'\n(.*?)\n {7}END\n/gs)].map(([, sign, file = '', text = '']) => ({
    file,
    append: sign === '>>',
    text: `${text.replace(/^ {7}/gm, '')}\n`,
  }));
}

describe('the first rule of the README', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-readme-'));
    await mkdir(path.join(folder, 'rules/tests'), { recursive: true });
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('has a case that fails, until the rule is there; one more case, and all of it is reached', async () => {
    const [config, cases, rule, more, ...rest] = await steps();
    if (config === undefined || cases === undefined || rule === undefined || more === undefined)
      throw new Error('the README has fewer steps than there were');
    expect(rest).toEqual([]);
    const write = async ({ file, append, text }: Step): Promise<void> =>
      await (append ? appendFile : writeFile)(path.join(folder, file), text);
    await write(config);
    await write(cases);
    expect(failuresOf(await runCasesOf(folder))).toMatchObject([
      {
        name: 'the build server may send programs',
        failed: [{ differences: [{ key: 'action', expected: 'deliver', got: 'delete-attachment' }] }],
      },
    ]);
    await write(rule);
    const second = await runCasesOf(folder);
    expect(second.problems.map(formatProblem)).toEqual([]);
    expect(failuresOf(second)).toEqual([]);
    expect(second.uncovered).toEqual([expect.stringMatching(/build-server: malware$/)]);
    await write(more);
    const third = await runCasesOf(folder);
    expect(failuresOf(third)).toEqual([]);
    expect(third.uncovered).toEqual([]);
  });
});

import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../config/load.js';
import { formatPlace } from '../config/problems.js';
import { configureDetectors, type ConfiguredDetectors } from './configure.js';
import { createDetectors, onErrorOf } from './registry.js';

const DEADLINE = 60_000;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-detectors-'));
  await mkdir(path.join(folder, 'lists'));
  await writeFile(path.join(folder, 'lists', 'good.txt'), `${'0'.repeat(64)}  Bad.Thing\n`);
  await writeFile(path.join(folder, 'lists', 'bad.txt'), `# sums\n${'0'.repeat(63)}  Short\n`);
  const made = (body: string): string =>
    `export default ({ z }) => ({ settings: z.strictObject({ word: z.string() }), statuses: ['found'], ${body} });\n`;
  await writeFile(path.join(folder, 'good.js'), made('create: () => ({ inspect: async () => [] })'));
  await writeFile(path.join(folder, 'no-create.js'), made(''));
  const span = "z.string().transform((text) => Number(text.replace('s', '000'))).optional()";
  await writeFile(
    path.join(folder, 'steps.js'),
    `export default ({ z }) => ({ settings: z.strictObject({ connectTimeout: ${span}, readTimeout: ${span} }), statuses: [], waits: true, create: () => ({ inspect: async () => [] }) });\n`,
  );
  await writeFile(path.join(folder, 'throws.js'), 'throw new Error("no engine");\n');
  await writeFile(path.join(folder, 'empty.js'), '\n');
  await writeFile(
    path.join(folder, 'words.js'),
    `export default ({ z }) => ({ settings: z.object({}), statuses: ['Not OK'], create: () => ({}) });\n`,
  );
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function configure(yaml: string, deadline = DEADLINE): Promise<ConfiguredDetectors> {
  const { config } = await parseConfig(yaml, folder);
  return await configureDetectors(config.detectors, config.folder, config.source, deadline);
}

/** `line:column message (hint)` of the only problem. */
async function problemOf(yaml: string, deadline?: number): Promise<string> {
  const { problems } = await configure(yaml, deadline);
  expect(problems).toHaveLength(1);
  const [problem] = problems;
  if (problem === undefined) return '';
  const { place, message, hint } = problem;
  return `${place === undefined ? '' : formatPlace(place)} ${message}${hint === undefined ? '' : ` (${hint})`}`;
}

describe('configuring detectors', () => {
  it('runs content, signatures, links and the embedded spam scorer when nothing is said', async () => {
    const { specs, problems } = await configure('');
    expect(problems).toEqual([]);
    expect(specs.map(({ name, timeout, onError }) => [name, timeout, onError])).toEqual([
      ['content', 30_000, 'defer'],
      ['signatures', 30_000, 'defer'],
      ['links', 30_000, 'defer'],
      ['antispam', 30_000, 'defer'],
    ]);
  });

  it('reads the settings that every module has', async () => {
    const { specs } = await configure('detectors: { content: { timeout: 5s, onError: accept }, signatures: }');
    expect(specs.map(({ timeout }) => timeout)).toEqual([5_000, 30_000]);
    expect(onErrorOf(specs)).toEqual(
      new Map([
        ['content', 'accept'],
        ['signatures', 'defer'],
      ]),
    );
  });

  it('cuts default timeouts to the deadline and refuses longer ones', async () => {
    const { specs } = await configure('detectors: { content: {} }', 10_000);
    expect(specs[0]?.timeout).toBe(10_000);
    expect(await problemOf('detectors:\n  content:\n    timeout: 11s\n', 10_000)).toBe(
      'gatepost.yaml:3:14 `detectors.content.timeout`: 11 s is longer than `scan.deadline` (10 s) (shorten it, or allow more time in `scan: { deadline: ... }`)',
    );
    expect(await problemOf('detectors: { content: { timeout: 0 } }')).toMatch(/must be more than zero/);
  });

  it("takes a module's own timeouts only where they fit inside its timeout, each and together", async () => {
    const of = (spans: string): string =>
      `detectors:\n  mine:\n    module: ./steps.js\n    timeout: 5s\n    ${spans}\n`;
    expect((await configure(of('connectTimeout: 2s'))).problems).toEqual([]);
    expect(await problemOf(of('connectTimeout: 6s'))).toBe(
      "gatepost.yaml:5:21 `detectors.mine.connectTimeout`: 6 s is longer than the module's timeout (5 s) (shorten it, or set `timeout` to more)",
    );
    expect(await problemOf(of('connectTimeout: 3s\n    readTimeout: 3s'))).toMatch(
      /`detectors\.mine\.connectTimeout` and `detectors\.mine\.readTimeout`: 6 s together is longer/,
    );
  });

  it('asks modules whether they wait', async () => {
    const { specs } = await configure(
      'detectors: { content: {}, antivirus: {}, antispam: {}, mine: { module: ./steps.js } }',
    );
    expect(specs.map(({ name, waits }) => [name, waits])).toEqual([
      ['content', undefined],
      ['antivirus', true],
      ['antispam', undefined],
      ['mine', true],
    ]);
  });

  it('suggests what was meant', async () => {
    expect(await problemOf('detectors:\n  signature: {}\n')).toBe(
      'gatepost.yaml:2:3 there is no detector module `signature` (did you mean `signatures`?)',
    );
    expect(await problemOf('detectors: { signatures: { list: x } }')).toMatch(/did you mean `lists`/);
    expect(await problemOf('detectors: { signatures: { onEror: defer } }')).toMatch(/did you mean `onError`/);
    expect(await problemOf('detectors: { content: { onError: acept } }')).toMatch(/did you mean `accept`/);
    expect(await problemOf('detectors: { whatever: {} }')).toMatch(/module: \.\/whatever\.js/);
  });

  it('reads lists, and names the line that is wrong', async () => {
    const { specs, problems } = await configure('detectors: { signatures: { lists: ./lists/good.txt } }');
    expect(problems).toEqual([]);
    expect(specs[0]?.data).toMatchObject({ names: ['Bad.Thing'] });
    expect(await problemOf('detectors: { signatures: { lists: [./lists/bad.txt] } }')).toMatch(
      /^lists\/bad\.txt:2:1 a SHA-256 sum has 64 digits, this has 63/,
    );
    expect(await problemOf('detectors:\n  signatures:\n    lists: [./lists/good.txt, ./lists/none.txt]\n')).toBe(
      'gatepost.yaml:3:31 `detectors.signatures`: the list "./lists/none.txt" cannot be read: there is no such file',
    );
  });

  it('checks byte patterns', async () => {
    const of = (hex: string): string => `detectors: { signatures: { patterns: [{ name: x, hex: "${hex}" }] } }`;
    expect((await configure(of('4d 5a 90 00'))).problems).toEqual([]);
    expect(await problemOf(of('4d5a9'))).toMatch(/not a sequence of bytes/);
    expect(await problemOf(of('4d5a90'))).toMatch(/4 to 1024 bytes, this has 3/);
  });

  it("loads a third party's module from a path", async () => {
    const { specs, problems } = await configure('detectors: { mine: { module: ./good.js, word: x, timeout: 1s } }');
    expect(problems).toEqual([]);
    expect(specs).toEqual([
      expect.objectContaining({
        name: 'mine',
        file: path.join(folder, 'good.js'),
        settings: { word: 'x' },
        statuses: ['found'],
        timeout: 1_000,
      }),
    ]);
    const active = await createDetectors(structuredClone(specs));
    expect(active.map(({ spec }) => spec.name)).toEqual(['mine']);
  });

  it("says what is wrong with a third party's module", async () => {
    const of = (file: string): string => `detectors: { mine: { module: ./${file}, word: x } }`;
    expect(await problemOf(of('none.js'))).toMatch(/"\.\/none\.js" cannot be loaded: there is no such file/);
    expect(await problemOf(of('throws.js'))).toMatch(/no engine/);
    expect(await problemOf(of('empty.js'))).toMatch(/no default export/);
    expect(await problemOf(of('no-create.js'))).toMatch(/`create` must be a function/);
    expect(await problemOf(of('words.js'))).toMatch(/`statuses` are words/);
    const { problems } = await configure('detectors: { mine: { module: ./good.js, wrod: x } }');
    expect(problems.map((p) => p.hint)).toContain('did you mean `word`?');
    expect(await problemOf('detectors: { mine: { module: 5 } }')).toMatch(/must be the path of a file/);
    expect(await problemOf('detectors: { content: { module: ./good.js } }')).toMatch(/a name of Gatepost itself/);
    expect(await problemOf('detectors: { message: { module: ./good.js } }')).toMatch(/a name of Gatepost itself/);
    expect(await problemOf('detectors: { "Mine!": { module: ./good.js } }')).toMatch(/cannot name a module/);
  });
});

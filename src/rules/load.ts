import { isAscii } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { PROGRAM_FOLDER } from '../config/load.js';
import { condenseProblems, type Problem } from '../config/problems.js';
import { readTextFile } from '../config/text-file.js';
import { MAX_YAML_BYTES, YamlSource } from '../config/yaml-source.js';
import { formatPath } from '../config/zod-problems.js';
import type { DirectorySnapshot } from '../directory/types.js';
import { ruleAdvice } from './advice.js';
import { changedNumbers } from './bare-numbers.js';
import { compileRules } from './compile.js';
import { DEFAULT_FILE, DEFAULT_ID, DEFAULT_TEXT } from './default-rule.js';
import { groupLists, groupMembers } from './groups.js';
import { invisibleCharacters } from './invisible.js';
import { lint } from './lint.js';
import { listsUsed } from './list-use.js';
import { LIST_OF_DOMAINS, listFiles, readLists, type ListFile } from './lists.js';
import type { BannerSource, RuleBundle, SpamThresholds } from './model.js';
import { packListFile, unusedList } from './pack-list.js';
import type { PackedList } from './packed-list.js';
import { normalizeRule } from './normalize.js';
import type { PlacedRule } from './placed.js';
import { ruleSchema } from './schema-rule.js';
import type { SchemaContext } from './schema-values.js';

export type { RuleBundle } from './model.js';

export interface LoadOptions {
  /** Folder that displayed paths count from; without it paths begin with `rules/`. */
  readonly displayRoot?: string;
  /** Domains of the site. */
  readonly domains: readonly string[];
  /** IANA name of the zone of time windows. */
  readonly timezone: string;
  /** Configured modules and the statuses that each can report. */
  readonly modules: ReadonlyMap<string, readonly string[]>;
  /** Names of the templates that there are; without it they are not checked. */
  readonly templates?: ReadonlySet<string>;
  /** Templates that can stand in a message, for `warn` and `disclaimer`; without it they are not checked. */
  readonly banners?: {
    readonly names: ReadonlySet<string>;
    /** What fills in those that are used. */
    readonly source: (names: readonly string[]) => BannerSource;
  };
  /** Why a text names no next hop, and what would; undefined where it does. Without it `route` is checked by its form alone. */
  readonly whyNoRoute?: (url: string) => string | undefined;
  /** Whether `notifications.general` names anyone. */
  readonly generalConfigured: boolean;
  /** False where `notifications.minSeverity` keeps notifications of informative findings, which anomalies are, from being sent. */
  readonly tellsInformative?: boolean;
  /** Spam scores of the configuration, for rules that set none. */
  readonly thresholds?: SpamThresholds;
  /** Groups of the configured directory, for `@ldap:NAME`. Their members are no part of the hash. */
  readonly directory?: DirectorySnapshot;
}

export interface LoadedRules {
  /** Absent when there is an error. */
  readonly bundle?: RuleBundle;
  readonly problems: readonly Problem[];
}

/** Spam scores where neither the configuration nor the rule gives any. */
const DEFAULT_THRESHOLDS: Required<SpamThresholds> = { spam: 8, probableSpam: 5, bulk: 3 };

/**
 * Reads a rule folder: `*.yaml` in the order of their names' bytes, no subfolders, and `lists/*.txt`.
 * Everything is checked at once; nothing is thrown.
 */
export async function loadRules(folder: string, options: LoadOptions): Promise<LoadedRules> {
  const shown = shownFolder(folder, options.displayRoot);
  const { lists, unread, problems: listProblems } = await readLists(folder, shown);
  const { sources, problems: fileProblems } = await readSources(folder, shown);
  const context: SchemaContext = {
    lists: new Set([...lists.keys(), ...unread, LIST_OF_DOMAINS, ...groupLists(options.directory)]),
    modules: options.modules,
    ...(options.templates === undefined ? {} : { templates: options.templates }),
    ...(options.banners === undefined ? {} : { banners: options.banners.names }),
    ...(options.whyNoRoute === undefined ? {} : { whyNoRoute: options.whyNoRoute }),
  };
  const problems: Problem[] = [...listProblems, ...fileProblems];
  const placed: PlacedRule[] = [];
  const schema = ruleSchema(context);
  for (const { source } of sources) {
    const read = readRules(source, schema);
    problems.push(...read.problems, ...invisibleCharacters(source.file, source.text));
    placed.push(...read.rules);
  }
  problems.push(...checkIds(sources.map(({ source }) => source)));
  const rules = [...placed];
  if (!sources.some(({ source }) => declaresDefault(source))) rules.push(...builtIn(context));
  const uses = listsUsed(sources.map(({ source }) => source));
  // A list of a misspelt name is not used either: one complaint suffices.
  const misnamed = [...uses.keys()].some((name) => !context.lists.has(name));
  const packed: Record<string, PackedList> = {};
  for (const list of lists.values()) {
    const use = uses.get(list.name);
    const checked = packListFile(list, use);
    packed[list.name] = checked.packed;
    problems.push(...checked.problems);
    if (use === undefined && !misnamed) problems.push(unusedList(list));
    if (!isAscii(list.bytes)) problems.push(...invisibleCharacters(list.file, list.bytes.toString('utf8')));
  }
  const limits = { ...DEFAULT_THRESHOLDS, ...options.thresholds };
  const shipped = path.resolve(folder) === path.join(PROGRAM_FOLDER, 'rules');
  problems.push(...lint(rules, { ...options, lists: context.lists, packed, limits, shipped }));
  if (problems.some((problem) => problem.severity === 'error')) return { problems: condenseProblems(problems) };
  const bundle: RuleBundle = {
    hash: hashOf(sources, lists),
    rules: rules.map(({ rule }) => rule),
    lists: {
      ...packed,
      ...groupMembers(uses.keys(), options.directory),
    },
    domains: options.domains,
    timezone: options.timezone,
    thresholds: limits,
    ...bannersOf(rules, options),
  };
  const failure = whyNotCompiled(bundle);
  if (failure !== undefined) return { problems: condenseProblems([...problems, failure]) };
  return { bundle, problems: condenseProblems(problems) };
}

/** What no schema foresaw and would stop all mail: such a set is refused as a whole. */
function whyNotCompiled(bundle: RuleBundle): Problem | undefined {
  try {
    compileRules(bundle);
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown reason';
    return { severity: 'error', message: `these rules cannot be put in force: ${reason}` };
  }
}

/** The texts that rules put into messages. */
function bannersOf(rules: readonly PlacedRule[], { banners }: LoadOptions): Pick<RuleBundle, 'banners'> {
  const effects = rules.flatMap(({ rule }) => rule.on.flatMap(({ responses }) => responses.map(({ effect }) => effect)));
  const names = new Set(effects.flatMap(({ warn, disclaimer }) => [warn ?? [], disclaimer ?? []].flat()));
  return names.size === 0 || banners === undefined ? {} : { banners: banners.source([...names].sort()) };
}

/** The folder as the author would write it: counted from the configuration where it lies in its folder. */
function shownFolder(folder: string, root: string | undefined): string {
  if (root === undefined) return path.basename(folder);
  const relative = path.relative(root, folder);
  return relative === '' ? '.' : relative.startsWith('..') ? folder : relative.split(path.sep).join('/');
}

interface RuleFile {
  readonly source: YamlSource;
  readonly name: string;
  readonly bytes: Buffer;
}

async function readSources(
  folder: string,
  shown: string,
): Promise<{ readonly sources: readonly RuleFile[]; readonly problems: readonly Problem[] }> {
  const sources: RuleFile[] = [];
  const problems: Problem[] = [];
  for (const name of await listFiles(folder, shown, problems)) {
    const file = `${shown}/${name}`;
    const at = { file, line: 1, column: 1 };
    const ending = /\.ya?ml$/i.exec(name)?.[0];
    if (ending !== undefined && ending !== '.yaml') {
      problems.push({
        severity: 'warning',
        place: at,
        message: 'only files that end in .yaml are read: this one has no effect',
        hint: `rename it to ${name.slice(0, -ending.length)}.yaml`,
      });
    }
    if (await holdsRules(folder, name)) {
      problems.push({
        severity: 'warning',
        place: at,
        message: 'rule files in a folder below the one of the rules are not read: these have no effect',
        hint: `move them to ${shown}`,
      });
    }
    if (!name.endsWith('.yaml') || name.startsWith('.')) continue;
    const bytes = await readTextFile(path.join(folder, name), file, MAX_YAML_BYTES);
    if ('severity' in bytes) problems.push(bytes);
    else sources.push({ name, bytes, source: new YamlSource(file, bytes.toString('utf8')) });
  }
  return { sources, problems };
}

/** Folders below that have a use of their own. */
const OWN_FOLDERS = new Set(['lists', 'tests']);

/** Whether an entry of the rule folder is a folder with what may be rule files, which nobody reads. */
async function holdsRules(folder: string, name: string): Promise<boolean> {
  if (name.startsWith('.') || name.includes('.') || OWN_FOLDERS.has(name)) return false;
  const inner = await readdir(path.join(folder, name)).catch(() => []);
  return inner.some((one) => /\.ya?ml$/i.test(one));
}

/** Checks one file: the rules that are well, and all that is wrong. */
function readRules(
  source: YamlSource,
  schema: ReturnType<typeof ruleSchema>,
): { readonly rules: PlacedRule[]; readonly problems: Problem[] } {
  const rules: PlacedRule[] = [];
  if (source.problems.length > 0) return { rules, problems: [...source.problems] };
  const problems: Problem[] = [];
  const { value } = source;
  if (value === null || value === undefined) return { rules, problems };
  if (!isRecord(value)) {
    problems.push(source.error([], 'a rule file is a map with the key `rules`', 'begin it with `rules:`'));
    return { rules, problems };
  }
  for (const key of Object.keys(value)) {
    if (key !== 'rules')
      problems.push(
        source.error(
          [key],
          `unknown key \`${key}\``,
          'rules' in value
            ? 'a rule file has the key `rules` alone; rules are the entries of its list'
            : 'begin the file with `rules:`, and each rule below it with `- id: ...`',
          'key',
        ),
      );
  }
  const list = value['rules'];
  if (list === null || !('rules' in value)) return { rules, problems };
  if (!Array.isArray(list)) {
    problems.push(source.error(['rules'], '`rules` is not a list', 'begin each rule with `- id: ...`'));
    return { rules, problems };
  }
  for (const [index, raw] of list.entries()) {
    const parsed = schema.safeParse(raw);
    problems.push(...changedNumbers(source, schema, ['rules', index]), ...expressionIds(source, index));
    if (!parsed.success) problems.push(...source.fromZod(parsed.error, schema, ['rules', index], ruleAdvice));
    else rules.push({ rule: normalizeRule(parsed.data, keysOf(raw, 'on')), source, index });
  }
  return { rules, problems };
}

/** IDs of content expressions are unique in a rule. They are looked at beside the schema, which stops at other mistakes. */
function expressionIds(source: YamlSource, index: number): Problem[] {
  const at = ['rules', index, 'on', 'content'];
  const list = source.valueAt(at);
  const seen = new Set<string>();
  return (Array.isArray(list) ? list : []).flatMap((raw: unknown, position) => {
    const id: unknown = isRecord(raw) ? raw['id'] : undefined;
    if (typeof id !== 'string') return [];
    const path = [...at, position, 'id'];
    const isTwice = seen.has(id);
    seen.add(id);
    return isTwice ? [source.error(path, `\`${formatPath(path)}\`: the id "${id.slice(0, 80)}" stands twice`, 'each expression of a rule has its own id')] : [];
  });
}

/** IDs must be unique over all files; `default` belongs to the shipped file. */
function checkIds(sources: readonly YamlSource[]): Problem[] {
  const problems: Problem[] = [];
  const seen = new Map<string, string>();
  for (const source of sources) {
    for (const [index, raw] of rawRules(source).entries()) {
      const id: unknown = isRecord(raw) ? raw['id'] : undefined;
      if (typeof id !== 'string') continue;
      const at = ['rules', index, 'id'];
      const place = source.place(at);
      const earlier = seen.get(id);
      if (earlier !== undefined)
        problems.push(source.error(at, `the id "${id}" is taken: it stands at ${earlier} as well`, 'every rule has its own id'));
      else seen.set(id, `${place.file}:${place.line}:${place.column}`);
      if (id === DEFAULT_ID && isRecord(raw)) problems.push(...checkDefault(source, index, raw));
    }
  }
  return problems;
}

/** The rule `default` takes what no other rule took, so it may not be narrowed. */
function checkDefault(source: YamlSource, index: number, raw: Readonly<Record<string, unknown>>): Problem[] {
  if (!source.file.endsWith(`/${DEFAULT_FILE}`))
    return [
      source.error(
        ['rules', index, 'id'],
        `the id "${DEFAULT_ID}" is reserved for the built-in rule`,
        `change that rule in ${DEFAULT_FILE}, or give this one another id`,
      ),
    ];
  return ['match', 'enabled', 'mode']
    .filter((key) => key in raw)
    .map((key) =>
      source.error(
        ['rules', index, key],
        `the rule "${DEFAULT_ID}" takes all mail that no other rule took: it has no \`${key}\``,
        'write a rule of your own with another id',
        'key',
      ),
    );
}

function declaresDefault(source: YamlSource): boolean {
  return rawRules(source).some((raw) => isRecord(raw) && raw['id'] === DEFAULT_ID);
}

function builtIn(context: SchemaContext): PlacedRule[] {
  const source = new YamlSource(`built-in ${DEFAULT_FILE}`, DEFAULT_TEXT);
  // Its templates are shipped with it.
  return readRules(source, ruleSchema({ lists: context.lists, modules: context.modules })).rules;
}

function rawRules(source: YamlSource): readonly unknown[] {
  const list: unknown = isRecord(source.value) ? source.value['rules'] : undefined;
  return Array.isArray(list) ? list : [];
}

function hashOf(files: readonly RuleFile[], lists: ReadonlyMap<string, ListFile>): string {
  const hash = createHash('sha256');
  const add = (name: string, bytes: Buffer): void => {
    hash.update(`${name.length}:${name}:${bytes.length}:`);
    hash.update(bytes);
  };
  for (const { name, bytes } of files) add(name, bytes);
  for (const list of lists.values()) add(`lists/${list.name}`, list.bytes);
  return hash.digest('hex');
}

function keysOf(raw: unknown, key: string): string[] {
  const value: unknown = isRecord(raw) ? raw[key] : undefined;
  return isRecord(value) ? Object.keys(value) : [];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

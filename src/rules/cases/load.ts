import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Problem } from '../../config/problems.js';
import { nearest } from '../../config/suggest.js';
import { readTextFile } from '../../config/text-file.js';
import { MAX_YAML_BYTES, YamlSource, type KeyPath } from '../../config/yaml-source.js';
import { foldAddress } from '../addresses.js';
import { changedNumbers } from '../bare-numbers.js';
import { caseSchema, type CaseContext } from './schema.js';
import type { TestCase } from './types.js';

export interface LoadedCases {
  /** Those that are well, in the order of the file. */
  readonly cases: readonly TestCase[];
  readonly problems: readonly Problem[];
}

/**
 * Reads and checks one file of test cases.
 * @param shown path for people
 */
export async function loadCases(file: string, shown: string, context: CaseContext): Promise<LoadedCases> {
  const bytes = await readTextFile(file, shown, MAX_YAML_BYTES);
  if ('severity' in bytes) return { cases: [], problems: [bytes] };
  const source = new YamlSource(shown, bytes.toString('utf8'));
  if (source.problems.length > 0) return { cases: [], problems: source.problems };
  const { value } = source;
  if (value === null || value === undefined) return { cases: [], problems: [] };
  if (!Array.isArray(value)) {
    const text = 'a test file is a list of cases';
    return { cases: [], problems: [source.error([], text, 'begin each case with `- name: ...`')] };
  }
  const schema = caseSchema(context);
  const cases: TestCase[] = [];
  const problems: Problem[] = [];
  const names = new Map<string, number>();
  for (const [index, raw] of value.entries()) {
    const at: KeyPath = [index];
    const parsed = schema.safeParse(raw);
    const found = [
      ...(parsed.success ? [] : source.fromZod(parsed.error, schema, at)),
      ...changedNumbers(source, schema, at),
      ...checkRecipients(raw, source, at),
      ...(await checkMessage(raw, path.dirname(file), source, at)),
    ];
    problems.push(...found);
    if (!parsed.success || found.some(({ severity }) => severity === 'error')) continue;
    const { name, message, raw: text, envelope, findings, expect } = parsed.data;
    const earlier = names.get(name);
    if (earlier !== undefined)
      problems.push(source.warning([...at, 'name'], `the name "${name.slice(0, 80)}" is that of an earlier case, in line ${earlier}`));
    else names.set(name, source.place([...at, 'name']).line);
    cases.push({
      name,
      place: source.place([...at, 'name']),
      message: message === undefined ? { raw: text ?? '' } : { path: path.resolve(path.dirname(file), message) },
      envelope,
      findings,
      expect: Object.fromEntries(
        Object.entries(expect).map(([address, wanted]) => [
          address,
          { wanted, place: source.place([...at, 'expect', address], 'key') },
        ]),
      ),
    });
  }
  return { cases, problems };
}

/** A recipient under `expect` must be one of the envelope: else the case would prove nothing about it. */
function checkRecipients(raw: unknown, source: YamlSource, at: KeyPath): Problem[] {
  const envelope: unknown = isRecord(raw) ? raw['envelope'] : undefined;
  const given: unknown = isRecord(envelope) ? envelope['recipients'] : undefined;
  const expect: unknown = isRecord(raw) ? raw['expect'] : undefined;
  if (!isRecord(expect)) return [];
  if (Object.keys(expect).length === 0) {
    const hint = 'name a recipient and what is to come out, such as `b@example.org: { action: deliver }`';
    return [source.error([...at, 'expect'], '`expect` is empty: the case would prove nothing', hint, 'key')];
  }
  const list = (Array.isArray(given) ? given : [given]).filter((one) => typeof one === 'string');
  if (list.length === 0) return [];
  const known = new Set(list.map(plainAddress));
  return Object.keys(expect)
    .filter((address) => !known.has(plainAddress(address)))
    .map((address) => {
      const meant = nearest(address, list);
      const hint = meant === undefined ? `recipients of the envelope: ${list.slice(0, 5).join(', ')}` : `did you mean \`${meant}\`?`;
      const text = `"${address.slice(0, 100)}" is not a recipient of the envelope`;
      return source.error([...at, 'expect', address], text, hint, 'key');
    });
}

/** Form in which addresses of a test case are compared. */
export function plainAddress(address: string): string {
  return foldAddress(address.trim().replace(/^<(.*)>$/, '$1'));
}

async function checkMessage(raw: unknown, folder: string, source: YamlSource, at: KeyPath): Promise<Problem[]> {
  const message: unknown = isRecord(raw) ? raw['message'] : undefined;
  if (typeof message !== 'string') return [];
  const file = await stat(path.resolve(folder, message)).catch(() => undefined);
  if (file?.isFile() === true) return [];
  const text =
    file === undefined ? `there is no file "${message.slice(0, 200)}"` : `"${message.slice(0, 200)}" is not a file`;
  return [source.error([...at, 'message'], text, 'the path counts from the folder of this test file')];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { z } from 'zod';
import { caseFileSchema } from '../cases/schema.js';
import { FIELDS, type FieldKind } from '../fields.js';
import { KNOWN_MODULES, pairsOf, STATUS_KEYS } from '../findings.js';
import { ruleFileSchema } from '../schema-rule.js';
import { at, mapOf, valueOf, type JsonNode } from './json-node.js';
import { FINDING_WORDS, WORDS, type TableName, type TableWords } from './words.js';

/** Where in the schemas each table comes from. */
function nodes(): Readonly<Record<TableName, JsonNode>> {
  const rules = toJson(ruleFileSchema({ lists: new Set(), modules: KNOWN_MODULES }));
  const rule = itemOf(at(rules, 'rules'));
  const response = at(rule, 'on', 'malware');
  const tests = at(defined(rules, 'content-condition'), 'subject');
  const one = itemOf(toJson(caseFileSchema({ modules: KNOWN_MODULES, timezone: 'UTC' })));
  const expected = at(one, 'expect').additionalProperties;
  if (typeof expected !== 'object') throw new Error('`expect` of a case is not a map any more');
  return {
    rule,
    match: at(rule, 'match'),
    except: at(rule, 'match', 'except'),
    scan: at(rule, 'scan'),
    notify: at(rule, 'notify'),
    response: itemOf(response),
    headers: at(itemOf(response), 'headers'),
    reply: at(itemOf(response), 'reply'),
    told: at(itemOf(response), 'notify', 'general'),
    expression: withoutThose(at(rule, 'on', 'content'), itemOf(response)),
    texts: tests,
    numbers: at(defined(rules, 'content-condition'), 'attachments.count'),
    case: one,
    envelope: at(one, 'envelope'),
    finding: itemOf(at(one, 'findings')),
    expect: expected,
  };
}

/** All tables of docs/rules.md that say which keys there are, by their names: made from the schemas. */
export function rulesTables(): ReadonlyMap<string, string> {
  const from = nodes();
  const tables = new Map<string, string>();
  for (const [name, words] of Object.entries<TableWords>(WORDS)) {
    const node = from[name as TableName];
    const rows = keyRows(name, node, words);
    const defaults = rows.some(([, , standard]) => standard !== '');
    const head = ['key', 'value', 'default', ''];
    tables.set(name, defaults ? table(head, rows) : table(withoutThird(head), rows.map(withoutThird)));
  }
  tables.set('findings', table(['key', 'findings', ''], findingRows()));
  tables.set('fields', table(['field', 'tests', ''], fieldRows()));
  return tables;
}

function withoutThird(cells: readonly string[]): string[] {
  return cells.filter((_, index) => index !== 2);
}

function keyRows(table: string, node: JsonNode, words: TableWords): string[][] {
  const keys = Object.entries(mapOf(node).properties ?? {});
  for (const key of Object.keys(words))
    if (!keys.some(([name]) => name === key)) throw new Error(`words.ts speaks of ${table}.${key}, which is no key`);
  return keys.map(([key, child]) => {
    const text = words[key]?.text ?? child.description;
    if (text === undefined) throw new Error(`nothing says what ${table}.${key} is: describe it in the schema or in words.ts`);
    return [`\`${key}\``, words[key]?.value ?? valueOf(child), standard(child.default), text];
  });
}

function standard(value: unknown): string {
  if (value === undefined || JSON.stringify(value) === '{}' || JSON.stringify(value) === '[]') return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function findingRows(): string[][] {
  return [
    ...STATUS_KEYS.map((key) => {
      const pairs = pairsOf(key).map(({ module, status }) => (module === '*' ? `any \`.${status}\`` : `\`${module}.${status}\``));
      const text = FINDING_WORDS[key];
      if (text === undefined) throw new Error(`nothing says when \`${key}\` fires`);
      return [`\`${key}\``, pairs.join(', '), text];
    }),
    ['`spf`, `dkim`, `dmarc`', '`authentication.spf` ...', 'a map from the result to responses, see below'],
    ['`external`', '`external.*`, modules of others', 'a map from the status to responses'],
    ['`content`', '', "the rule's own questions: a list of expressions, see below"],
    ['`module.status`', 'this one', 'any finding in full, such as `antivirus.infected`'],
  ];
}

const TESTS: Readonly<Record<FieldKind, string>> = {
  address: 'text',
  domain: 'text',
  text: 'text',
  ip: 'text, networks',
  type: 'text',
  result: 'text',
  number: 'number',
  size: 'number, as `25MB`',
  boolean: '`true`, `false`',
};

/** `from`, `from.domain` and `from.name` share a row. */
function fieldRows(): string[][] {
  const rows: string[][] = [];
  for (const [name, { kind, help, stage }] of FIELDS) {
    const [base = name, last] = name.split('.');
    if ((last === 'domain' || last === 'name') && FIELDS.has(base)) continue;
    const shown = FIELDS.has(`${base}.domain`) && last === undefined ? `\`${name}\`, \`${name}.domain\`, \`${name}.name\`` : `\`${name}\``;
    const text = kind === 'address' && FIELDS.has(`${base}.domain`) ? `${help}, its domain, the name shown with it` : help;
    rows.push([shown, TESTS[kind], stage === 'results' ? `${text} (only in \`content\`)` : text]);
  }
  const subject = rows.findIndex(([field]) => field === '`subject`');
  rows.splice(subject + 1, 0, ['`header.NAME`', 'text', 'decoded text of any header field']);
  return rows;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replace(/\|/g, '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].map((row) => row.replace(/ {2,}/g, ' ')).join('\n');
}

/** Keys of an expression that are not those of every response. */
function withoutThose(list: JsonNode, response: JsonNode): JsonNode {
  const usual = mapOf(response).properties ?? {};
  const own = Object.entries(mapOf(itemOf(list)).properties ?? {});
  return { properties: Object.fromEntries(own.filter(([key]) => key === 'name' || !(key in usual))) };
}

function itemOf(node: JsonNode): JsonNode {
  const list = node.items ?? node.anyOf?.find(({ items }) => items !== undefined)?.items;
  if (list === undefined || Array.isArray(list)) throw new Error('the schema has no list here');
  return list as JsonNode;
}

interface Defining {
  readonly $defs?: Readonly<Record<string, JsonNode>>;
}

function defined(schema: Defining, name: string): JsonNode {
  const found = schema.$defs?.[name];
  if (found === undefined) throw new Error(`the schema does not define ${name}`);
  return found;
}

function toJson(schema: z.ZodType): JsonNode & Defining {
  return z.toJSONSchema(schema, { io: 'input', reused: 'inline', unrepresentable: 'any' }) as JsonNode & Defining;
}

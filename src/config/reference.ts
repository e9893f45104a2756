import { z } from 'zod';
import { configSchema } from './schema.js';

interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: string | number | boolean;
  readonly anyOf?: readonly Node[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  /** Set in the schema: `span` of time or `size`. */
  readonly kind?: string;
}

/** Reference page of gatepost.yaml, made from its schema: the two cannot drift apart. */
export function configurationPage(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Node;
  const rows = Object.entries(schema.properties ?? {}).flatMap(([key, node]) => describe(key, node));
  return [
    '# Configuration',
    '',
    '`gatepost.yaml` in the working directory, or the file named with `--config`. Every key has a default; unknown keys are errors.',
    '`${NAME}` in a text is replaced from the environment. Relative paths count from the file. A span is written as 90s, 15m, 4h or 3d;',
    'a size as 500KB, 50MiB or 1GB (a bare number is bytes). Where a list is expected, a single value will do.',
    '',
    '<!-- Made from the schema by `npm run reference`. -->',
    '',
    '| key | value | default | |',
    '|---|---|---|---|',
    ...rows,
    '',
    'Every module under `detectors` also takes `timeout` (30s) and `onError` (`defer`, or `accept`); see [detectors](../detectors.md).',
    '',
  ].join('\n');
}

function describe(path: string, node: Node): string[] {
  const inner = objectOf(node);
  if (inner?.properties !== undefined && Object.keys(inner.properties).length > 0) {
    const head = node.description === undefined ? [] : [row(path, 'a map', undefined, node.description)];
    return [...head, ...Object.entries(inner.properties).flatMap(([key, child]) => describe(`${path}.${key}`, child))];
  }
  return [row(path, kind(node), node.default, node.description ?? '')];
}

function row(path: string, value: string, standard: unknown, text: string): string {
  const shown =
    standard === undefined ? '' : `\`${typeof standard === 'string' ? standard : JSON.stringify(standard)}\``;
  return `| \`${path}\` | ${value} | ${shown} | ${text} |`.replace(/\|\s+(?=\|)/g, '| ').replace('``', '');
}

function kind(node: Node): string {
  if (node.kind !== undefined) return node.kind;
  if (node.enum !== undefined) return node.enum.map((v) => `\`${String(v)}\``).join(', ');
  if (node.const !== undefined) return `\`${String(node.const)}\``;
  if (node.anyOf !== undefined) {
    const list = node.anyOf.find((n) => n.type === 'array');
    if (list !== undefined) return `list of ${list.items === undefined ? 'values' : kind(list.items)}`;
    return [...new Set(node.anyOf.map(kind))].join(' or ');
  }
  if (node.type === 'array') return `list of ${node.items === undefined ? 'values' : kind(node.items)}`;
  if (node.type === 'object') {
    const values = node.additionalProperties;
    return typeof values === 'object' && values.type === 'string' ? 'a map to text' : 'a map';
  }
  if (node.type === 'integer') return 'number';
  if (node.type === 'boolean') return '`true`, `false`';
  return node.type === 'string' ? 'text' : (node.type ?? 'text');
}

function objectOf(node: Node): Node | undefined {
  return node.type === 'object' ? node : node.anyOf?.find((n) => n.type === 'object');
}

/** A node of a JSON Schema, as far as a reference page needs it. */
export interface JsonNode {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonNode[];
  readonly properties?: Readonly<Record<string, JsonNode>>;
  readonly additionalProperties?: JsonNode | boolean;
  readonly items?: JsonNode | readonly JsonNode[];
  readonly prefixItems?: readonly JsonNode[];
  readonly $ref?: string;
}

/** The map with keys that a node is, or is among others. @throws Error when there is none */
export function mapOf(node: JsonNode | undefined): JsonNode {
  const found = node === undefined ? undefined : findMap(node);
  if (found === undefined) throw new Error('the schema has no map here');
  return found;
}

function findMap(node: JsonNode): JsonNode | undefined {
  if (node.properties !== undefined) return node;
  for (const branch of node.anyOf ?? []) {
    const found = findMap(branch);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The node below the keys. @throws Error when there is none */
export function at(node: JsonNode, ...keys: readonly string[]): JsonNode {
  return keys.reduce<JsonNode>((inner, key) => {
    const found = mapOf(inner).properties?.[key];
    if (found === undefined) throw new Error(`the schema has no key ${key} here`);
    return found;
  }, node);
}

/** What a node takes, in words: `list of text`, `` `true`, `false` ``. */
export function valueOf(node: JsonNode): string {
  if (node.$ref !== undefined) return 'condition';
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (node.anyOf !== undefined) {
    const list = node.anyOf.find(({ type }) => type === 'array');
    const rest = node.anyOf.filter((branch) => branch !== list).map(valueOf);
    // One value may stand where a list is expected: that is said once, at the top of the page.
    const shown = list === undefined ? rest : [valueOf(list), ...rest.filter((one) => !valueOf(list).endsWith(one))];
    // A bare number in YAML is taken as text where text is expected.
    const words = shown.includes('text') ? shown.filter((one) => one !== 'number') : shown;
    return [...new Set(words)].join(', or ');
  }
  if (node.prefixItems !== undefined || isTuple(node.items)) return 'two values';
  const types = typeof node.type === 'string' ? [node.type] : (node.type ?? []);
  if (types.includes('array')) return `list of ${node.items === undefined || isTuple(node.items) ? 'values' : valueOf(node.items)}`;
  if (types.includes('object')) return 'a map';
  if (types.includes('boolean')) return '`true`, `false`';
  if (types.includes('string')) return 'text';
  return types.includes('integer') || types.includes('number') ? 'number' : 'text';
}

function isTuple(items: JsonNode['items']): items is readonly JsonNode[] {
  return Array.isArray(items);
}

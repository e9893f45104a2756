import { FINDING_WORDS, WORDS, type TableWords } from './words.js';

/** A JSON Schema, as far as its keys need a description. */
interface Node {
  description?: string;
  $ref?: string;
  allOf?: Node[];
  properties?: Record<string, Node>;
}

const RESULT = 'what is done at this result';
const GROUP = 'what this group is told with';
const EXTRA: Readonly<Record<string, TableWords>> = {
  file: { rules: { text: 'read from top to bottom' } },
  antispam: {
    spam: { text: 'spam from this score on' },
    probableSpam: { text: 'probable spam from this score on' },
    bulk: { text: 'mass mail from this score on' },
  },
  groups: {
    general: { text: GROUP },
    sender: { text: GROUP },
    recipients: { text: GROUP },
    additional: { text: GROUP },
  },
  boolean: { is: { text: 'exactly this' } },
  expectedTold: { template: { text: 'name of the template' }, to: { text: 'addresses that are told' } },
  expectedAudit: {
    action: { text: 'what would have become of the mail' },
    notify: { text: 'groups that would have been told' },
  },
};

/** Which table a map belongs to: the first whose keys it all has. */
const SIGNS: readonly (readonly [words: TableWords | undefined, ...keys: string[]])[] = [
  [WORDS.rule, 'id', 'match', 'process'],
  [WORDS.match, 'sender', 'senderIs'],
  [WORDS.case, 'envelope', 'expect'],
  [WORDS.envelope, 'recipients', 'helo'],
  [WORDS.finding, 'module', 'status'],
  [WORDS.expect, 'rule', 'fired'],
  [{ ...WORDS.response, ...WORDS.expression }, 'id', 'when', 'action'],
  [WORDS.response, 'action', 'tag', 'headers'],
  [EXTRA['expectedAudit'], 'action', 'tag', 'tags'],
  [EXTRA['groups'], 'general', 'sender', 'recipients'],
  [WORDS.notify, 'additional', 'templates'],
  [WORDS.headers, 'set', 'add', 'remove'],
  [WORDS.reply, 'code', 'enhanced'],
  [WORDS.told, 'template', 'attach'],
  [EXTRA['expectedTold'], 'template', 'to'],
  [EXTRA['antispam'], 'spam', 'probableSpam', 'bulk'],
  [WORDS.scan, 'antispam'],
  [WORDS.texts, 'contains', 'starts'],
  [WORDS.numbers, 'over', 'under'],
  [EXTRA['boolean'], 'is'],
  [EXTRA['file'], 'rules'],
  [undefined, 'all', 'any'],
  [WORDS.except, 'sender', 'recipient', 'client', 'when'],
];

/** Describes each key of a JSON Schema that has no words in the schema itself, for editors, as docs/rules.md does. */
export function describeKeys(schema: object): void {
  visit(schema, (node) => {
    const { properties } = node;
    if (properties === undefined) return;
    const words = SIGNS.find(([, ...keys]) => keys.every((key) => key in properties))?.[0];
    for (const [key, child] of Object.entries(properties)) {
      if (described(child, schema, 0)) continue;
      const text = words?.[key]?.text ?? (words === undefined ? wordOfOn(key, properties) : undefined);
      if (text === undefined) continue;
      // What stands beside a reference does not count.
      properties[key] = child.$ref === undefined ? { ...child, description: text } : { description: text, allOf: [child] };
    }
  });
}

/** Keys under `on`, and the results and policies below them. */
function wordOfOn(key: string, siblings: object): string | undefined {
  if ('malware' in siblings) return FINDING_WORDS[key] ?? `what is done about ${key}`;
  if ('temperror' in siblings) return RESULT;
  return key.startsWith('policy-') ? `what is done where the domain asks for ${key.slice('policy-'.length)}` : undefined;
}

function described(node: Node, root: object, depth: number): boolean {
  if (node.description !== undefined) return true;
  if (depth > 8) return false;
  const target = node.$ref === undefined ? undefined : find(root, node.$ref.split('/').slice(1));
  const inner = [...(target === undefined ? [] : [target]), ...(node.allOf ?? [])];
  return inner.some((each) => described(each, root, depth + 1));
}

function find(root: object, steps: readonly string[]): Node | undefined {
  let node: unknown = root;
  for (const step of steps) node = typeof node === 'object' && node !== null ? Reflect.get(node, step) : undefined;
  return typeof node === 'object' && node !== null ? node : undefined;
}

function visit(node: unknown, look: (node: Node) => void): void {
  if (typeof node !== 'object' || node === null) return;
  if (!Array.isArray(node)) look(node);
  for (const inner of Object.values(node)) visit(inner, look);
}

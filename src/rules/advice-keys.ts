import { nearest } from '../config/suggest.js';
import { FIELDS } from './fields.js';
import { RESULTS, STATUS_KEYS } from './findings.js';
import { ACTIONS, RESPONSE_KEYS } from './schema-response.js';

const UNDER_MATCH = new Set(['sender', 'recipient', 'client', 'time', 'senderIs', 'except', 'authenticated']);
const PARTY_WORDS: ReadonlyMap<string, string> = new Map(Object.entries({
  recipients: 'recipient',
  to: 'recipient',
  rcpt: 'recipient',
  senders: 'sender',
  ip: 'client',
  clients: 'client',
  network: 'client',
}));
const GROUP_WORDS: ReadonlyMap<string, string> = new Map(Object.entries({
  attachment: 'attachment',
  attachments: 'attachment',
  link: 'link',
  links: 'link',
}));
const COMBINED_WORDS: ReadonlyMap<string, string> = new Map(Object.entries({
  and: 'all',
  or: 'any',
  except: 'not',
  none: 'not: { any: [...] }',
  nor: 'not: { any: [...] }',
}));
const CONDITION_WORDS = new Set(['if', 'when', 'condition', 'conditions', 'where']);
const OPERATOR_WORDS: ReadonlyMap<string, string> = new Map(Object.entries({
  equals: 'is',
  eq: 'is',
  like: 'is',
  regex: 'matches',
  regexp: 'matches',
  match: 'matches',
  startsWith: 'starts',
  endsWith: 'ends',
  gt: 'over',
  more: 'over',
  greater: 'over',
  min: 'over',
  lt: 'under',
  less: 'under',
  max: 'under',
}));

const SESSION_WORDS: ReadonlyMap<string, string> = new Map(Object.entries({
  helo: 'client.helo',
  ehlo: 'client.helo',
  tls: 'client.tls',
}));
const FINDING_WORDS: ReadonlyMap<string, string> = new Map(Object.entries({
  virus: 'malware',
  viruses: 'malware',
  infected: 'malware',
  trojan: 'malware',
  phish: 'phishing',
  junk: 'spam',
  suspected: 'probable-spam',
  newsletter: 'bulk',
  link: 'malicious-link',
  links: 'malicious-link',
  url: 'malicious-link',
  error: 'scan-error',
  errors: 'scan-error',
  timeout: 'scan-error',
  password: 'encrypted',
  'password-protected': 'encrypted',
  attachment: 'content',
  attachments: 'content',
  expressions: 'content',
  sandbox: 'external',
}));
const REPLY_WORDS: ReadonlyMap<string, string> = new Map(Object.entries({
  message: 'text',
  reason: 'text',
  string: 'text',
  status: 'enhanced',
  dsn: 'enhanced',
}));

/**
 * What was meant by a key that is not known where it stands: a word of another place, or of another program.
 * @param place the path without numbers; its last step is the key
 */
export function adviceOnKey(place: readonly string[], given: unknown): string | undefined {
  const key = place.at(-1) ?? '';
  const around = place.slice(0, -1);
  if (key === '<<') return 'YAML\'s merge key is not taken: write the keys out, or name a whole value: `on: *name`';
  const [first] = around;
  const last = around.at(-1);
  if (first === undefined) return inRule(key);
  if (around.includes('when')) return inCondition(key, last ?? '', given);
  if (first === 'match') return around.length === 1 ? inMatch(key, 'match') : last === 'except' ? inMatch(key, 'except') : undefined;
  if (first === 'scan') return undefined;
  if (first === 'notify') return last === 'notify' ? inRuleNotify(key) : undefined;
  if (first !== 'on') return undefined;
  if (last === 'headers') return `write \`set: { ${key}: ... }\`, or \`add\` in place of \`set\``;
  if (last === 'notify') return key.includes('@') ? 'groups stand here; addresses stand under `notify: { additional: [...] }` of the rule' : undefined;
  if (around.length === 1) return did(FINDING_WORDS.get(key.toLowerCase()));
  const [, finding = ''] = around;
  if (finding === 'dmarc' && last === 'fail' && (key === 'reject' || key === 'none')) return did(`policy-${key}`);
  if (last === 'reply') return did(REPLY_WORDS.get(key.toLowerCase()));
  if (around.length === 2 && ['spf', 'dkim', 'dmarc'].includes(finding)) return inResults(key, finding);
  if (finding === 'content' && around.length === 2) return inExpression(key);
  return inResponse(key);
}

function inRule(key: string): string | undefined {
  const word = key.toLowerCase();
  if (UNDER_MATCH.has(key)) return `it stands under \`match\`: \`match: { ${key}: ... }\``;
  const party = PARTY_WORDS.get(word);
  if (party !== undefined) return `it stands under \`match\`: \`match: { ${party}: ... }\``;
  if (CONDITION_WORDS.has(word)) return 'it stands under `match`: `match: { when: ... }`';
  if (FIELDS.has(key) || key.startsWith('header.')) return `it stands under \`match\`: \`match: { when: { ${key}: ... } }\``;
  if (isUnderOn(key)) return `it stands under \`on\`: \`on: { ${key}: ... }\``;
  if (RESPONSE_KEYS.has(key)) return `it belongs to a finding: \`on: { malware: { ${key}: ... } }\``;
  if (word === 'priority' || word === 'order')
    return 'rules are read from top to bottom, and files by their names: put the rule where it belongs';
  return undefined;
}

function inMatch(key: string, where: string): string | undefined {
  const party = PARTY_WORDS.get(key.toLowerCase());
  if (key === 'from') return `write \`when: { from: ... }\`, or beside \`sender\`: \`senderIs: either\``;
  if (party !== undefined && key !== 'to') return `did you mean \`${party}\`?`;
  const session = SESSION_WORDS.get(key.toLowerCase());
  if (session !== undefined) return `write \`when: { ${session}: ... }\``;
  if (key === 'domain') return `write it as a mask: \`sender: "*@example.org"\``;
  if (where === 'except' && (key === 'time' || key === 'senderIs'))
    return `it cannot be excepted: write another rule above this one`;
  if (key === 'all' || key === 'any' || key === 'not' || FIELDS.has(key) || key.startsWith('header.')) return `write \`when: { ${key}: ... }\``;
  if (isUnderOn(key)) return 'findings are known only after the scan: write what is done about them under `on`';
  return CONDITION_WORDS.has(key.toLowerCase()) ? 'did you mean `when`?' : undefined;
}

function inCondition(key: string, last: string, given: unknown): string | undefined {
  const word = key.toLowerCase();
  if (FIELDS.has(last) || last.startsWith('header.')) {
    const operator = OPERATOR_WORDS.get(key) ?? OPERATOR_WORDS.get(word);
    return operator === undefined ? undefined : `did you mean \`${operator}\`?`;
  }
  if (word === 'header' || word === 'headers' || word === 'header.') {
    const name = typeof given === 'object' && given !== null && !Array.isArray(given) ? Object.keys(given)[0] : undefined;
    return `write the field's name behind a dot: \`header.${name ?? 'X-Mailer'}: ...\``;
  }
  const group = GROUP_WORDS.get(word);
  if (group !== undefined) {
    const inner = typeof given === 'object' && given !== null && !Array.isArray(given) ? Object.keys(given)[0] : undefined;
    const field = nearest(`${group}.${inner ?? ''}`, FIELDS.keys()) ?? `${group}.${group === 'link' ? 'domain' : 'name'}`;
    return `write what is tested behind a dot: \`${field}: ...\``;
  }
  const combined = COMBINED_WORDS.get(word);
  if (combined !== undefined) return did(combined);
  const session = SESSION_WORDS.get(word);
  if (session !== undefined) return did(session);
  const [begun, ...others] = key.includes('.') ? [...FIELDS.keys()].filter((field) => field.startsWith(word)) : [];
  if (begun !== undefined && others.length === 0) return did(begun);
  if (nearest(key, FIELDS.keys()) !== undefined) return undefined;
  return 'fields are sender, recipient, from, to, cc, reply-to, subject, body, header.NAME, size, attachment.name and others: docs/rules.md lists all';
}

function inRuleNotify(key: string): string | undefined {
  return ['general', 'sender', 'recipients'].includes(key)
    ? `a finding says who is told: \`on: { malware: { notify: [${key}] } }\`; here its text: \`templates: { ${key}: ... }\``
    : undefined;
}

function inResults(key: string, finding: string): string | undefined {
  if (key.toLowerCase() === 'hardfail') return did('fail');
  const policy = finding === 'dmarc' ? /^(?:policy-)?(reject|quarantine|none)$/.exec(key)?.[1] : undefined;
  if (policy !== undefined) return `what the domain asks for stands under \`fail\`: \`dmarc: { fail: { policy-${policy}: ... } }\``;
  return RESPONSE_KEYS.has(key) ? `say for which result: \`${finding}: { fail: { ${key}: ... } }\`; results are ${RESULTS.join(', ')}` : undefined;
}

function inExpression(key: string): string | undefined {
  if (CONDITION_WORDS.has(key.toLowerCase()) || key === 'match') return 'did you mean `when`?';
  return FIELDS.has(key) || key.startsWith('header.') ? `write \`when: { ${key}: ... }\`` : inResponse(key);
}

function inResponse(key: string): string | undefined {
  const word = key.toLowerCase();
  if ((ACTIONS as readonly string[]).includes(word)) return `did you mean \`action: ${word}\`?`;
  if (word === 'subject') return 'text before the subject is `tag: "[...]"`';
  if (word === 'header') return 'did you mean `headers`?';
  if (word === 'code' || word === 'text' || word === 'enhanced') return `write \`reply: { ${word}: ... }\``;
  return undefined;
}

function isUnderOn(key: string): boolean {
  return STATUS_KEYS.includes(key) || ['spf', 'dkim', 'dmarc', 'content', 'external'].includes(key);
}

function did(word: string | undefined): string | undefined {
  return word === undefined ? undefined : `did you mean \`${word}\`?`;
}

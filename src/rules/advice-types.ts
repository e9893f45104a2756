import { FIELDS } from './fields.js';
import { STATUS_KEYS } from './findings.js';
import { ACTIONS } from './schema-response.js';

/** How to write a value where one of another kind stands. */
export function adviceOnType(place: readonly string[], given: unknown): string | undefined {
  const text = typeof given === 'string' ? given.slice(0, 60) : undefined;
  const key = place.at(-1);
  if (key === undefined) return ofRule(text);
  if (place.includes('when')) return inCondition(place, given, text);
  const around = place.slice(0, -1).join('.');
  if (around === '' || around === 'match' || around === 'match.except' || around === 'match.time') {
    const known = AT_RULE.get(place.join('.')) ?? AT_RULE.get(key);
    if (known !== undefined) return known;
  }
  if (key === 'id') return text === undefined && typeof given === 'number' ? `put it in quotes: "${given}"` : undefined;
  if (around === 'scan')
    return key === 'antispam'
      ? 'write `true`, `false`, or scores: `antispam: { spam: 8, probableSpam: 5 }`'
      : typeof given === 'object'
        ? 'write true or false: settings of a module stand under `detectors` in gatepost.yaml'
        : undefined;
  if (around.startsWith('scan.antispam')) return 'write a score, such as `spam: 8`';
  return place[0] === 'on' || key === 'reply' ? inResponse(place, given, text) : undefined;
}

function ofRule(text: string | undefined): string {
  const missing = text === undefined ? null : /^([a-zA-Z]+):(\S.*)$/.exec(text);
  if (missing !== null) return `put a space behind the colon: \`${missing[1]}: ${missing[2]}\``;
  return 'a rule begins with its id: `- id: my-rule`, and has its other keys below it';
}

const AT_RULE: ReadonlyMap<string, string> = new Map(Object.entries({
  match: 'write keys below it, such as `match: { sender: "*@example.org" }`; leave `match` out to take all mail',
  except: 'write keys below it, such as `except: { sender: "*@example.org" }`',
  on: 'write what is done about each finding, such as `on: { malware: { action: reject } }`',
  scan: 'write modules with true or false below it, such as `scan: { links: false }`',
  notify:
    'a finding says who is told: `on: { malware: { notify: [general] } }`; here stand `additional` addresses and `templates`',
  sender: 'write masks, such as `sender: "*@example.org"`; other questions stand under `when`',
  recipient: 'write masks, such as `recipient: "*@example.org"`; other questions stand under `when`',
  client: 'write addresses or networks, such as `client: [192.0.2.1, 10.0.0.0/8]`',
  time: 'write `time: { days: mon-fri, hours: "08:00-18:00" }`, or one of the two',
  days: 'write them as `days: mon-fri` or `days: [mon, wed]`',
  hours: 'write them as `hours: "08:00-18:00"`, in quotes',
}));

const GROUPS = new Set(['all', 'any']);

function inCondition(place: readonly string[], given: unknown, text: string | undefined): string | undefined {
  const key = place.at(-1) ?? '';
  if (key === 'when' || key === 'not') {
    if (Array.isArray(given)) return `write \`${key}: { any: [...] }\` if one of them suffices, \`${key}: { all: [...] }\` if each must hold`;
    return 'write a field and what it must be, such as `subject: "*invoice*"` or `subject: { contains: invoice }`';
  }
  if (GROUPS.has(key)) return `write a list: \`${key}: [ { subject: "*invoice*" }, { size: { over: 5MB } } ]\``;
  const kind = fieldKind(key);
  if (kind === undefined) return ofOperator(key, place.at(-2) ?? '', given);
  if (kind === 'boolean') return 'write true or false';
  if (kind !== 'number' && kind !== 'size')
    return given === null ? 'write masks; for a field that is there at all: `{ exists: true }`' : 'write masks, or a test such as `{ contains: invoice }`';
  const compared = text === undefined ? null : /^\s*([<>])\s*=?\s*(\S+)\s*$/.exec(text);
  const example = kind === 'size' ? '25MB' : '5';
  if (compared !== null) return `write \`{ ${compared[1] === '>' ? 'over' : 'under'}: ${compared[2]} }\``;
  return `write a number, or a test such as \`{ over: ${example} }\``;
}

function ofOperator(key: string, field: string, given: unknown): string | undefined {
  const example = fieldKind(field) === 'size' ? '[1MB, 25MB]' : '[1, 10]';
  if (key === 'between') return `write both bounds: \`between: ${example}\``;
  if (key === 'exists' || key === 'is' && fieldKind(field) === 'boolean') return undefined;
  if (key === 'in') return 'write a list: `in: [a, b]`';
  if (['over', 'under', 'is'].includes(key) && ['number', 'size'].includes(fieldKind(field) ?? ''))
    return Array.isArray(given) ? `write one value; between two bounds: \`between: ${example}\`` : `write a number, such as \`${key}: ${fieldKind(field) === 'size' ? '25MB' : '5'}\``;
  return `write a text, such as \`${key}: invoice\``;
}

function fieldKind(key: string): string | undefined {
  return key.startsWith('header.') ? 'text' : FIELDS.get(key)?.kind;
}

const AT_RESPONSE: ReadonlyMap<string, string> = new Map(Object.entries({
  headers: 'write `headers: { set: { X-Spam: maybe } }`',
  set: 'write the name of a field and its value: `set: { X-Spam: maybe }`',
  add: 'write the name of a field and its value: `add: { X-Spam: maybe }`',
  remove: 'write names of fields: `remove: [X-Spam]`',
  redirect: 'write addresses: `redirect: [name@example.org]`',
  copy: 'write addresses: `copy: [name@example.org]`',
  notify: 'write groups: `notify: [general, recipients]`',
  code: 'write a number of three digits, such as `code: 550`',
  warn: 'write the name of a template',
  disclaimer: 'write the name of a template',
  route: 'write a next hop, such as `route: smtp://10.0.0.5:25`',
}));

function inResponse(place: readonly string[], given: unknown, text: string | undefined): string | undefined {
  const key = place.at(-1) ?? '';
  const finding = place[1] ?? '';
  if (key === 'quarantine' && finding === 'dmarc' && typeof given === 'object') return 'did you mean `policy-quarantine`?';
  if (key === 'quarantine') return undefined;
  if (key === 'reply') return `write \`reply: { text: "${text ?? 'No'}" }\``;
  if (key === 'enhanced') return 'write three numbers in quotes, such as `enhanced: "5.7.1"`';
  if (key === 'tag') return Array.isArray(given) ? 'put a text with brackets in quotes: `tag: "[Virus]"`' : 'write a text in quotes: `tag: "[Virus]"`';
  if (place.at(-2) === 'set' || place.at(-2) === 'add') return `write a text: \`${key}: "..."\``;
  const known = AT_RESPONSE.get(key);
  if (known !== undefined) return known;
  const response = text !== undefined && (ACTIONS as readonly string[]).includes(text) ? text : 'reject';
  if (finding === 'external' && place.length >= 2)
    return `say for which status: \`external: { infected: { action: ${response} } }\``;
  if (finding === 'content') return 'write a list: `- { id: programs, when: { attachment.type: executable }, action: reject }`';
  if (place.length === 2 && ['spf', 'dkim', 'dmarc'].includes(key)) return `say for which result: \`${key}: { fail: { action: ${response} } }\``;
  if (place.length === 2 && (STATUS_KEYS.includes(key) || key.includes('.'))) return `write \`${key}: { action: ${response} }\``;
  return place.length >= 3 && ['spf', 'dkim', 'dmarc'].includes(finding) ? `write \`${key}: { action: ${response} }\`` : undefined;
}

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { KNOWN_MODULES } from './findings.js';
import { rulesJsonSchema } from './json-schema.js';
import { ruleSchema } from './schema-rule.js';

const BROKEN = path.join(import.meta.dirname, '../../test/rules/broken');
// Types stand in the definitions that a part refers to, which strictTypes does not look at.
const validate = new Ajv({ strict: true, strictTypes: false }).compile(rulesJsonSchema());

/** Broken sets that the JSON Schema accepts, by what it would have to know. */
const ONLY_THE_LOADER: Readonly<Record<string, readonly string[]>> = {
  'other files': ['id-twice', 'id-twice-over-files', 'id-default', 'default-narrowed', 'notify-template', 'many-of-one-kind'],
  lists: [
    ...['except-list', 'list-case', 'list-in-list', 'list-invisible-entry', 'list-latin-1', 'list-ldap', 'list-long-entry', 'list-meant-domain'],
    ...['list-missing', 'list-name', 'list-no-name', 'list-networks-many', 'list-not-networks', 'list-path', 'list-txt'],
  ],
  modules: ['on-engine', 'on-module', 'on-status', 'scan-engine', 'scan-module', 'spf-with-dot'],
  'the encoding of the file': ['latin-1'],
  'two values together': [
    ...['between-order', 'content-id-twice', 'hours-same', 'scan-thresholds', 'size-bounds', 'reply-class', 'reply-code-kind'],
    ...['reply-enhanced-class', 'reply-mixed', 'reply-of-rule', 'reply-useless', 'delete-anomaly-spf', 'delete-full-key'],
    ...['delete-links', 'delete-links-count', 'delete-spam', 'delete-subject', 'dmarc-fail-delete'],
  ],
  'a mask or the name of a list': ['mask-long'],
  'how a number is written': ['number-not-kept'],
  'what is left of a text that is compared': ['text-invisible'],
  'the arithmetic of networks': [
    ...['network', 'network-host-bits', 'network-long-prefix', 'network-octet', 'network-v6-host-bits', 'network-v6-prefix'],
  ],
  'the syntax of RE2': [
    ...['regex', 'regex-backreference', 'regex-lookahead', 'regex-lookbehind', 'regex-repeat', 'regex-repeat-nested', 'regex-slashes-class', 'regex-star'],
  ],
};

/** Whether the schema refuses a rule file; what is no YAML is refused before. */
async function refuses(file: string): Promise<boolean> {
  const document = parseDocument(await readFile(file, 'utf8'));
  if (document.errors.length > 0 || document.warnings.length > 0) return true;
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch {
    return true;
  }
  return !validate(value);
}

const schema = ruleSchema({ lists: new Set(['partners']), modules: KNOWN_MODULES });
const loads = (rule: unknown): boolean => schema.safeParse(rule).success;
const accepted = (rule: unknown): boolean => validate({ rules: [rule] });

const mask = fc.constantFrom('*', '*@example.org', 'a?@b.example', '@partners', '<>', 7);
const orList = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<unknown> => fc.oneof(one, fc.array(one, { maxLength: 3 }));
const flag = fc.boolean();
const text = fc.oneof(fc.constantFrom('invoice', 'x', 'ünï', 'a: b'), fc.integer());
const tests = fc.oneof(
  orList(mask),
  fc.record({ contains: orList(text) }),
  fc.record({ is: text, exists: flag }),
  fc.record({ in: orList(mask), matches: orList(fc.constantFrom('a+', '(?i)b', '^x$')) }, { requiredKeys: ['in'] }),
  fc.record({ starts: orList(text), ends: orList(text) }),
);
const size = fc.constantFrom(0, 500, '25MB', '1.5 GiB', '10');
const numeric = (item: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof(item, fc.record({ over: item }), fc.record({ is: item }), fc.record({ in: fc.array(item) }));
const fields: Record<string, fc.Arbitrary<unknown>> = {
  sender: tests,
  'from.domain': tests,
  subject: tests,
  'header.X-Mailer': tests,
  size: numeric(size),
  'recipients.count': numeric(fc.integer()),
  'attachment.type': orList(fc.constantFrom('executable', 'Archive', 'disk-*', 'other')),
  'attachment.size': numeric(size),
  'attachment.macro': fc.oneof(flag, fc.record({ is: flag })),
  'link.url': tests,
  'client.ip': fc.oneof(orList(mask), fc.record({ is: fc.constantFrom('192.0.2.1', '10.0.0.0/8', '2001:db8::1') })),
  authenticated: flag,
};
const condition: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  one: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(...Object.keys(fields)).chain((key) => (fields[key] ?? tests).map((test) => ({ [key]: test }))),
    fc.record({ all: fc.array(tie('one'), { minLength: 1, maxLength: 2 }) }),
    fc.record({ any: fc.array(tie('one'), { minLength: 1, maxLength: 2 }), subject: tests }),
    fc.record({ not: tie('one') }),
  ),
})).one;

const some = (shape: Record<string, fc.Arbitrary<unknown>>, requiredKeys: string[] = []) =>
  fc.record(shape, { requiredKeys, noNullPrototype: true });
const address = fc.constantFrom('a@example.org', "o'neil+x@mail.example");
const group = fc.constantFrom('general', 'sender', 'recipients', 'additional');
const told = fc.oneof(fc.constant('my-template'), some({ template: fc.constant('x.y'), attach: fc.constantFrom('original', 'headers', 'none') }));
const response = {
  action: fc.constantFrom('deliver', 'defer', 'reject', 'discard'),
  quarantine: flag,
  tag: fc.constantFrom('[x]', ' a', 5),
  headers: some({
    set: fc.constant({ 'X-Spam': 'maybe' }),
    add: fc.constantFrom({ 'X-A': ['b', 1] }, { Subject: 'x' }),
    remove: orList(fc.constant('X-Old')),
  }),
  warn: fc.constant('warning'),
  disclaimer: fc.constant('legal_1'),
  redirect: fc.oneof(address, fc.array(address, { minLength: 1 })),
  copy: orList(address),
  route: fc.constantFrom('smtp://10.0.0.5:25', 'maildir:/var/mail'),
  notify: fc.oneof(orList(group), some({ general: told, additional: told })),
};
const responses = fc.oneof(
  some(response),
  fc.array(some({ name: orList(mask), ...response }), { minLength: 1, maxLength: 2 }),
);
const on = some({
  malware: responses,
  spam: responses,
  'antivirus.infected': responses,
  'scan-error': responses,
  spf: some({ fail: responses, none: responses }),
  dmarc: some({ fail: fc.oneof(responses, some({ 'policy-reject': responses })), pass: responses }),
  external: fc.dictionary(fc.constantFrom('bad', 'odd_1'), responses),
  content: fc.oneof(some({ id: fc.constant('a'), name: text, when: condition, ...response }, ['id', 'when']), fc.constant([])),
});
const scope = {
  sender: orList(mask),
  recipient: orList(mask),
  client: orList(fc.constantFrom('192.0.2.1', '10.0.0.0/8', '2001:db8::/32', '::ffff:192.0.2.1', '@partners')),
  when: condition,
};
const window = some(
  { days: orList(fc.constantFrom('mon', 'Mon-Fri', 'sunday')), hours: orList(fc.constantFrom('08:00-18:00', '22:00-6:00', '8:00-24:00')) },
  ['days'],
);
const rule = some(
  {
    id: fc.constantFrom('a', 'my-rule', '10-x'),
    name: text,
    description: text,
    enabled: flag,
    mode: fc.constantFrom('enforce', 'audit'),
    match: some({ ...scope, authenticated: flag, senderIs: fc.constantFrom('envelope', 'either'), time: orList(window), except: some(scope) }),
    process: fc.constantFrom('scan', 'skip', 'reject', 'discard'),
    scan: some({ antivirus: flag, links: flag, antispam: fc.oneof(flag, some({ spam: fc.constant(8), probableSpam: fc.constant(-5) })) }),
    on,
    notify: some({ additional: orList(address), templates: some({ general: fc.constant('x'), sender: fc.constant('y') }) }),
  },
  ['id'],
);

type Path = readonly (string | number)[];

/** All places in a value, the value itself among them. */
function places(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, item]) => places(item, [...at, Array.isArray(value) ? Number(key) : key]))];
}

function changed(value: unknown, [step, ...rest]: Path, change: (old: unknown) => unknown): unknown {
  if (step === undefined) return change(value);
  if (Array.isArray(value)) return value.map((item: unknown, i): unknown => (i === step ? changed(item, rest, change) : item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, key === step ? changed(item, rest, change) : item]));
}

const mistake = fc.constantFrom<(old: unknown) => unknown>(
  () => null,
  () => [[]],
  () => ({ 'no such key': 1 }),
  () => 'no such word!',
  () => true,
  () => -1.5,
  (old) => (typeof old === 'object' && old !== null && !Array.isArray(old) ? { ...old, 'no such key': 1 } : old),
);

describe('the JSON Schema and the loader', () => {
  it('agree about each broken set, but for what only the loader can know', async () => {
    const accepts: string[] = [];
    for (const name of await readdir(BROKEN)) {
      if (name.startsWith('warn-')) continue;
      const folder = path.join(BROKEN, name, 'rules');
      const files = (await readdir(folder)).filter((one) => one.endsWith('.yaml'));
      const verdicts = await Promise.all(files.map(async (file) => await refuses(path.join(folder, file))));
      if (!verdicts.includes(true)) accepts.push(name);
    }
    expect(accepts).toEqual(Object.values(ONLY_THE_LOADER).flat().sort());
  });

  it('accept a file with nothing in it, and one whose list is empty', () => {
    for (const value of [null, {}, { rules: null }, { rules: [] }]) expect(validate(value)).toBe(true);
  });

  it('refuse a number where only certain words can stand', () => {
    const broken = { id: 'a', match: { when: { 'attachment.type': 7 } } };
    expect([accepted(broken), loads(broken)]).toEqual([false, false]);
  });

  it('accept all that the language has', () => {
    fc.assert(
      fc.property(rule, (value) => {
        expect(loads(value)).toBe(true);
        expect(accepted(value), JSON.stringify(validate.errors)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('refuse the same: a value of a wrong kind, an unknown key or word, wherever it stands', () => {
    fc.assert(
      fc.property(rule, fc.nat(), mistake, (value, which, change) => {
        const all = places(value);
        const broken = changed(value, all[which % all.length] ?? [], change);
        expect(accepted(broken), JSON.stringify(broken)).toBe(loads(broken));
      }),
      { numRuns: 300 },
    );
  });
});

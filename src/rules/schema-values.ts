import { z } from 'zod';
import { parseNetwork } from '../config/networks.js';
import { addressMeant, isMailAddress } from '../config/mail-names.js';
import { nearest } from '../config/suggest.js';
import { parseSize } from '../config/units.js';
import { AUTHENTICATION_KEYS, KNOWN_MODULES } from './findings.js';
import { isGroup } from './groups.js';
import { foldsToNothing, MAX_MASK_LENGTH } from './mask.js';
import { FORMS } from './schema-forms.js';

/** What the schema needs to know of the world around the rule files. */
export interface SchemaContext {
  /** Names of the lists that there are. */
  readonly lists: ReadonlySet<string>;
  /** Configured modules and the statuses that each can report. */
  readonly modules: ReadonlyMap<string, readonly string[]>;
  /** Known template names; without it they are not checked. */
  readonly templates?: ReadonlySet<string>;
  /** Known templates for `warn` and `disclaimer`; without it they are not checked. */
  readonly banners?: ReadonlySet<string>;
  /** Why a text names no next hop; undefined where it does. */
  readonly whyNoRoute?: (url: string) => string | undefined;
}

/** Anything that zod's contexts of checks and transforms have in common. */
interface Issues {
  readonly issues: z.core.$ZodRawIssue[];
}

/** Adds an issue with a hint for the author. */
export function complain(context: Issues, input: unknown, message: string, hint?: string, path?: PropertyKey[]): void {
  context.issues.push({
    code: 'custom',
    input,
    message,
    ...(path === undefined ? {} : { path }),
    ...(hint === undefined ? {} : { params: { hint } }),
  });
}

/** Adds an issue about a key itself and not its value. */
export function complainOfKey(context: Issues, input: unknown, key: string, message: string, hint?: string): void {
  const params = hint === undefined ? { at: 'key' } : { at: 'key', hint };
  context.issues.push({ code: 'custom', input, message, path: [key], params });
}

/** Names of engines and methods, which are not those of the modules that ask them. */
const ENGINES: ReadonlyMap<string, string> = new Map(Object.entries({
  clamav: 'antivirus',
  clamd: 'antivirus',
  virus: 'antivirus',
  rspamd: 'antispam',
  spamd: 'antispam',
  spamassassin: 'antispam',
  spf: 'authentication',
  dkim: 'authentication',
  dmarc: 'authentication',
}));

/** A module that a rule names and that there is not. */
export function complainOfModule(context: Issues, input: unknown, key: string, schema: SchemaContext): void {
  const [module = ''] = key.split('.');
  const known = [...new Set([...KNOWN_MODULES.keys(), ...schema.modules.keys()])];
  if (key !== module && (AUTHENTICATION_KEYS as readonly string[]).includes(module)) {
    complainOfKey(context, input, key, `there is no module "${module}"`, `write \`${module}: { ${key.slice(module.length + 1)}: ... }\``);
    return;
  }
  const meant = ENGINES.get(module.toLowerCase()) ?? nearest(module, known);
  const hint = meant === undefined ? `modules: ${known.join(', ')}` : `did you mean \`${meant}${key.slice(module.length)}\`?`;
  complainOfKey(context, input, key, `there is no module "${module}"`, hint);
}

/** One value may stand where a list is expected. */
export function listOf<T>(item: z.ZodType<T>): z.ZodType<T[]> {
  return z.union([z.array(item), item.transform((value) => [value])]);
}

/** Stands in every schema of text: a bare number in YAML is meant as text. */
export const BARE_NUMBER = z.number();

/** A text, or a bare number. */
export const text = textOf({});

/** Text of a form that the JSON Schema tells. */
export function textOf(form: Readonly<Record<string, unknown>>) {
  return z.union([z.string().meta(form), BARE_NUMBER.transform(String)]);
}

export const bool = z.boolean();

/** Text for a header field: one line, no control characters. */
export const headerText = textOf(FORMS.headerText).check((context) => {
  const value = context.value;
  if (/[\x00-\x1f\x7f]/.test(value))
    complain(context, value, 'a line break or control character cannot stand in a header field', 'write it in one line');
  if (value.length > 900) complain(context, value, 'longer than 900 characters', 'make it shorter: a header line has a bound');
});

/** `@name` of a list that there is, or a mask. */
export function mask(
  context: SchemaContext,
  form: Readonly<Record<string, unknown>> = FORMS.mask,
): z.ZodType<string> {
  return textOf(form).check((check) => {
    const value = check.value;
    if (value === '') complain(check, value, 'an empty mask takes nothing', 'leave the key out, or write "*" for all');
    else if (value.startsWith('@')) checkList(check, value, context);
    else if (foldsToNothing(value)) complainOfNothing(check, value);
    else if (value.length > MAX_MASK_LENGTH) complain(check, value, `longer than ${MAX_MASK_LENGTH} characters`, 'write several masks as a list');
  });
}

/** A text that a whole value is compared with: it may be empty, but not for the reason that nothing of it is compared. */
export const wholeText = text.check((check) => {
  if (foldsToNothing(check.value)) complainOfNothing(check, check.value);
});

/** A text that is looked for in values; an empty one stands in each of them. */
export const needle = textOf(FORMS.needle).check((check) => {
  const value = check.value;
  if (value === '')
    complain(check, value, 'an empty text stands in every value', 'leave it out; for a field that is there at all write `{ exists: true }`');
  else if (foldsToNothing(value)) complainOfNothing(check, value);
});

function complainOfNothing(check: z.core.ParsePayload<string>, value: string): void {
  const code = (value.replace(/[*?]/g, '').codePointAt(0) ?? 0).toString(16).toUpperCase();
  complain(
    check,
    value,
    'nothing of this text can be seen, and what cannot be seen is left out where texts are compared',
    `write \`matches: '\\x{${code}}'\`; in the subject, in addresses and in names of files it is the anomaly \`invisible-character\``,
  );
}

function checkList(check: z.core.ParsePayload<string>, value: string, context: SchemaContext): void {
  const name = value.slice(1);
  if (context.lists.has(name)) return;
  const file = name.replace(/^.*\//, '').replace(/\.txt$/, '');
  const meant = context.lists.has(file) ? file : nearest(name, context.lists);
  const hint =
    meant !== undefined
      ? `did you mean \`@${meant}\`?`
      : isGroup(name)
        ? 'groups are named under `directory.groups` in gatepost.yaml'
        : name.includes('.')
        ? `did you mean "*${value}"? A leading @ names a list`
        : !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)
        ? 'a leading @ names a list: letters, digits, dots, dashes and underscores follow it; for a text write `{ is: "@..." }`'
        : `write the masks into lists/${name}.txt, one a line`;
  complain(check, value, `there is no list "${value}"`, hint);
}

/** Address, network or `@name`. */
export function network(context: SchemaContext): z.ZodType<string> {
  return z.string().meta(FORMS.network).check((check) => {
    const value = check.value;
    if (value.startsWith('@')) {
      if (isGroup(value)) complain(check, value, `"${value}" holds addresses of people, and no networks`);
      else checkList(check, value, context);
      return;
    }
    checkNetwork(check);
  });
}

/** Address of a machine, or a network. */
export const machine = z.string().meta(FORMS.machine).check(checkNetwork);

function checkNetwork(check: z.core.ParsePayload<string>): void {
  const parsed = parseNetwork(check.value);
  if ('error' in parsed) complain(check, check.value, parsed.error, parsed.hint);
}

/** Whether a rule may name the module: it is configured, or comes with Gatepost. */
export function isModule(name: string, context: SchemaContext): boolean {
  return KNOWN_MODULES.has(name) || context.modules.has(name);
}

const LATIN: ReadonlyMap<string, string> = new Map(Object.entries({ ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss' }));

/** Form of rule IDs and of the IDs of content expressions. */
export const identifier = z.string().meta(FORMS.identifier).check((check) => {
  const value = check.value;
  if (/^[a-z0-9][a-z0-9-]{0,63}$/.test(value)) return;
  const meant = value
    .toLowerCase()
    .replace(/[äöüß]/g, (letter) => LATIN.get(letter) ?? '')
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 64);
  complain(
    check,
    value,
    `"${value.slice(0, 80)}" is not an id: a-z, 0-9 and - are possible`,
    meant === '' ? undefined : `write it as ${meant}`,
  );
});

/** An address that mail can be sent to. */
export const address = z.string().meta(FORMS.address).check((check) => {
  const value = check.value;
  if (/[*?]/.test(value)) {
    complain(check, value, `"${value.slice(0, 80)}" is a mask: mail can be sent to whole addresses alone`, 'write it as name@example.org');
    return;
  }
  if (!isMailAddress(value))
    complain(check, value, `"${value.slice(0, 80)}" is not an address`, addressMeant(value));
});

/** A number of bytes, or a size such as `25MB`. */
export const bytes = z.union([z.string().meta(FORMS.size), z.number().nonnegative('a size is 0 or more')]).transform((value, context) => {
  const size = parseSize(String(value));
  if (size === undefined)
    complain(context, value, `"${value}" is not a size`, sizeMeant(String(value)));
  return size ?? z.NEVER;
});

function sizeMeant(value: string): string {
  const [, sign, rest = ''] = /^\s*([<>]?)=?\s*(.*?)\s*$/s.exec(value) ?? [];
  const size = [rest, `${rest}B`].find((text) => parseSize(text) !== undefined);
  if (size === undefined) return 'write it as 500KB, 25MB or 1GiB; a bare number is bytes';
  return sign === '' || sign === undefined ? `did you mean ${size}?` : `write \`{ ${sign === '>' ? 'over' : 'under'}: ${size} }\``;
}

/** Name of a template for a notification. */
export function mailTemplate({ templates, banners }: SchemaContext): z.ZodType<string> {
  const use = 'it is put into a mail by `warn` or `disclaimer`, and is none itself';
  return template(templates, { names: banners, use });
}

/** Name of a template for `warn` and `disclaimer`. */
export function bannerTemplate({ templates, banners }: SchemaContext): z.ZodType<string> {
  return template(banners, { names: templates, use: 'it is a mail of its own, not a text for another one' });
}

/**
 * Name of a template, without language and extension.
 * @param known those that can stand here
 * @param others those that there are for another use
 */
function template(
  known: ReadonlySet<string> | undefined,
  others: { readonly names: ReadonlySet<string> | undefined; readonly use: string },
): z.ZodType<string> {
  return z.string().meta(FORMS.template).check((check) => {
    const value = check.value;
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value)) {
      complain(check, value, `"${value.slice(0, 80)}" is not a template name`, 'give it without folder and extension');
      return;
    }
    if (known === undefined || known.has(value)) return;
    if (others.names?.has(value) === true) {
      complain(check, value, `the template "${value}" cannot stand here: ${others.use}`, 'name another one');
      return;
    }
    const meant = nearest(value.replace(/\.hbs$/, ''), known);
    complain(
      check,
      value,
      `there is no template "${value}"`,
      meant === undefined ? `write it to templates/en/${value}.hbs` : `did you mean \`${meant}\`?`,
    );
  });
}

/** Says which keys are not known; the catch-all of the object lets them through. */
export function unknownKeys(context: Issues, input: unknown, keys: readonly string[]): void {
  if (keys.length === 0) return;
  const issue: z.core.$ZodRawIssue<z.core.$ZodIssueUnrecognizedKeys> = {
    code: 'unrecognized_keys',
    keys: [...keys],
    input: input as Record<string, unknown>,
    path: [],
  };
  context.issues.push(issue);
}

import { RE2JS } from 're2js';
import { z } from 'zod';
import { nearest } from '../config/suggest.js';
import { FIELDS, OBJECT_TYPES, type Field, type FieldKind } from './fields.js';
import { RESULTS } from './findings.js';
import type { Check, Condition, FieldTest } from './model.js';
import { patternWords } from './regex-words.js';
import { FORMS } from './schema-forms.js';
import { bool, bytes, complain, listOf, machine, mask, needle, network, unknownKeys, wholeText, type SchemaContext } from './schema-values.js';

const MAX_PATTERN_LENGTH = 5000;

/** Where a condition stands: fields that are results of modules are known only in content expressions. */
export type ConditionPlace = 'scope' | 'content';

/** Schema of a condition; its output has no short forms left. */
export function conditionSchema(context: SchemaContext, place: ConditionPlace): z.ZodType<Condition> {
  const tests = testSchemas(context);
  const self: z.ZodType<Condition> = z.lazy(() => condition);
  const fields: Record<string, z.ZodType<Check[] | undefined>> = {};
  for (const [name, field] of FIELDS) fields[name] = fieldSchema(name, field, place, tests);
  const conditions = z.array(self).meta(FORMS.someItems).check((check) => {
    if (check.value.length === 0)
      complain(check, check.value, 'an empty list of conditions', 'write conditions into it, or leave the key out');
  });
  const condition = z
    .object({
      all: conditions.optional().describe('each of them holds'),
      any: conditions.optional().describe('at least one of them holds'),
      not: self.optional().describe('it does not hold'),
      ...fields,
    })
    .catchall(tests.text)
    .superRefine(
      (value, check) => {
        const strange = Object.keys(value).filter((key) => !isKnown(key));
        unknownKeys(check, value, strange);
        if (Object.keys(value).length === 0)
          complain(check, value, 'an empty condition', 'name a field to test, such as `subject: "*invoice*"`');
      },
      { when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value) },
    )
    .transform((value) => toCondition(value))
    .meta({ id: `${place}-condition`, ...FORMS.notEmpty });
  return condition;
}

function isKnown(key: string): boolean {
  return key === 'all' || key === 'any' || key === 'not' || FIELDS.has(key) || headerName(key) !== undefined;
}

function headerName(key: string): string | undefined {
  const match = /^header\.([\x21-\x39\x3b-\x7e]+)$/.exec(key);
  return match?.[1]?.toLowerCase();
}

type TestSchemas = Readonly<Record<FieldKind, z.ZodType<Check[]>>>;

function fieldSchema(name: string, field: Field, place: ConditionPlace, tests: TestSchemas) {
  const schema = tests[field.kind].optional().describe(field.help);
  if (field.stage !== 'results' || place !== 'scope') return schema;
  const message = `\`${name}\` is a result of the modules and not known when a rule is chosen`;
  const hint = 'respond to it under `on`, or test it in a `content` expression';
  return schema
    .superRefine((value, check) => complain(check, value, message, hint), {
      when: ({ value }) => value !== undefined,
    })
    .meta(FORMS.never);
}

function testSchemas(context: SchemaContext): TestSchemas {
  const masks = mask(context);
  const textTest = textTests(masks, wholeText, masks);
  const types = wordMask(context, TYPES);
  const results = wordMask(context, RESULT_WORDS);
  return {
    text: textTest,
    address: textTest,
    domain: textTest,
    ip: textTests(masks, machine, network(context)),
    type: textTests(types, word(TYPES), types),
    result: textTests(results, word(RESULT_WORDS), results),
    number: numberTest(z.number()),
    size: numberTest(bytes),
    boolean: union(
      bool.transform((value): Check[] => [{ op: 'boolean', value }]),
      z
        .strictObject({ is: bool })
        .transform(({ is }): Check[] => [{ op: 'boolean', value: is }]),
    ),
  };
}

/**
 * The short form of a test of text, and the long one.
 * @param whole what stands under `is`
 * @param oneOf an entry of `in`
 */
function textTests(masks: z.ZodType<string>, whole: z.ZodType<string>, oneOf: z.ZodType<string>): z.ZodType<Check[]> {
  return union(
    listOf(masks).transform((list): Check[] => [{ op: 'masks', masks: list }]),
    textOperators(whole, oneOf),
  );
}

function union(short: z.ZodType<Check[]>, long: z.ZodType<Check[]>): z.ZodType<Check[]> {
  return z.union([short, long]);
}

/** Extensions and other words for what the types stand for. */
const TYPE_WORDS: ReadonlyMap<string, (typeof OBJECT_TYPES)[number]> = new Map(Object.entries({
  exe: 'executable',
  program: 'executable',
  binary: 'executable',
  zip: 'archive',
  rar: 'archive',
  '7z': 'archive',
  compressed: 'archive',
  pdf: 'document',
  doc: 'document',
  docx: 'document',
  word: 'document',
  office: 'document',
  xls: 'spreadsheet',
  xlsx: 'spreadsheet',
  excel: 'spreadsheet',
  ppt: 'presentation',
  powerpoint: 'presentation',
  picture: 'image',
  png: 'image',
  jpg: 'image',
  jpeg: 'image',
  music: 'audio',
  mp3: 'audio',
  movie: 'video',
  mp4: 'video',
  js: 'script',
  vbs: 'script',
  javascript: 'script',
  iso: 'disk-image',
  img: 'disk-image',
} as const));

/** A closed set of words that a field can have as its value. */
interface Words {
  readonly all: readonly string[];
  /** What one of them is called. */
  readonly what: string;
  /** Other words for them. */
  readonly meant: ReadonlyMap<string, string>;
  readonly form: Readonly<Record<string, unknown>>;
}

const TYPES: Words = { all: OBJECT_TYPES, what: 'type', meant: TYPE_WORDS, form: FORMS.objectType };

const RESULT_WORDS: Words = {
  all: RESULTS,
  what: 'result',
  meant: new Map([
    ['hardfail', 'fail'],
    ['failed', 'fail'],
    ['passed', 'pass'],
    ['ok', 'pass'],
    ['missing', 'none'],
  ]),
  form: FORMS.result,
};

/** Masks over a closed set of words; no number is among them. */
function wordMask(context: SchemaContext, words: Words): z.ZodType<string> {
  return mask(context, words.form)
    .check((check) => {
      if (!/[*?@]/.test(check.value)) checkWord(check, words);
    })
    .meta(FORMS.string);
}

function word(words: Words): z.ZodType<string> {
  return z.string().meta(words.form).check((check) => checkWord(check, words));
}

function checkWord(check: z.core.ParsePayload<string>, { all, what, meant: others }: Words): void {
  const { value } = check;
  const given = value.toLowerCase();
  if (all.includes(given)) return;
  const meant = others.get(given.replace(/^\./, '')) ?? nearest(given, all);
  const hint = meant === undefined ? `the ${what}s are ${all.join(', ')}` : `did you mean \`${meant}\`?`;
  complain(check, value, `"${value}" is not a ${what}`, hint);
}

const pattern = z.string().meta(FORMS.pattern).check((check) => {
  const value = check.value;
  if (value.length > MAX_PATTERN_LENGTH) {
    complain(check, value, `longer than ${MAX_PATTERN_LENGTH} characters`, 'make several patterns of it: `matches: [one, two]`');
    return;
  }
  try {
    RE2JS.compile(value);
  } catch (error) {
    const { message, hint } = patternWords(error instanceof Error ? error.message : 'unknown reason');
    complain(check, value, message, hint);
  }
});

function textOperators(whole: z.ZodType<string>, oneOf: z.ZodType<string>): z.ZodType<Check[]> {
  return z
    .strictObject({
      is: whole.optional().describe('exactly this text; case does not count, and an @ names no list'),
      in: listOf(oneOf).optional().describe('one of these, exactly; an @list brings its masks'),
      contains: listOf(needle).optional(),
      starts: listOf(needle).optional(),
      ends: listOf(needle).optional(),
      matches: listOf(pattern).optional().describe('regular expression in RE2 syntax, found anywhere; (?i) ignores case'),
      exists: bool.optional(),
    })
    .check(notEmpty)
    .meta(FORMS.notEmpty)
    .transform((tests): Check[] => {
      const checks: Check[] = [];
      if (tests.is !== undefined) checks.push({ op: 'is', value: tests.is });
      if (tests.in !== undefined) checks.push({ op: 'in', values: tests.in });
      for (const op of ['contains', 'starts', 'ends'] as const) {
        const values = tests[op];
        if (values !== undefined) checks.push({ op, values });
      }
      if (tests.matches !== undefined) checks.push({ op: 'matches', patterns: tests.matches });
      if (tests.exists !== undefined) checks.push({ op: 'exists', value: tests.exists });
      return checks;
    });
}

function numberTest(item: z.ZodType<number>): z.ZodType<Check[]> {
  const operators = z
    .strictObject({
      is: item.optional(),
      in: z.array(item).optional(),
      over: item.optional().describe('more than this'),
      under: item.optional().describe('less than this'),
      between: z.tuple([item, item]).optional().describe('both bounds belong to it'),
      exists: bool.optional(),
    })
    .check(notEmpty)
    .meta(FORMS.notEmpty)
    .transform((tests, context): Check[] => {
      const checks: Check[] = [];
      if (tests.is !== undefined) checks.push({ op: 'number', values: [tests.is] });
      if (tests.in !== undefined) checks.push({ op: 'number', values: tests.in });
      if (tests.over !== undefined) checks.push({ op: 'over', bound: tests.over });
      if (tests.under !== undefined) checks.push({ op: 'under', bound: tests.under });
      if (tests.over !== undefined && tests.under !== undefined && tests.over >= tests.under)
        complain(context, tests, 'nothing is over the one and under the other', 'swap the bounds');
      if (tests.between !== undefined) {
        const [from, to] = tests.between;
        if (from > to) complain(context, tests.between, 'the bounds are in the wrong order', 'write the smaller one first', ['between']);
        checks.push({ op: 'between', from, to });
      }
      if (tests.exists !== undefined) checks.push({ op: 'exists', value: tests.exists });
      return checks;
    });
  return union(
    item.transform((value): Check[] => [{ op: 'number', values: [value] }]),
    operators,
  );
}

function notEmpty(check: z.core.ParsePayload<object>): void {
  if (check.issues.length === 0 && Object.keys(check.value).length === 0) complain(check, check.value, 'an empty test', 'write what it must be, such as `{ contains: invoice }`; for a field that is there at all `{ exists: true }`');
}

/** Brings the short form of a map into a tree. */
function toCondition(value: Readonly<Record<string, unknown>>): Condition {
  const parts: Condition[] = [];
  const groups = { attachment: [] as FieldTest[], link: [] as FieldTest[] };
  for (const [key, part] of Object.entries(value)) {
    if (part === undefined) continue;
    if (key === 'all' || key === 'any') parts.push({ kind: key, of: part as Condition[] });
    else if (key === 'not') parts.push({ kind: 'not', of: part as Condition });
    else {
      const header = headerName(key);
      const test: FieldTest = {
        field: header === undefined ? key : 'header',
        ...(header === undefined ? {} : { header }),
        checks: part as Check[],
      };
      const group = FIELDS.get(key)?.group;
      if (group === undefined) parts.push({ kind: 'field', test });
      else groups[group].push(test);
    }
  }
  for (const kind of ['attachment', 'link'] as const)
    if (groups[kind].length > 0) parts.push({ kind, tests: groups[kind] });
  const [only, ...more] = parts;
  return only !== undefined && more.length === 0 ? only : { kind: 'all', of: parts };
}

import { z } from 'zod';
import type { TimeWindow } from './model.js';
import { conditionSchema } from './schema-condition.js';
import { onSchema } from './schema-on.js';
import { checkReply, compact, GROUPS, replySchema } from './schema-response.js';
import { FORMS } from './schema-forms.js';
import {
  address,
  bool,
  complain,
  complainOfModule,
  identifier,
  isModule,
  listOf,
  mask,
  network,
  mailTemplate,
  text,
  type SchemaContext,
} from './schema-values.js';
import { parseDays, parseHours } from './time.js';

const days = listOf(
  z.string().meta(FORMS.day).check((check) => {
    if (parseDays(check.value) === undefined)
      complain(check, check.value, `"${check.value}" is not a day`, 'write it as mon, or as mon-fri; days are mon, tue, wed, thu, fri, sat, sun');
  }),
);

const hours = listOf(
  z.string().meta(FORMS.hours).check((check) => {
    if (parseHours(check.value) === undefined)
      complain(check, check.value, `"${check.value}" is not a span of hours`, hoursHint(check.value));
  }),
);

function hoursHint(value: string): string {
  const [, from, to] = /^\s*(\S+)\s*-\s*(\S+)\s*$/.exec(value) ?? [];
  return from !== undefined && from === to
    ? 'for the whole day leave `hours` out'
    : 'write it as "08:00-18:00"; the latest end is 24:00, and a span over midnight is "22:00-06:00"';
}

const timeSchema: z.ZodType<TimeWindow[]> = listOf(
  z
    .strictObject({
      days: days.optional().describe('mon, mon-fri, or a list of them'),
      hours: hours.optional().describe('such as "08:00-18:00"; 24:00 is possible as an end'),
    })
    .meta(FORMS.notEmpty)
    .check((check) => {
      const { days, hours } = check.value;
      if (check.issues.length > 0 || days !== undefined || hours !== undefined) return;
      complain(check, check.value, '`time` is empty', 'write `days: mon-fri`, `hours: "08:00-18:00"`, or both');
    })
    .transform(({ days, hours }): TimeWindow[] => {
      const on = [...new Set((days ?? ['sun-sat']).flatMap((day) => parseDays(day) ?? []))].sort();
      return (hours ?? ['00:00-24:00']).flatMap((span) => {
        const parsed = parseHours(span);
        return parsed === undefined ? [] : [{ days: on, ...parsed }];
      });
    }),
).transform((lists) => lists.flat());

function matchSchema(context: SchemaContext) {
  const keys = {
    sender: listOf(mask(context)).optional().describe('masks; "*" also takes the null sender, "<>" it alone'),
    recipient: listOf(mask(context)).optional(),
    client: listOf(network(context)).optional().describe('addresses and networks'),
    when: conditionSchema(context, 'scope').optional(),
  };
  return z
    .strictObject({
      ...keys,
      authenticated: bool.optional().describe('the session logged in'),
      senderIs: z
        .enum(['envelope', 'either'])
        .default('envelope')
        .describe('either: the From field is looked at as well'),
      time: timeSchema.optional().describe("in the node's time zone"),
      except: z.strictObject(keys).transform(compact).optional().describe('excludes if any of its keys holds'),
    })
    .transform(compact);
}

const score = z.number();

function scanSchema(context: SchemaContext) {
  const antispam = z.union([
    bool,
    z
      .strictObject({ spam: score.optional(), probableSpam: score.optional(), bulk: score.optional() })
      .check((check) => {
        const { spam, probableSpam } = check.value;
        if (spam !== undefined && probableSpam !== undefined && probableSpam >= spam)
          complain(check, probableSpam, '`probableSpam` must be less than `spam`', 'a mail is spam from the higher score on, and probable spam from the lower one on', ['probableSpam']);
      })
      .transform(compact),
  ]);
  return z
    .object({ antispam: antispam.optional() })
    .catchall(bool)
    .superRefine(
      (value, check) => {
        for (const key of Object.keys(value)) if (!isModule(key, context)) complainOfModule(check, value, key, context);
      },
      { when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value) },
    );
}

/** Schema of one rule. */
export function ruleSchema(context: SchemaContext) {
  return z
    .strictObject({
      id: identifier.describe('unique over all files and stable: it is in headers, journal and notifications'),
      name: text.optional().describe('name for people'),
      description: text.optional(),
      enabled: bool.default(true),
      mode: z.enum(['enforce', 'audit']).default('enforce'),
      match: matchSchema(context)
        .prefault({})
        .describe('all keys that are given must hold; a list holds if one entry does'),
      process: z.enum(['scan', 'skip', 'reject', 'discard']).default('scan'),
      reply: replySchema.optional().describe('SMTP reply of `process: reject`'),
      scan: scanSchema(context).default({}).describe('settings of modules in this rule; false turns one off'),
      on: onSchema(context).prefault({}).describe('what is done about each kind of finding'),
      notify: z
        .strictObject({
          additional: listOf(address).default([]).describe("this rule's own list"),
          templates: z
            .strictObject(Object.fromEntries(GROUPS.map((group) => [group, mailTemplate(context).optional()])))
            .default({})
            .describe('for all responses of this rule, unless one says otherwise'),
        })
        .prefault({}),
    })
    .check((check) => {
      const { process, reply } = check.value;
      if (reply === undefined) return;
      if (process === 'reject') checkReply(check, reply, 'reject');
      else complain(check, reply, '`reply` of a rule is given by `process: reject` alone', 'write it at the response that rejects: `malware: { action: reject, reply: { ... } }`', ['reply']);
    });
}

/** A rule as zod gives it out. */
export type ParsedRule = z.output<ReturnType<typeof ruleSchema>>;

/** Schema of a whole rule file. */
export function ruleFileSchema(context: SchemaContext) {
  return z.strictObject({ rules: z.array(ruleSchema(context)).describe('read from top to bottom') });
}

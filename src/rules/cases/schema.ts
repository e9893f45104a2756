import { z } from 'zod';
import { parseMoment } from '../../config/moment.js';
import { canonicalAddress } from '../../config/networks.js';
import { nearest } from '../../config/suggest.js';
import { ACTIONS, compact, GROUPS } from '../schema-response.js';
import { bool, complain, listOf, text } from '../schema-values.js';
import { findingSchema, type KnownModules } from './schema-finding.js';
import type { Expectation, ExpectedAudit } from './types.js';

/** What the schema of test cases needs to know of the rule set. */
export interface CaseContext {
  readonly modules: KnownModules;
  /** IDs of the rules; without it they are not checked. */
  readonly rules?: readonly string[];
  /** Zone of `at` where it names none. */
  readonly timezone: string;
}

/** Form of an address, as far as it matters here. */
const ADDRESS = /^<?[^\s@<>][^\s<>]*@[^\s@<>]+>?$/;

const address = z.string().check((check) => {
  if (!ADDRESS.test(check.value))
    complain(check, check.value, `"${check.value.slice(0, 80)}" is not an address`, 'write it as name@example.org');
});

const sender = z.string().check((check) => {
  const { value } = check;
  if (value !== '' && value !== '<>' && !ADDRESS.test(value))
    complain(check, value, `"${value.slice(0, 80)}" is not an address`, 'write it as name@example.org, or "<>" for mail without a sender');
});

function envelopeSchema({ timezone }: CaseContext) {
  return z
    .strictObject({
      sender: sender.describe('"<>" for mail without a sender'),
      recipients: listOf(address).refine((list) => list.length > 0, 'no recipient is named'),
      client: z
        .string()
        .check((check) => {
          if (canonicalAddress(check.value) === undefined)
            complain(check, check.value, `"${check.value.slice(0, 80)}" is not an IP address`);
        })
        .optional()
        .describe('IP address of the client; 192.0.2.1 where it is not given'),
      helo: z.string().optional().describe('name that the client gives'),
      tls: bool.optional().describe('the session is under TLS'),
      authenticated: z.union([bool, z.string()]).optional().describe('the session has logged in; true, or a name'),
      at: z
        .string()
        .transform((value, check) => {
          const time = parseMoment(value, timezone);
          if (time === undefined) complain(check, value, `"${value.slice(0, 80)}" is not a time`, 'write it as 2026-11-21T17:05');
          return time ?? z.NEVER;
        })
        .optional()
        .describe("when the message is received, in the node's time zone unless a zone is given"),
    })
    .transform(compact);
}

const groups = listOf(z.enum(GROUPS));
/** One value or a list; `""` is none, as an empty list is. */
const texts = listOf(text).transform((list) => list.filter((one) => one !== ''));
const action = z.enum(ACTIONS).optional();
const quarantine = bool.optional().describe('the original is stored');
const tags = texts.optional().describe('texts put before the subject, all of them');

const told = z.union([
  z.string().transform((template) => ({ template })),
  z.strictObject({ template: z.string().optional(), to: listOf(z.string()).optional() }).transform(compact),
]);
const notify = z.union([
  groups,
  z.strictObject(Object.fromEntries(GROUPS.map((group) => [group, told.optional()]))).transform(compact),
]);

const headers = z
  .strictObject({
    set: z.record(z.string(), text).optional(),
    add: z.record(z.string(), listOf(text)).optional(),
    remove: texts.optional(),
  })
  .transform(compact);

const reply = z
  .union([
    z.int().transform((code) => ({ code })),
    z
      .strictObject({ code: z.int().optional(), enhanced: z.string().optional(), text: z.string().optional() })
      .transform(compact),
  ])
  .optional()
  .describe('SMTP reply of `reject` and `defer`, or its code alone');

function ruleId({ rules }: CaseContext): z.ZodType<string> {
  return z.string().check((check) => {
    const { value } = check;
    if (rules === undefined || rules.includes(value)) return;
    const meant = nearest(value, rules);
    complain(check, value, `there is no rule "${value.slice(0, 80)}"`, meant === undefined ? undefined : `did you mean \`${meant}\`?`);
  });
}

/** `tag` and `tags` are the same key. */
function tagged<T extends { readonly tag?: string[]; readonly tags?: string[] }>({ tag, tags: list, ...rest }: T) {
  const wanted = list ?? tag;
  return wanted === undefined ? rest : { ...rest, tags: wanted };
}

function auditSchema(context: CaseContext) {
  const one: z.ZodType<ExpectedAudit> = z
    .strictObject({ action, quarantine, tag: tags, tags, notify: groups.optional() })
    .transform(compact)
    .transform((value): ExpectedAudit => tagged(value));
  return z.union([
    listOf(ruleId(context)).transform((ids) => Object.fromEntries(ids.map((id): [string, ExpectedAudit] => [id, {}]))),
    z.record(ruleId(context), one),
  ]);
}

function expectSchema(context: CaseContext): z.ZodType<Expectation> {
  return z
    .strictObject({
      rule: ruleId(context).optional().describe('ID of the rule that decides'),
      action,
      quarantine,
      tag: tags,
      tags,
      notify: notify.optional().describe('groups that are told, in any order; [] for none'),
      suppressed: groups.optional().describe('groups that are not told although the rule asks for it'),
      fired: texts.optional().describe('keys of the responses that fire, in any order: malware, content.ID'),
      headers: headers.optional(),
      warn: texts.optional(),
      disclaimer: texts.optional(),
      reply,
      redirect: texts.optional(),
      copy: texts.optional(),
      route: z.string().optional(),
      audit: auditSchema(context).optional().describe('rules in mode `audit` that match, and what they would have done; [] for none'),
    })
    .check((check) => {
      if (check.value.tag !== undefined && check.value.tags !== undefined)
        complain(check, check.value, '`tag` and `tags` mean the same: give one of them');
    })
    .transform(compact)
    .transform((value): Expectation => tagged(value));
}

/** Schema of one test case. */
export function caseSchema(context: CaseContext) {
  return z
    .strictObject({
      name: text.refine((value) => value.trim() !== '', 'an empty name').describe('what the case shows, in a sentence'),
      description: text.optional(),
      message: z.string().optional().describe('file with the message; the path counts from this file'),
      raw: z.string().optional().describe('the message itself, header and body'),
      envelope: envelopeSchema(context),
      findings: z
        .array(findingSchema(context.modules))
        .default([])
        .describe('what modules find: those that are named here do not run'),
      expect: z.record(z.string(), expectSchema(context)).describe('for each recipient what is to come out'),
    })
    .check((check) => {
      const { message, raw } = check.value;
      if (message === undefined && raw === undefined)
        complain(check, check.value, 'there is no message', 'name a file with `message:`, or write the message below `raw: |`');
      else if (message !== undefined && raw !== undefined)
        complain(check, raw, '`message` and `raw` cannot both be given', undefined, ['raw']);
    })
    .transform(compact);
}

/** Schema of a whole test file. */
export function caseFileSchema(context: CaseContext) {
  return z.array(caseSchema(context));
}

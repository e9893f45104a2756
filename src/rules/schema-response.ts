import { z } from 'zod';
import type { Effect, NotifyRaw, ResponseData } from './model.js';
import { address, bannerTemplate, bool, complain, headerText, listOf, mailTemplate, mask, textOf, type SchemaContext } from './schema-values.js';
import { FORMS } from './schema-forms.js';
import type { HeaderChanges, SmtpReply } from './types.js';

export const GROUPS = ['general', 'sender', 'recipients', 'additional'] as const;
export const ACTIONS = ['deliver', 'delete-attachment', 'defer', 'reject', 'discard'] as const;

/** Keys of a response. */
export const RESPONSE_KEYS: ReadonlySet<string> = new Set([
  'action',
  'quarantine',
  'tag',
  'headers',
  'warn',
  'disclaimer',
  'redirect',
  'copy',
  'route',
  'reply',
  'notify',
]);

/** A response as written; the groups' templates are filled in with those of the rule. */
export type RawResponse = Omit<ResponseData, 'effect'> & { readonly effect: RawEffect };

type RawEffect = Omit<Effect, 'notify'> & { readonly notify: readonly NotifyRaw[] };

const ENHANCED = /^[45]\.\d{1,3}\.\d{1,3}$/;

/** RFC 5321 4.2: a line of printable ASCII, here well below the bound of 512 bytes. */
const replyText = z
  .string()
  .min(1, 'an empty text: leave `text` out for the usual one')
  .max(400, 'longer than 400 characters')
  .regex(/^[\x20-\x7e]*$/, 'only letters without accents, digits and usual signs, in one line, can stand in an SMTP reply');

/** An SMTP reply: any part may be left out. */
export const replySchema: z.ZodType<Partial<SmtpReply>> = z
  .strictObject({
    code: z
      .int()
      .min(400, 'a code of `reject` is 500 to 599, one of `defer` 400 to 499')
      .max(599, 'a code of `reject` is 500 to 599, one of `defer` 400 to 499')
      .optional()
      .describe('three digits: 5xx of `reject`, 4xx of `defer`'),
    enhanced: z
      .string()
      .regex(ENHANCED, 'not an enhanced status code: it has three numbers, such as 5.7.1')
      .optional()
      .describe('enhanced status code such as 5.7.1 (RFC 3463)'),
    text: replyText.optional().describe('one line of ASCII text'),
  })
  .check((check) => {
    const { code, enhanced } = check.value;
    if (code !== undefined && enhanced?.startsWith(String(code).slice(0, 1)) === false)
      complain(check, check.value, `the code ${code} and the enhanced code ${enhanced} are of different classes`, 'let both begin with 5 to refuse, or with 4 to ask for another try');
  })
  .transform(compact);

/** Fields that tell how the body is to be read: changing them would make another message of it. */
const STRUCTURAL = /^(content-.*|mime-version)$/i;
const OWN = /^x-gatepost-/i;

const headerKey = z.string().meta(FORMS.headerName).check((check) => {
  const name = check.value;
  if (!/^[\x21-\x39\x3b-\x7e]{1,76}$/.test(name)) complain(check, name, `"${name}" is not the name of a header field`, fieldNameMeant(name));
  else if (STRUCTURAL.test(name)) complain(check, name, `${name} says how the body is to be read and cannot be changed`, 'leave it out: other fields can be set, added and removed');
  else if (OWN.test(name)) complain(check, name, `fields that begin with X-Gatepost- are written by Gatepost alone`, 'take another name, such as X-Mail-Note');
});

function fieldNameMeant(name: string): string {
  const meant = name.trim().replace(/:.*$/s, '').trim().replace(/[^\x21-\x39\x3b-\x7e]+/g, '-').slice(0, 76);
  return meant === '' || meant === '-' ? 'write it as X-Spam' : `write it as ${meant}`;
}

const headersSchema: z.ZodType<HeaderChanges> = z.strictObject({
  set: z.record(headerKey, headerText).default({}),
  add: z
    .record(headerKey, z.union([z.array(headerText).min(1, 'an empty list'), headerText]))
    .default({}),
  remove: listOf(headerKey).default([]),
});

function notifySchema(context: SchemaContext): z.ZodType<NotifyRaw[]> {
  const target = z.union([
    mailTemplate(context).transform((name) => ({ template: name, attach: 'none' as const })),
    z
      .strictObject({
        template: mailTemplate(context).optional(),
        attach: z.enum(['original', 'headers', 'none']).default('none'),
      })
      .transform(compact),
  ]);
  const map = z
    .strictObject({
      general: target.optional(),
      sender: target.optional(),
      recipients: target.optional(),
      additional: target.optional(),
    })
    .transform((value): NotifyRaw[] =>
      GROUPS.flatMap((group) => {
        const given = value[group];
        return given === undefined ? [] : [{ group, ...given }];
      }),
    );
  const list = listOf(z.enum(GROUPS)).transform((groups): NotifyRaw[] =>
    [...new Set(groups)].map((group) => ({ group, attach: 'none' })),
  );
  return z.union([list, map]);
}

function route({ whyNoRoute }: SchemaContext): z.ZodType<string> {
  return z
    .string()
    .regex(/^(maildir:.+|smtps?:\/\/[^\s/]+.*)$/, 'not a next hop: write it as smtp://10.0.0.5:25')
    .check((check) => {
      const reason = check.issues.length > 0 ? undefined : whyNoRoute?.(check.value);
      if (reason !== undefined) complain(check, check.value, reason);
    });
}

/** Why a key cannot take out attachments; undefined when it can. */
export type DeleteRefusal = string | undefined;

/** Keys of a response, but for those that say which finding it is about. */
export function responseShape(context: SchemaContext) {
  return {
    action: z.enum(ACTIONS).default('deliver'),
    quarantine: bool.default(false).describe('the original is stored, whatever the action'),
    tag: textOf(FORMS.tag)
      .refine((value) => value.trim() !== '', 'an empty tag: leave `tag` out for none')
      .refine((value) => value.length <= 200, 'a tag has at most 200 characters')
      .refine((value) => !/[\x00-\x1f\x7f]/.test(value), 'a tag is one line: no line breaks or control characters')
      .optional()
      .describe('put before the subject'),
    headers: headersSchema.optional(),
    warn: bannerTemplate(context).optional().describe('template put at the start of the body'),
    disclaimer: bannerTemplate(context).optional().describe('template put at the end of the body'),
    redirect: listOf(address)
      .refine((list) => list.length > 0, 'an empty list: the mail would go to nobody; leave `redirect` out')
      .optional()
      .describe('other recipients instead'),
    copy: listOf(address).optional().describe('blind copies of the original'),
    route: route(context).optional().describe('another next hop'),
    reply: replySchema.optional().describe('SMTP reply of `reject` and `defer`'),
    notify: notifySchema(context).default([]).describe('groups to tell'),
  };
}

/** One response; `extra` are keys that stand beside it (a name mask, a content expression's id). */
export function responseSchema(context: SchemaContext, refusal: DeleteRefusal): z.ZodType<RawResponse> {
  return z
    .strictObject({
      name: listOf(mask(context)).optional().describe('masks for the name of the finding'),
      ...responseShape(context),
    })
    .check((check) => checkResponse(check, refusal))
    .transform(({ name, reply, ...effect }) => rawResponse(effect, reply, name));
}

/** @param names masks for the finding's name */
export function rawResponse(
  effect: Loose<RawEffect>,
  reply: Partial<SmtpReply> | undefined,
  names: readonly string[] | undefined,
): RawResponse {
  return compact({ names, reply, effect: compact(effect) });
}

/** Keys that may be absent may be undefined as well: so zod gives them out. */
type Loose<T> = { [K in keyof T]: undefined extends T[K] ? T[K] | undefined : T[K] };

/** One response, or a list of them of which the first that fits responds. */
export function responsesSchema(context: SchemaContext, refusal: DeleteRefusal): z.ZodType<RawResponse[]> {
  const one = responseSchema(context, refusal);
  return z.union([z.array(one).min(1, 'an empty list: leave the key out, or write what is done, such as { action: reject }'), one.transform((value) => [value])]);
}

/** What can be done where no attachment can be taken out. */
export const DELETE_HINT = 'write `action: reject` or `action: discard`, or tag it and deliver';

/** Whether the keys of a response fit each other. */
export function checkResponse(
  check: z.core.ParsePayload<{ readonly action: string; readonly reply?: Partial<SmtpReply> | undefined }>,
  refusal: DeleteRefusal,
): void {
  const { action, reply } = check.value;
  if (action === 'delete-attachment' && refusal !== undefined)
    complain(check, action, `\`delete-attachment\` has nothing to delete here: ${refusal}`, DELETE_HINT, ['action']);
  if (reply !== undefined) checkReply(check, reply, action);
}

/** Whether a reply fits its action. */
export function checkReply(context: z.core.ParsePayload, reply: Partial<SmtpReply>, action: string): void {
  if (action !== 'reject' && action !== 'defer') {
    complain(context, reply, `\`reply\` is only given by \`reject\` and \`defer\`, not by \`${action}\``, 'remove `reply`, or write `action: reject`', ['reply']);
    return;
  }
  const wanted = action === 'reject' ? '5' : '4';
  const { code, enhanced } = reply;
  // What is no code at all has been told of.
  if (code !== undefined && (code < 400 || code > 599)) return;
  if (code !== undefined && !String(code).startsWith(wanted))
    complain(context, code, `\`${action}\` answers with a code of ${wanted}00 to ${wanted}99, not ${code}`, classHint(action), ['reply', 'code']);
  else if (enhanced !== undefined && !enhanced.startsWith(wanted))
    complain(context, enhanced, `\`${action}\` answers with an enhanced code ${wanted}.x.x, not ${enhanced}`, classHint(action), ['reply', 'enhanced']);
}

function classHint(action: string): string {
  return action === 'reject'
    ? 'with `action: defer` the sender is asked to try again later'
    : 'with `action: reject` the mail is refused for good';
}

type Compact<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Leaves out keys whose value is undefined. */
export function compact<T extends object>(value: T): Compact<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Compact<T>;
}

import { z } from 'zod';
import type { Effect, NotifyRaw, ResponseData } from './model.js';
import { address, bool, complain, headerText, listOf, mask, template, text, type SchemaContext } from './schema-values.js';
import type { HeaderChanges, SmtpReply } from './types.js';

export const GROUPS = ['general', 'sender', 'recipients', 'additional'] as const;
export const ACTIONS = ['deliver', 'delete-attachment', 'defer', 'reject', 'discard'] as const;

/** A response as written; the groups' templates are filled in with those of the rule. */
export type RawResponse = Omit<ResponseData, 'effect'> & { readonly effect: RawEffect };

type RawEffect = Omit<Effect, 'notify'> & { readonly notify: readonly NotifyRaw[] };

/** An SMTP reply: any part may be left out. */
export const replySchema: z.ZodType<Partial<SmtpReply>> = z
  .strictObject({
    code: z.int().min(400, 'a reply code is 400 to 599').max(599, 'a reply code is 400 to 599').optional(),
    enhanced: z
      .string()
      .regex(/^[45]\.\d{1,3}\.\d{1,3}$/, 'not an enhanced status code such as 5.7.1')
      .optional(),
    text: z
      .string()
      .min(1, 'an empty text')
      .max(400, 'longer than 400 characters')
      .regex(/^[\x20-\x7e]*$/, 'only printable ASCII characters can stand in an SMTP reply')
      .optional(),
  })
  .check((check) => {
    const { code, enhanced } = check.value;
    if (code !== undefined && enhanced?.startsWith(String(code).slice(0, 1)) === false)
      complain(check, check.value, `the code ${code} and the enhanced code ${enhanced} are of different classes`);
  })
  .transform(compact);

/** Fields that tell how the body is to be read: changing them would make another message of it. */
const STRUCTURAL = /^(content-.*|mime-version)$/i;
const OWN = /^x-gatepost-/i;

const headerKey = z.string().check((check) => {
  const name = check.value;
  if (!/^[\x21-\x39\x3b-\x7e]{1,76}$/.test(name)) complain(check, name, `"${name}" is not the name of a header field`);
  else if (STRUCTURAL.test(name)) complain(check, name, `${name} says how the body is to be read and cannot be changed`);
  else if (OWN.test(name)) complain(check, name, `fields that begin with X-Gatepost- are written by Gatepost alone`);
});

const headersSchema: z.ZodType<HeaderChanges> = z.strictObject({
  set: z.record(headerKey, headerText).default({}).describe('replaces all fields of the name'),
  add: z
    .record(headerKey, z.union([z.array(headerText).min(1, 'an empty list'), headerText]))
    .default({})
    .describe('puts a field on top, or several'),
  remove: listOf(headerKey).default([]),
});

function notifySchema(context: SchemaContext): z.ZodType<NotifyRaw[]> {
  const target = z.union([
    template(context.templates).transform((name) => ({ template: name, attach: 'none' as const })),
    z
      .strictObject({
        template: template(context.templates).optional(),
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
    .regex(/^(maildir:.+|smtps?:\/\/[^\s/]+.*)$/, 'not a next hop, such as smtp://10.0.0.5:25')
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
    tag: text
      .refine((value) => value.trim() !== '', 'an empty tag')
      .refine((value) => value.length <= 200 && !/[\x00-\x1f\x7f]/.test(value), 'a tag is one line of up to 200 characters')
      .optional()
      .describe('put before the subject'),
    headers: headersSchema.optional(),
    warn: template(context.banners).optional().describe('template put at the start of the body'),
    disclaimer: template(context.banners).optional().describe('template put at the end of the body'),
    redirect: listOf(address)
      .refine((list) => list.length > 0, 'an empty list: the mail would go to nobody')
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
  return z.union([z.array(one).min(1, 'an empty list of responses'), one.transform((value) => [value])]);
}

/** Whether the keys of a response fit each other. */
export function checkResponse(
  check: z.core.ParsePayload<{ readonly action: string; readonly reply?: Partial<SmtpReply> | undefined }>,
  refusal: DeleteRefusal,
): void {
  const { action, reply } = check.value;
  if (action === 'delete-attachment' && refusal !== undefined)
    complain(check, action, `\`delete-attachment\` has nothing to delete here: ${refusal}`, undefined, ['action']);
  if (reply !== undefined) checkReply(check, reply, action);
}

/** Whether a reply fits its action. */
export function checkReply(context: z.core.ParsePayload, reply: Partial<SmtpReply>, action: string): void {
  if (action !== 'reject' && action !== 'defer') {
    complain(context, reply, `\`reply\` is only given by \`reject\` and \`defer\`, not by \`${action}\``, undefined, ['reply']);
    return;
  }
  const wanted = action === 'reject' ? '5' : '4';
  const { code, enhanced } = reply;
  if (code !== undefined && !String(code).startsWith(wanted))
    complain(context, code, `\`${action}\` answers with a code of ${wanted}00 to ${wanted}99, not ${code}`, undefined, ['reply', 'code']);
  else if (enhanced !== undefined && !enhanced.startsWith(wanted))
    complain(context, enhanced, `\`${action}\` answers with an enhanced code ${wanted}.x.x, not ${enhanced}`, undefined, ['reply', 'enhanced']);
}

type Compact<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Leaves out keys whose value is undefined. */
export function compact<T extends object>(value: T): Compact<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Compact<T>;
}

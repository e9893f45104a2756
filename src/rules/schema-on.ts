import { z } from 'zod';
import { nearest } from '../config/suggest.js';
import {
  AUTHENTICATION_KEYS,
  DMARC_POLICIES,
  ERROR_STATUSES,
  KEYS_WITH_OBJECTS,
  KNOWN_MODULES,
  MODULES_WITHOUT_OBJECTS,
  pairsOf,
  RESULTS,
  STATUS_KEYS,
} from './findings.js';
import type { Condition, Selector } from './model.js';
import { conditionSchema } from './schema-condition.js';
import { checkResponse, DELETE_HINT, rawResponse, responseShape, responsesSchema, type RawResponse } from './schema-response.js';
import { complain, complainOfKey, complainOfModule, identifier, isModule, listOf, text, unknownKeys, type SchemaContext } from './schema-values.js';

/** An entry of `on` before the rule's own templates are filled in. */
export interface RawEntry {
  readonly key: string;
  readonly name: string;
  readonly selector: Selector;
  readonly responses: readonly RawResponse[];
}

/** What stands under a key, once the key is known. */
type Entries = (key: string) => RawEntry[];

const ABOUT_MESSAGES = 'such findings are about the message, not about an attachment';

/** Schema of `on`: for each key what becomes of it. */
export function onSchema(context: SchemaContext) {
  const whole = responsesSchema(context, ABOUT_MESSAGES);
  const objects = responsesSchema(context, undefined);
  const known: Record<string, z.ZodType<Entries | undefined>> = {};
  for (const key of STATUS_KEYS) {
    const responses = KEYS_WITH_OBJECTS.has(key) ? objects : whole;
    known[key] = responses.transform(byStatus).optional();
  }
  for (const key of AUTHENTICATION_KEYS) known[key] = resultSchema(key, whole).optional();
  known['external'] = z
    .record(z.string().regex(/^[A-Za-z0-9_-]+$/, 'not a status'), objects)
    .transform(byExternal)
    .optional();
  known['content'] = contentSchema(context).optional();
  return z
    .object(known)
    .catchall(objects.transform(byStatus))
    .superRefine(
      (value, check) => {
        for (const key of Object.keys(value)) if (!(key in known)) checkFullKey(key, value[key], check, context);
      },
      { when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value) },
    )
    .transform((value) =>
      Object.entries(value).flatMap(([from, entries]) =>
        entries === undefined ? [] : [{ from, entries: entries(from) }],
      ),
    );
}

function byStatus(responses: readonly RawResponse[]): Entries {
  return (key) => {
    const dot = key.indexOf('.');
    const pairs = dot < 0 ? pairsOf(key) : [{ module: key.slice(0, dot), status: key.slice(dot + 1) }];
    return [{ key, name: key, selector: { kind: 'status', pairs }, responses }];
  };
}

function byExternal(map: Readonly<Record<string, readonly RawResponse[]>>): Entries {
  return () =>
    Object.entries(map).map(([status, responses]) => {
      const key = `external.${status}`;
      return { key, name: key, selector: { kind: 'external', status }, responses };
    });
}

/** A map from results to responses; for DMARC `fail` may be a map from policies. */
function resultSchema(status: string, responses: z.ZodType<RawResponse[]>): z.ZodType<Entries> {
  const shape: Record<string, z.ZodType<RawEntry[] | undefined>> = {};
  for (const result of RESULTS) {
    const key = `${status}.${result}`;
    const hasPolicies = status === 'dmarc' && result === 'fail';
    const plain = (hasPolicies ? responses.check(settle) : responses).transform((list): RawEntry[] => [
      { key, name: key, selector: { kind: 'result', status, result }, responses: list },
    ]);
    shape[result] = (
      hasPolicies ? z.union([plain, policySchema(key, responses)]) : plain
    ).optional();
  }
  return z.strictObject(shape).transform((value) => () => Object.values(value).flatMap((entries) => entries ?? []));
}

/** A map with unknown keys is hardly of this form: the other form of the union has to be looked at as well. */
function settle(check: z.core.ParsePayload): void {
  check.issues.splice(0, Infinity, ...check.issues.map((issue) => ({ ...issue, continue: false })));
}

function policySchema(fail: string, responses: z.ZodType<RawResponse[]>): z.ZodType<RawEntry[]> {
  const shape: Record<string, z.ZodType<RawEntry[] | undefined>> = {};
  for (const policy of DMARC_POLICIES) {
    const key = `${fail}.${policy}`;
    const selector: Selector = { kind: 'result', status: 'dmarc', result: 'fail', policy };
    shape[policy] = responses.transform((list) => [{ key, name: key, selector, responses: list }]).optional();
  }
  return z
    .strictObject(shape)
    .check(settle)
    .transform((value) => Object.values(value).flatMap((entries) => entries ?? []));
}

function contentSchema(context: SchemaContext): z.ZodType<Entries> {
  const expression = z
    .strictObject({
      id: identifier,
      name: text.optional().describe('name for people'),
      when: conditionSchema(context, 'content'),
      ...responseShape(context),
    })
    .check((check) => {
      const refusal = namesObjects(check.value.when) ? undefined : 'the expression tests no attachment and no finding';
      checkResponse(check, refusal);
    })
    .transform(({ id, name, when, reply, ...effect }): RawEntry => {
      const selector: Selector = { kind: 'content', id, when };
      return { key: `content.${id}`, name: name ?? id, selector, responses: [rawResponse(effect, reply, undefined)] };
    });
  return listOf(expression).transform((entries) => () => entries);
}

/** Whether what a condition takes can be an attachment or the object of a finding. */
export function namesObjects(condition: Condition): boolean {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return condition.of.some(namesObjects);
    case 'not':
      return false;
    case 'field':
      return condition.test.field === 'finding';
    case 'link':
      return false;
    case 'attachment':
      return true;
  }
}

/** Checks a key that is not in the table: it must be `module.status`. */
function checkFullKey(key: string, value: Entries | undefined, check: z.RefinementCtx, context: SchemaContext): void {
  const dot = key.indexOf('.');
  if (dot < 0) {
    unknownKeys(check, value, [key]);
    return;
  }
  const module = key.slice(0, dot);
  const status = key.slice(dot + 1);
  if (!isModule(module, context)) {
    complainOfModule(check, value, key, context);
    return;
  }
  const statuses = [...new Set([...(context.modules.get(module) ?? []), ...(KNOWN_MODULES.get(module) ?? []), ...ERROR_STATUSES])];
  if (module !== 'external' && !statuses.includes(status)) {
    const meant = nearest(status, statuses);
    const hint =
      meant === undefined ? `it reports ${statuses.join(', ')}` : `did you mean \`${module}.${meant}\`?`;
    complainOfKey(check, value, key, `the module ${module} never reports "${status}"`, hint);
  }
  // What failed to parse is not a function yet.
  const responses = typeof value === 'function' ? value(key).flatMap((entry) => entry.responses) : [];
  const deletes = responses.some((response) => response.effect.action === 'delete-attachment');
  if (deletes && MODULES_WITHOUT_OBJECTS.has(module) && !(ERROR_STATUSES as readonly string[]).includes(status))
    complain(check, value, `\`delete-attachment\` has nothing to delete here: ${ABOUT_MESSAGES}`, DELETE_HINT, [key, 'action']);
}

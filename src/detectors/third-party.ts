import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { DetectorModule } from './types.js';

/** What a third party's module is given, so that it needs no packages of its own. */
export interface DetectorTools {
  readonly z: typeof z;
}

const shape = z.object({
  settings: z.custom<z.ZodType>(
    (value) => typeof value === 'object' && value !== null && 'safeParse' in value,
    '`settings` must be a zod schema',
  ),
  statuses: z.array(
    z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, '`statuses` are words of lower-case letters, digits and dashes'),
    '`statuses` must be a list of words',
  ),
  waits: z
    .union(
      [z.boolean().transform((always) => () => always), z.custom<NonNullable<DetectorModule['waits']>>(isFunction)],
      '`waits` must be true, false or a function',
    )
    .optional(),
  prepare: z.custom<NonNullable<DetectorModule['prepare']>>(isFunction, '`prepare` must be a function').optional(),
  watch: z.custom<NonNullable<DetectorModule['watch']>>(isFunction, '`watch` must be a function').optional(),
  create: z.custom<DetectorModule['create']>(isFunction, '`create` must be a function'),
});

/**
 * Loads a module from a file. Its default export is a DetectorModule, or a function that is given DetectorTools and
 * returns one.
 * @throws Error whose message says what is wrong with the file
 */
export async function loadThirdParty(file: string): Promise<DetectorModule> {
  if (!existsSync(file)) throw new Error('there is no such file');
  const loaded: unknown = await import(pathToFileURL(file).href);
  const exported = typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : undefined;
  if (exported === undefined) throw new Error('it has no default export');
  const tools: DetectorTools = { z };
  const made: unknown = isFunction(exported) ? await exported(tools) : exported;
  const parsed = shape.safeParse(made);
  if (!parsed.success) throw new Error(parsed.error.issues[0]?.message ?? 'its default export is no detector module');
  const { settings, statuses, waits, prepare, watch, create } = parsed.data;
  // Methods of a class instance keep their `this`.
  return {
    name: file,
    settings,
    statuses,
    ...(waits === undefined ? {} : { waits: waits.bind(made) }),
    ...(prepare === undefined ? {} : { prepare: prepare.bind(made) }),
    ...(watch === undefined ? {} : { watch: watch.bind(made) }),
    create: create.bind(made),
  };
}

function isFunction(value: unknown): value is (...given: unknown[]) => unknown {
  return typeof value === 'function';
}

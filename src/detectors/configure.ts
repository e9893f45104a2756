import path from 'node:path';
import { z } from 'zod';
import type { ModuleSettings } from '../config/load.js';
import type { Problem } from '../config/problems.js';
import { duration } from '../config/values.js';
import { nearest } from '../config/suggest.js';
import { formatDuration } from '../config/units.js';
import type { YamlSource } from '../config/yaml-source.js';
import { BUILT_IN, RESERVED } from './built-in.js';
import { loadThirdParty } from './third-party.js';
import type { DetectorModule, DetectorSpec } from './types.js';

const DEFAULT_TIMEOUT = 30_000;

const common = z.object({
  timeout: duration.optional(),
  onError: z.enum(['defer', 'accept']).default('defer'),
});

export interface ConfiguredDetectors {
  readonly specs: readonly DetectorSpec[];
  readonly problems: readonly Problem[];
}

/**
 * Checks `detectors` of gatepost.yaml and makes what threads need to run them. With any problem of severity `error` the
 * specs are incomplete and must not be used.
 * @param folder that relative paths count from
 * @param deadline `scan.deadline` in ms: no module may take longer
 * @param domains that the gateway accepts mail for
 */
export async function configureDetectors(
  settings: readonly ModuleSettings[],
  folder: string,
  source: YamlSource,
  deadline: number,
  domains: readonly string[] = [],
): Promise<ConfiguredDetectors> {
  const specs: DetectorSpec[] = [];
  const problems: Problem[] = [];
  for (const given of settings) {
    const one = await configure(given, folder, source, deadline);
    problems.push(...one.problems);
    if (one.spec !== undefined) specs.push(domains.length === 0 ? one.spec : { ...one.spec, domains });
  }
  return { specs, problems };
}

interface Configured {
  readonly spec?: DetectorSpec;
  readonly problems: readonly Problem[];
}

async function configure(
  { name, settings }: ModuleSettings,
  folder: string,
  source: YamlSource,
  deadline: number,
): Promise<Configured> {
  const at = ['detectors', name];
  const { timeout, onError, module: given, ...own } = settings;
  const found = await findModule(name, given, folder, source);
  if ('severity' in found) return { problems: [found] };
  const { module, file } = found;

  const problems: Problem[] = [];
  const shared = common.safeParse({ timeout, onError });
  if (!shared.success) problems.push(...source.fromZod(shared.error, common, at));
  const limit = shared.data?.timeout ?? Math.min(DEFAULT_TIMEOUT, deadline);
  if (limit > deadline) {
    const text = `\`detectors.${name}.timeout\`: ${formatDuration(limit)} is longer than \`scan.deadline\` (${formatDuration(deadline)})`;
    problems.push(
      source.error([...at, 'timeout'], text, 'shorten it, or allow more time in `scan: { deadline: ... }`'),
    );
  } else if (limit <= 0) {
    problems.push(source.error([...at, 'timeout'], `\`detectors.${name}.timeout\` must be more than zero`));
  }
  const parsed = module.settings.safeParse(own);
  if (!parsed.success) problems.push(...source.fromZod(parsed.error, withCommonKeys(module.settings), at));
  else problems.push(...checkOwnTimeouts(name, parsed.data, limit, source));
  if (!parsed.success || !shared.success || problems.length > 0) return { problems };

  const prepared = await module.prepare?.(parsed.data, {
    baseDirectory: folder,
    problem: (keys, message, hint) => source.error([...at, ...keys], `\`detectors.${name}\`: ${message}`, hint),
  });
  return {
    spec: {
      name,
      ...(file === undefined ? {} : { file }),
      settings: own,
      ...(prepared?.data === undefined ? {} : { data: prepared.data }),
      baseDirectory: folder,
      timeout: limit,
      onError: shared.data.onError,
      statuses: module.statusesFor?.(parsed.data) ?? module.statuses,
      ...(module.waits?.(parsed.data) === true ? { waits: true } : {}),
    },
    problems: prepared?.problems ?? [],
  };
}

/**
 * The module's own spans for steps of its work (`connectTimeout`, `readTimeout`), each and together: a step that may
 * last longer than the whole would never be cut by its own bound.
 */
function checkOwnTimeouts(name: string, settings: unknown, limit: number, source: YamlSource): Problem[] {
  if (typeof settings !== 'object' || settings === null) return [];
  const steps = Object.entries(settings).filter(
    (entry): entry is [string, number] => /timeout$/i.test(entry[0]) && typeof entry[1] === 'number',
  );
  const [last] = steps.at(-1) ?? [];
  const sum = steps.reduce((all, [, span]) => all + span, 0);
  if (last === undefined || sum <= limit) return [];
  const keys = steps.map(([key]) => `\`detectors.${name}.${key}\``).join(' and ');
  const text = `${keys}: ${formatDuration(sum)}${steps.length > 1 ? ' together' : ''} is longer than the module's timeout (${formatDuration(limit)})`;
  return [source.error(['detectors', name, last], text, `shorten it, or set \`timeout\` to more`)];
}

async function findModule(
  name: string,
  given: unknown,
  folder: string,
  source: YamlSource,
): Promise<{ readonly module: DetectorModule; readonly file?: string } | Problem> {
  const at = ['detectors', name];
  const known = BUILT_IN.find((module) => module.name === name);
  if (given === undefined) {
    if (known !== undefined) return { module: known };
    const names = BUILT_IN.map((module) => module.name);
    const meant = nearest(name, names);
    const hint =
      meant === undefined
        ? `there are ${names.join(' and ')}; a module of your own is named by its file: \`module: ./${name}.js\``
        : `did you mean \`${meant}\`?`;
    return source.error(at, `there is no detector module \`${name}\``, hint, 'key');
  }
  if (known !== undefined || RESERVED.includes(name))
    return source.error(at, `\`${name}\` is a name of Gatepost itself`, 'give your module another name', 'key');
  if (!/^[a-z][a-z0-9-]{0,40}$/.test(name))
    return source.error(at, `\`${name}\` cannot name a module`, 'use lower-case letters, digits and dashes', 'key');
  if (typeof given !== 'string')
    return source.error([...at, 'module'], `\`detectors.${name}.module\` must be the path of a file`);
  const file = path.resolve(folder, given);
  try {
    return { module: await loadThirdParty(file), file };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return source.error([...at, 'module'], `the module "${given}" cannot be loaded: ${reason ?? ''}`);
  }
}

/** The module's schema with the keys that every module has, for suggestions. */
function withCommonKeys(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodObject ? z.object({ ...schema.shape, ...common.shape }) : schema;
}

import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../config/load.js';

/** A configuration that a running gateway can go over to. */
export interface LiveConfig {
  /** The new one, with the keys as they were that only a start puts in force. */
  readonly config: Config;
  /** Keys that differ and wait for a restart, such as `smtp.listen`. */
  readonly waiting: readonly string[];
}

/** Takes over from the new configuration what can change while the gateway runs. */
export function liveConfig(running: Config, wanted: Config): LiveConfig {
  const { templates: _, ...rest } = running;
  const config: Config = {
    ...rest,
    ...(wanted.templates === undefined ? {} : { templates: wanted.templates }),
    folder: wanted.folder,
    source: wanted.source,
    rules: wanted.rules,
    detectors: wanted.detectors,
    domains: wanted.domains,
    trusted: wanted.trusted,
    health: wanted.health,
    log: wanted.log,
    scan: { ...wanted.scan, threads: running.scan.threads },
    node: { ...wanted.node, name: running.node.name },
    delivery: { ...running.delivery, bounce: wanted.delivery.bounce },
    notifications: {
      ...running.notifications,
      general: wanted.notifications.general,
      external: wanted.notifications.external,
      language: wanted.notifications.language,
      rules: wanted.notifications.rules,
      minSeverity: wanted.notifications.minSeverity,
      events: wanted.notifications.events,
      webhooks: wanted.notifications.webhooks,
    },
  };
  return { config, waiting: differing(config, wanted) };
}

/** Keys of a configuration file that differ, dotted; maps are compared key by key. */
function differing(now: Config, wanted: Config): string[] {
  const { source: _a, file: _b, ...left } = now;
  const { source: _c, file: _d, ...right } = wanted;
  return keysThatDiffer(left, right, []);
}

function keysThatDiffer(left: unknown, right: unknown, at: readonly string[]): string[] {
  if (isDeepStrictEqual(left, right)) return [];
  if (!isMap(left) || !isMap(right)) return [at.join('.')];
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  return keys.flatMap((key) => keysThatDiffer(left[key], right[key], [...at, key]));
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

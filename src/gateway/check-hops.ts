import { whyNoAuthority } from '../config/files.js';
import type { Config } from '../config/load.js';
import type { Problem } from '../config/problems.js';
import type { KeyPath } from '../config/yaml-source.js';
import { formatPath } from '../config/zod-problems.js';
import { HopUrlError, parseHopUrl } from '../delivery/hop-url.js';
import type { Purpose } from './setup.js';

/** What is wrong with the next hops that the configuration names. Nothing is connected. */
export function checkHops(config: Config, purpose: Purpose): Problem[] {
  const given: [KeyPath, string][] = [
    ...config.delivery.nextHop.map((url, i): [KeyPath, string] => [['delivery', 'nextHop', i], url]),
    ...Object.entries(config.delivery.routes).map(([domain, url]): [KeyPath, string] => [
      ['delivery', 'routes', domain],
      url,
    ]),
  ];
  if (config.notifications.server !== undefined) given.push([['notifications', 'server'], config.notifications.server]);
  return given.flatMap(([path, url]) => {
    const reason = whyNoHop(url, config.folder, purpose);
    return reason === undefined ? [] : [config.source.error(path, `\`${formatPath(path)}\`: ${reason}`)];
  });
}

/** Why a text names no next hop, for people; undefined where it does. @param folder what relative paths count from */
export function whyNoHop(url: string, folder: string, purpose: Purpose): string | undefined {
  try {
    const target = parseHopUrl(url, folder);
    if (purpose === 'trial' || target.kind !== 'smtp' || target.ca === undefined) return undefined;
    const reason = whyNoAuthority(target.ca);
    return reason === undefined ? undefined : `ca=: ${reason}`;
  } catch (error) {
    if (error instanceof HopUrlError) return error.message;
    throw error;
  }
}

import type { Config } from '../config/load.js';
import type { Problem } from '../config/problems.js';
import type { KeyPath } from '../config/yaml-source.js';
import { HopUrlError, parseHopUrl } from '../delivery/hop-url.js';
import type { RuleBundle } from '../rules/model.js';

/** What is wrong with the next hops that the configuration and the rules name. Nothing is connected. */
export function checkHops(config: Config, bundle: RuleBundle | undefined): Problem[] {
  const given: [KeyPath, string][] = [
    ...config.delivery.nextHop.map((url, i): [KeyPath, string] => [['delivery', 'nextHop', i], url]),
    ...Object.entries(config.delivery.routes).map(([domain, url]): [KeyPath, string] => [
      ['delivery', 'routes', domain],
      url,
    ]),
  ];
  if (config.notifications.server !== undefined) given.push([['notifications', 'server'], config.notifications.server]);
  const problems = given.flatMap(([path, url]) => {
    const reason = whyNot(url, config.folder);
    return reason === undefined ? [] : [config.source.error(path, reason)];
  });
  for (const rule of bundle?.rules ?? []) {
    for (const route of routesOf(rule)) {
      const reason = whyNot(route, config.folder);
      if (reason !== undefined)
        problems.push({ severity: 'error', message: `rule \`${rule.id}\`: \`route\`: ${reason}` });
    }
  }
  return problems;
}

function routesOf(rule: RuleBundle['rules'][number]): string[] {
  const routes = rule.on.flatMap((entry) => entry.responses.map((response) => response.effect.route));
  return routes.filter((route) => route !== undefined);
}

function whyNot(url: string, folder: string): string | undefined {
  try {
    parseHopUrl(url, folder);
    return undefined;
  } catch (error) {
    if (error instanceof HopUrlError) return error.message;
    throw error;
  }
}

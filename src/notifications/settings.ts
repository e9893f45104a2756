import type { Config } from '../config/load.js';
import type { OweSettings } from './owed.js';

/** What of the configuration says who is told. @param port where this node listens, when it is not the configured one */
export function oweSettings(config: Config, port: number = config.smtp.listen[0]?.port ?? 0): OweSettings {
  const { notifications, node } = config;
  return {
    enabled: notifications.rules.enabled,
    from: notifications.from,
    general: notifications.general,
    domains: config.domains,
    external: notifications.external,
    minSeverity: notifications.minSeverity,
    node: { name: node.name, address: node.address, port, comment: node.comment, timezone: node.timezone },
  };
}

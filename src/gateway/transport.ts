import type { Config } from '../config/load.js';
import { sendInOrder } from '../delivery/failover.js';
import { openHop } from '../delivery/hop.js';
import type { NextHop } from '../delivery/types.js';

/**
 * The server that notifications are sent through: `notifications.server`, else the next hop of the mail itself.
 * @throws HopUrlError
 */
export function notificationTransport(config: Config): NextHop {
  const { server } = config.notifications;
  const urls = server === undefined ? config.delivery.nextHop : [server];
  const options = { hostname: config.smtp.hostname, folder: config.folder };
  return inOrder(urls.map((url) => openHop(url, options)));
}

/** Several hops as one: the next is tried only when the one before failed as a hop and took nothing. */
export function inOrder(hops: readonly NextHop[]): NextHop {
  const [first, ...others] = hops;
  if (first === undefined) throw new RangeError('at least one next hop is needed');
  if (others.length === 0) return first;
  return {
    name: hops.map((hop) => hop.name).join(', '),
    send: async (mail) => await sendInOrder(hops, mail),
    async probe() {
      await Promise.any(hops.map((hop) => hop.probe()));
    },
    async close() {
      await Promise.all(hops.map((hop) => hop.close()));
    },
  };
}

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../config/load.js';
import type { Log } from '../../telemetry/log.js';

/** One webhook, ready for use. */
export interface Webhook {
  /** Digest of its address: what outbox, jobs and ledger know it by. */
  readonly id: string;
  readonly url: URL;
  /** For people, the ledger and the log: without what may be secret. */
  readonly name: string;
  readonly secret: string;
  readonly kinds: readonly WebhookKind[];
  /** PEM */
  readonly ca?: string;
  /** ms */
  readonly timeout: number;
  readonly maxWaiting: number;
}

export type WebhookKind = 'rule' | 'notice' | 'event';

/** Parts of a path that are this long or longer are taken for keys. */
const KEY = 16;
const MAX_NAME = 200;

/** The webhooks of a configuration. @throws Error when a file of `ca` cannot be read any more */
export function webhooksOf({ notifications, folder }: Pick<Config, 'notifications' | 'folder'>): readonly Webhook[] {
  return notifications.webhooks.map(({ url, ca, ...rest }) => ({
    ...rest,
    id: hookId(url),
    url: new URL(url),
    name: maskedUrl(url),
    ...(ca === undefined ? {} : { ca: readFileSync(path.resolve(folder, ca), 'utf8') }),
  }));
}

/**
 * The webhooks of the configuration in force, whichever that is. Where a file of `ca` can no longer be read, those before
 * stay in force.
 * @throws Error when one cannot be read at the start
 */
export function webhooksInForce(
  config: () => Pick<Config, 'notifications' | 'folder'>,
  log: Log,
): () => readonly Webhook[] {
  let list = config().notifications.webhooks;
  let hooks = webhooksOf(config());
  return () => {
    const current = config();
    if (current.notifications.webhooks === list) return hooks;
    list = current.notifications.webhooks;
    try {
      const next = webhooksOf(current);
      // Each loading makes another list, mostly of the same.
      if (isDeepStrictEqual(next, hooks)) return hooks;
      hooks = next;
      log.info({ webhooks: hooks.map(({ name }) => name) }, 'the changed list of webhooks is in force');
    } catch (error) {
      log.error({ err: error }, 'the changed webhooks cannot be used: those before stay in force');
    }
    return hooks;
  };
}

function hookId(url: string): string {
  return createHash('sha256').update(`webhook ${url}`).digest('hex').slice(0, 16);
}

/**
 * An address without user, password, query and fragment; long parts of the path, which may be keys, are left out too.
 * A short digest tells apart what would look the same.
 */
export function maskedUrl(text: string): string {
  const url = new URL(text);
  const shown = url.pathname
    .split('/')
    .map((part) => (part.length < KEY ? part : '...'))
    .join('/');
  const whole =
    shown === url.pathname && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  const name = `${url.protocol}//${url.host}${shown === '/' ? '' : shown}`.slice(0, MAX_NAME);
  return whole ? name : `${name}#${hookId(text).slice(0, 6)}`;
}

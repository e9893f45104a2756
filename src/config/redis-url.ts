/** Where the job queue's Redis is, from `queue:`. */
export interface RedisTarget {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  /** The server, the Sentinels, or some nodes of the cluster. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** Name of the group that the Sentinels watch. */
  readonly group?: string;
  readonly username?: string;
  readonly password?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  readonly database: number;
  /** In front of all keys; with a hash tag in a cluster, so that the keys of a queue lie on one node. */
  readonly prefix: string;
  readonly tls: boolean;
  /** File of the certificate authority, as written. */
  readonly ca?: string;
  /** For people, without secrets. */
  readonly name: string;
}

export const REDIS_URL_HINT =
  'write it as redis://user:password@host:6379/0, rediss:// for TLS, redis+sentinel://h1:26379,h2:26379/group or ' +
  'redis+cluster://h1:6379,h2:6379';

const SHAPE = /^(rediss?)(\+sentinel|\+cluster)?:\/\/(?:([^@/?]*)@)?([^/?@]+)(?:\/([^?]*))?(?:\?(.*))?$/i;
const HOST = /^(?:\[([0-9a-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/i;
const KEYS = ['ca', 'prefix', 'sentinelUsername', 'sentinelPassword'];
const MAX_HOSTS = 100;

/** Reads an address of Redis. @returns what is wrong with it where it is none */
export function parseRedisUrl(text: string): RedisTarget | { readonly error: string } {
  const match = SHAPE.exec(text);
  if (match === null) return { error: 'not an address of Redis' };
  const [, scheme = '', suffix = '', account = '', authority = '', place = '', query = ''] = match;
  // Else parts of a password would be told as the host, and so shown.
  if (account === '' && `${place}${query}`.includes('@'))
    return { error: 'in a password / ? and @ are written as %2F %3F and %40' };
  const kind = suffix === '' ? 'single' : suffix.toLowerCase() === '+sentinel' ? 'sentinel' : 'cluster';
  const hosts = authority.split(',').map((entry) => hostOf(entry, kind === 'sentinel' ? 26379 : 6379));
  if (hosts.length > MAX_HOSTS || hosts.includes(undefined)) return { error: `"${authority}" does not name hosts` };
  if (kind === 'single' && hosts.length > 1)
    return { error: 'several hosts are for redis+sentinel:// and redis+cluster://' };
  const steps = place.split('/').filter((step) => step !== '');
  const group = kind === 'sentinel' ? decoded(steps.shift() ?? '') : undefined;
  if (group === '') return { error: 'the name of the group that the Sentinels watch is missing: /mymaster' };
  const [database = '0'] = steps;
  if (steps.length > 1 || !/^\d{1,5}$/.test(database)) return { error: `"${place}" is no number of a database` };
  if (kind === 'cluster' && database !== '0') return { error: 'a cluster has only database 0' };
  const parameters = new URLSearchParams(query);
  const unknown = [...parameters.keys()].find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return { error: `there is no parameter "${unknown}": there are ${KEYS.join(', ')}` };
  const given = parameters.get('prefix') ?? 'gatepost';
  if (!/^[\w{}.:-]{1,64}$/.test(given)) return { error: `prefix "${given}": letters, digits, . : - _ { }` };
  const [username, ...secret] = account.split(':');
  const ca = parameters.get('ca');
  const tls = scheme.toLowerCase() === 'rediss';
  if (ca !== null && !tls) return { error: '`ca` is for rediss://' };
  return {
    kind,
    hosts: hosts.filter((host) => host !== undefined),
    ...(group === undefined ? {} : { group }),
    ...optional('username', decoded(username ?? '')),
    ...optional('password', decoded(secret.join(':'))),
    ...optional('sentinelUsername', parameters.get('sentinelUsername') ?? ''),
    ...optional('sentinelPassword', parameters.get('sentinelPassword') ?? ''),
    database: Number(database),
    prefix: kind === 'cluster' && !/\{.+\}/.test(given) ? `{${given}}` : given,
    tls,
    ...optional('ca', ca ?? ''),
    name: `${scheme}${suffix}://${authority}${place === '' ? '' : `/${place}`}`.toLowerCase(),
  };
}

function optional<K extends string>(key: K, value: string): Partial<Record<K, string>> {
  const made: Partial<Record<K, string>> = {};
  if (value !== '') made[key] = value;
  return made;
}

function hostOf(text: string, standard: number): { readonly host: string; readonly port: number } | undefined {
  const match = HOST.exec(text);
  const port = Number(match?.[3] ?? standard);
  return match === null || port < 1 || port > 65_535 ? undefined : { host: match[1] ?? match[2] ?? '', port };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray % is meant as it stands.
    return text;
  }
}

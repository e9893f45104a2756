import type { Config } from '../config/load.js';
import type { NodeRole } from '../store/node-types.js';

/** A lone role was asked for where it can do nothing; the text says what to change. */
export class RoleError extends Error {
  override readonly name = 'RoleError';
}

const ALL: readonly NodeRole[] = ['gateway', 'worker'];

/**
 * The roles of a start, from `--role`: names, several in one value or in several; `all` is every one.
 * @throws RoleError for a name that is none
 */
export function parseRoles(given: readonly string[] | undefined): readonly NodeRole[] {
  const names = (given ?? ['all']).flatMap((value) => value.split(',')).map((name) => name.trim());
  const roles = new Set(names.flatMap(rolesOf));
  return ALL.filter((role) => roles.has(role));
}

function rolesOf(name: string): readonly NodeRole[] {
  if (name === 'all') return ALL;
  const role = ALL.find((each) => each === name);
  if (role === undefined) throw new RoleError(`--role ${name}: there are the roles all, gateway and worker`);
  return [role];
}

/**
 * Roles that run apart meet in the store and in the queue: both must be reachable from outside.
 * @throws RoleError when they are not
 */
export function requireShared(roles: readonly NodeRole[], config: Pick<Config, 'store'>): void {
  const [only] = roles;
  if (roles.length !== 1 || only === undefined || config.store !== 'embedded') return;
  const other = only === 'worker' ? 'gateways' : 'workers';
  throw new RoleError(
    `--role ${only}: with \`store: embedded\` no ${other} in another process can reach the database of this one. ` +
      'Set `store: postgres://...` (and, best, `queue: redis://...`), the same for all processes, or start without --role.',
  );
}

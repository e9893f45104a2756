import type { DirectorySnapshot } from '../directory/types.js';
import type { RuleBundle } from './model.js';

/** What the names of lists that are groups of the directory begin with. */
const PREFIX = 'ldap:';

/** Whether a mask, or the name of a list behind its `@`, names a group of the directory. */
export function isGroup(name: string): boolean {
  return name.startsWith(PREFIX) || name.startsWith(`@${PREFIX}`);
}

/** Names of the lists that the groups are. */
export function groupLists(directory: DirectorySnapshot | undefined): string[] {
  return [...(directory?.groups.keys() ?? [])].map((name) => PREFIX + name);
}

/** The members of those groups that are used; a group that was never read has none. */
export function groupMembers(
  used: Iterable<string>,
  directory: DirectorySnapshot | undefined,
): Readonly<Record<string, readonly string[]>> {
  const names = [...used].filter((name) => name.startsWith(PREFIX));
  return Object.fromEntries(names.map((name) => [name, directory?.groups.get(name.slice(PREFIX.length)) ?? []]));
}

/** Groups of the directory that the rules use. */
export function groupsUsed(bundle: RuleBundle): string[] {
  return Object.keys(bundle.lists)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => name.slice(PREFIX.length));
}

/** The same rules with other members of the groups. */
export function withGroups(bundle: RuleBundle, directory: DirectorySnapshot): RuleBundle {
  return { ...bundle, lists: { ...bundle.lists, ...groupMembers(Object.keys(bundle.lists), directory) } };
}

import type { DirectorySnapshot } from '../directory/types.js';
import type { MatchData, RuleBundle, ScopeKeys } from './model.js';
import { packList, type PackedList } from './packed-list.js';

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
): Readonly<Record<string, PackedList>> {
  const names = [...used].filter((name) => name.startsWith(PREFIX));
  return Object.fromEntries(names.map((name) => [name, packList(directory?.groups.get(name.slice(PREFIX.length)) ?? [])]));
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

/**
 * The scope with a mask in place of each group that takes nothing but itself: members come and go, so all that is
 * certain of a group is that it is the same as itself.
 */
export function withGroupsHidden(match: MatchData): MatchData {
  return { ...hideIn(match), ...(match.except === undefined ? {} : { except: hideIn(match.except) }) };
}

function hideIn<T extends ScopeKeys>(keys: T): T {
  return {
    ...keys,
    ...(keys.sender === undefined ? {} : { sender: keys.sender.map(hide) }),
    ...(keys.recipient === undefined ? {} : { recipient: keys.recipient.map(hide) }),
  };
}

/** Characters for private use, which no mask of an author meets. */
function hide(mask: string): string {
  return isGroup(mask) ? Array.from(mask, (c) => String.fromCodePoint(0xf0000 + (c.codePointAt(0) ?? 0))).join('') : mask;
}

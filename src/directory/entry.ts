import type { Entry } from 'ldapts';

/** Object classes of groups, in lower case; a class that the list lacks is told by its member attributes. */
const GROUP_CLASSES = new Set([
  'group',
  'groupofnames',
  'groupofuniquenames',
  'groupofmembers',
  'groupofentries',
  'posixgroup',
  'ipausergroup',
  'univentiongroup',
  'zimbradistributionlist',
]);

/** The values of an attribute that are text; names of attributes are not case-sensitive (RFC 4512 2.5). */
export function valuesOf(entry: Entry, attribute: string): string[] {
  const wanted = attribute.toLowerCase();
  return Object.entries(entry).flatMap(([name, value]) => {
    if (name === 'dn' || name.toLowerCase().split(';')[0] !== wanted) return [];
    const values: readonly (string | Buffer)[] = Array.isArray(value) ? value : [value];
    return values.map((one) => (typeof one === 'string' ? one : one.toString('utf8')));
  });
}

/**
 * A part of a large attribute, as Active Directory hands it out: `member;range=0-1499`.
 * @returns where the next part begins; undefined when there is none
 */
export function nextRange(entry: Entry, attribute: string): number | undefined {
  const wanted = attribute.toLowerCase();
  for (const name of Object.keys(entry)) {
    const match = /^([^;]+);range=(\d{1,9})-(\d{1,9}|\*)$/i.exec(name);
    if (match?.[1]?.toLowerCase() !== wanted || match[3] === '*') continue;
    return Number(match[3]) + 1;
  }
  return undefined;
}

/** Whether the entry is a group and not a person. */
export function isGroupEntry(entry: Entry, memberAttributes: readonly string[]): boolean {
  return (
    valuesOf(entry, 'objectClass').some((name) => GROUP_CLASSES.has(name.toLowerCase())) ||
    memberAttributes.some((attribute) => valuesOf(entry, attribute).length > 0)
  );
}

/** Whether values of the attribute are names of users and not of entries. */
export function namesUsers(attribute: string): boolean {
  return /uid$/i.test(attribute);
}

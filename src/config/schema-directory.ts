import { z } from 'zod';
import { parseDn } from './ldap-dn.js';
import { complainOfFilter } from './ldap-filter.js';
import { duration } from './values.js';

/** How the entry of a group, or its members, are found. */
export type GroupPlace =
  | { readonly kind: 'dn'; readonly dn: string }
  /** A group of this `cn` below the base. */
  | { readonly kind: 'name'; readonly name: string; readonly base?: string }
  /** What it finds is in the list: people themselves, and the members of groups. */
  | { readonly kind: 'filter'; readonly filter: string; readonly base?: string };

/** A group that rules name as `@ldap:NAME`. */
export interface GroupDefinition {
  readonly place: GroupPlace;
  /** Whether members of member groups are members. */
  readonly nested: boolean;
  /**
   * `members`: the group lists its members; `memberOf`: the members name the group; `chain`: the same, with members of
   * members found by the server (Active Directory).
   */
  readonly lookup: 'members' | 'memberOf' | 'chain';
}

const ATTRIBUTE = /^[A-Za-z][A-Za-z0-9-]{0,63}$/;
const attribute = z.string().regex(ATTRIBUTE, 'not the name of an attribute');
const attributes = z.union([z.array(attribute).min(1), attribute.transform((name) => [name])]);

const url = z.string().check((check) => {
  const complaint = complainOfUrl(check.value);
  if (complaint !== undefined)
    check.issues.push({
      code: 'custom',
      input: check.value,
      message: complaint.message,
      params: { hint: complaint.hint },
    });
});

function complainOfUrl(text: string): { readonly message: string; readonly hint: string } | undefined {
  const hint = 'write it as ldaps://dc1.example.org or ldap://dc1.example.org:389';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^ldaps?:$/.test(url.protocol) || url.hostname === '')
    return { message: 'not the address of an LDAP server', hint };
  if (url.username !== '' || url.password !== '')
    return { message: 'a name and password do not stand in the address', hint: 'write them under `directory.bind`' };
  if (url.hostname.startsWith('['))
    return { message: 'an IPv6 address cannot stand here', hint: "write the server's name" };
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '')
    return {
      message: 'nothing stands behind the host and port',
      hint: 'the base is `directory.base`, its CA `directory.ca`',
    };
  return undefined;
}

function checkDn(check: z.core.ParsePayload<string>): void {
  if ((parseDn(check.value)?.length ?? 0) > 0) return;
  check.issues.push({
    code: 'custom',
    input: check.value,
    message: 'not a distinguished name',
    params: { hint: 'write it as cn=Finance,ou=Groups,dc=example,dc=org; a comma in a value as \\,' },
  });
}

function checkFilter(check: z.core.ParsePayload<string>): void {
  const complaint = complainOfFilter(check.value);
  if (complaint === undefined) return;
  check.issues.push({
    code: 'custom',
    input: check.value,
    message: `not a search filter: ${complaint}`,
    params: { hint: 'write it as (title=Manager) or (&(a=b)(c=d)); ( ) * \\ in a value as \\28 \\29 \\2a \\5c' },
  });
}

const dn = z.string().check(checkDn);
const filter = z.string().check(checkFilter);
/** A filter is told from a name by its parenthesis. */
const dnOrFilter = z.string().check((check) => {
  if (check.value.startsWith('(')) checkFilter(check);
  else checkDn(check);
});

const groupName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
  message: 'letters, digits, dots, dashes and underscores are possible in the name of a group',
});

const groupMap = z
  .strictObject({
    dn: dn.optional(),
    name: z.string().min(1).max(256).optional(),
    filter: filter.optional(),
    base: dn.optional(),
    nested: z.boolean().default(true),
    lookup: z.enum(['members', 'memberOf', 'chain']).default('members'),
  })
  .check((check) => {
    const { value } = check;
    const complain = (key: string, message: string): void => {
      check.issues.push({ code: 'custom', input: value, path: [key], message, params: { at: 'key' } });
    };
    const given = (['dn', 'name', 'filter'] as const).filter((key) => value[key] !== undefined);
    const [, second] = given;
    if (second !== undefined) complain(second, `a group is found by one of ${given.join(' and ')}`);
    if (value.dn !== undefined && value.base !== undefined && value.lookup === 'members')
      complain('base', 'a group with `dn` needs no `base`');
  });

type GroupMap = z.output<typeof groupMap>;

/** `cn=...,dc=...`, `(filter)`, a map, or nothing: the group of that `cn`. */
const group = z.union([dnOrFilter, groupMap, z.null()]);

const groups = z
  .union([z.array(groupName), z.record(groupName, group)])
  .transform((given): Readonly<Record<string, GroupDefinition>> => {
    const entries = Array.isArray(given)
      ? given.map((name) => [name, definitionOf(name, null)] as const)
      : Object.entries(given).map(([name, raw]) => [name, definitionOf(name, raw)] as const);
    return Object.fromEntries(entries);
  });

function definitionOf(name: string, given: GroupMap | string | null): GroupDefinition {
  if (given === null) return { place: { kind: 'name', name }, nested: true, lookup: 'members' };
  if (typeof given === 'string')
    return {
      place: given.startsWith('(') ? { kind: 'filter', filter: given } : { kind: 'dn', dn: given },
      nested: true,
      lookup: 'members',
    };
  const base = given.base === undefined ? {} : { base: given.base };
  const { nested, lookup } = given;
  if (given.dn !== undefined) return { place: { kind: 'dn', dn: given.dn }, nested, lookup };
  if (given.filter !== undefined) return { place: { kind: 'filter', filter: given.filter, ...base }, nested, lookup };
  return { place: { kind: 'name', name: given.name ?? name, ...base }, nested, lookup };
}

function bounded(least: number, most: number, words: string) {
  return duration.refine((ms) => ms >= least && ms <= most, `must be from ${words}`);
}

/** The key `directory`: servers, and the groups that rules use as lists. */
export const directorySchema = z
  .strictObject({
    url: z
      .union([z.array(url).min(1), url.transform((text) => [text])])
      .describe('LDAP servers: ldap://host:port or ldaps://host:port; of several the first that answers'),
    startTls: z.boolean().default(false).describe('TLS on an ldap:// connection before anything is said'),
    ca: z.string().optional().describe('certificates that sign those of the servers (PEM); default: those of Node'),
    bind: z
      .strictObject({
        dn: z.string().min(1).max(1024),
        password: z.string().min(1, 'an empty password would be taken as no login at all').max(1024),
      })
      .optional()
      .describe('who reads the directory; without it, anonymous'),
    base: dn.describe('where groups and people are looked for'),
    groups: groups.describe(
      'names for rules (`@ldap:NAME`): a DN, a filter, or a map; a list of names finds them by cn',
    ),
    memberAttributes: attributes
      .default(['member', 'uniqueMember', 'memberUid'])
      .describe('attributes of a group that name its members: by DN, or those that end in Uid by user name'),
    userAttribute: attribute.default('uid').describe('what memberUid names'),
    mailAttributes: attributes
      .default(['mail', 'mailAlternateAddress', 'proxyAddresses'])
      .describe('attributes of a person that hold addresses'),
    depth: z.int().min(1).max(50).default(10).describe('levels of groups in groups'),
    pageSize: z.int().min(1).max(10_000).default(500).describe('entries that a server is asked for at a time'),
    refresh: bounded(1_000, 7 * 86_400_000, '1s to 7d')
      .prefault('15m')
      .describe('time between two readings'),
    timeout: bounded(100, 600_000, '100ms to 10m').prefault('30s').describe('for each answer of a server'),
    maxAge: bounded(60_000, 365 * 86_400_000, '1m to 365d')
      .prefault('1d')
      .describe('an older copy raises directory-data-stale; it stays in use'),
  })
  .check((check) => {
    const { url: urls, startTls } = check.value;
    const plain = urls.findIndex((text) => text.startsWith('ldaps:'));
    if (startTls && plain >= 0)
      check.issues.push({
        code: 'custom',
        input: check.value,
        path: ['startTls'],
        message: 'an ldaps:// connection has TLS from its start',
        params: { hint: 'leave it out, or write ldap://' },
      });
  });

export type DirectorySettings = z.output<typeof directorySchema>;

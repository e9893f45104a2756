import type { Entry } from 'ldapts';
import { comparableDn } from '../config/ldap-dn.js';
import { escapeFilterValue } from '../config/ldap-filter.js';
import type { DirectorySettings, GroupDefinition } from '../config/schema-directory.js';
import { readAddresses } from './addresses.js';
import { each } from './each.js';
import { isGroupEntry, namesUsers, nextRange, valuesOf } from './entry.js';
import { DirectoryError } from './errors.js';
import type { DirectorySession } from './session.js';
import type { GroupReading } from './types.js';

/** Entries that one group may come to. */
export const MAX_ENTRIES = 1_000_000;
/** Parts of one attribute (`member;range=`). */
const MAX_RANGES = 10_000;
/** Requests on the way at a time. */
const CONCURRENCY = 32;
/** User names that are looked for in one search. */
const USERS_PER_SEARCH = 50;
/** `LDAP_MATCHING_RULE_IN_CHAIN` of Active Directory. */
const IN_CHAIN = '1.2.840.113556.1.4.1941';

export type WalkSettings = Pick<
  DirectorySettings,
  'base' | 'memberAttributes' | 'mailAttributes' | 'userAttribute' | 'depth'
>;

/** Reads one group after another over a session. */
export class GroupWalker {
  readonly #session: DirectorySession;
  readonly #settings: WalkSettings;
  readonly #maxEntries: number;

  constructor(session: DirectorySession, settings: WalkSettings, maxEntries: number = MAX_ENTRIES) {
    this.#session = session;
    this.#settings = settings;
    this.#maxEntries = maxEntries;
  }

  /** @throws DirectoryError when the group is not there, or not all of it can be read */
  async read(definition: GroupDefinition): Promise<GroupReading> {
    const walk: Walk = { definition, seen: new Set(), users: new Set(), addresses: new Set(), ...NOTHING };
    const roots = await this.#roots(definition);
    await this.#take(walk, roots, 0);
    if (walk.absent > 0 && walk.members === 0)
      throw new DirectoryError('failed', `none of its ${walk.absent} members can be read: may the login see them?`);
    return {
      addresses: [...walk.addresses].sort(),
      members: walk.members,
      absent: walk.absent,
      withoutAddress: walk.withoutAddress,
      badAddresses: walk.badAddresses,
    };
  }

  async #roots(definition: GroupDefinition): Promise<readonly Entry[]> {
    const { place } = definition;
    if (place.kind === 'dn') return [await this.#session.readEntry(place.dn, this.#attributes)];
    const base = place.base ?? this.#settings.base;
    if (place.kind === 'filter') return await this.#search(base, place.filter);
    const found = (await this.#search(base, `(cn=${escapeFilterValue(place.name)})`)).filter((entry) =>
      isGroupEntry(entry, this.#settings.memberAttributes),
    );
    if (found.length === 0) throw new DirectoryError('absent', `there is no group with cn=${place.name} below ${base}`);
    if (found.length > 1)
      throw new DirectoryError(
        'failed',
        `${found.length} groups have cn=${place.name} below ${base}: name one by its DN`,
      );
    return found;
  }

  get #attributes(): readonly string[] {
    const { memberAttributes, mailAttributes, userAttribute } = this.#settings;
    return ['objectClass', userAttribute, ...memberAttributes, ...mailAttributes];
  }

  async #search(base: string, filter: string): Promise<Entry[]> {
    const found: Entry[] = [];
    for await (const page of this.#session.search(base, filter, this.#attributes)) {
      found.push(...page);
      if (found.length > this.#maxEntries) throw this.#tooLarge();
    }
    return found;
  }

  /** Takes people into the list, and the members of groups, level by level. */
  async #take(walk: Walk, roots: readonly Entry[], start: number): Promise<void> {
    let level: readonly Entry[] = roots;
    for (let depth = start; level.length > 0; depth++) {
      const groups: Entry[] = [];
      for (const entry of level) {
        const known = comparableDn(entry.dn);
        // A group that is its own member, at whatever distance, is read once.
        if (walk.seen.has(known)) continue;
        walk.seen.add(known);
        if (walk.seen.size > this.#maxEntries) throw this.#tooLarge();
        if (!isGroupEntry(entry, this.#settings.memberAttributes)) this.#takePerson(walk, entry);
        else if (depth === 0 || walk.definition.nested) groups.push(entry);
      }
      if (groups.length > 0 && depth >= this.#settings.depth)
        throw new DirectoryError('failed', `groups are nested deeper than ${this.#settings.depth} levels`);
      level = [];
      for (const entry of groups) level = level.concat(await this.#membersOf(walk, entry));
    }
  }

  #takePerson(walk: Walk, entry: Entry): void {
    walk.members++;
    const values = this.#settings.mailAttributes.flatMap((attribute) => valuesOf(entry, attribute));
    const { addresses, bad } = readAddresses(values);
    walk.badAddresses += bad;
    if (addresses.length === 0) walk.withoutAddress++;
    for (const address of addresses) walk.addresses.add(address);
    if (walk.addresses.size > this.#maxEntries) throw this.#tooLarge();
  }

  async #membersOf(walk: Walk, group: Entry): Promise<Entry[]> {
    const { lookup, nested } = walk.definition;
    if (lookup === 'members') return await this.#listedMembers(walk, group);
    const rule = lookup === 'chain' && nested ? `:${IN_CHAIN}:` : '';
    const found = await this.#search(this.#settings.base, `(memberOf${rule}=${escapeFilterValue(group.dn)})`);
    // The server has looked into the groups among them.
    return rule === '' ? found : found.filter((entry) => !isGroupEntry(entry, this.#settings.memberAttributes));
  }

  async #listedMembers(walk: Walk, group: Entry): Promise<Entry[]> {
    const names = new Map<string, string>();
    const users: string[] = [];
    for (const attribute of this.#settings.memberAttributes) {
      const values = await this.#allValues(group, attribute);
      if (!namesUsers(attribute)) {
        for (const value of values) {
          // A name may bear a bit string behind it (RFC 4517 3.3.21).
          const dn = value.replace(/#'[01]*'B$/, '');
          names.set(comparableDn(dn), dn);
        }
      } else
        for (const value of values) {
          if (!walk.users.has(value)) users.push(value);
          walk.users.add(value);
        }
      if (names.size + walk.users.size > this.#maxEntries) throw this.#tooLarge();
    }
    const unread = [...names].filter(([known]) => !walk.seen.has(known)).map(([, dn]) => dn);
    const found: Entry[] = [];
    await each(unread, CONCURRENCY, async (dn) => {
      const entry = await this.#readMember(dn);
      if (entry === undefined) walk.absent++;
      else found.push(entry);
    });
    return found.concat(await this.#findUsers(walk, users));
  }

  /** A name that points nowhere is left behind by many servers; other failures are those of the group. */
  async #readMember(dn: string): Promise<Entry | undefined> {
    try {
      return await this.#session.readEntry(dn, this.#attributes);
    } catch (error) {
      if (error instanceof DirectoryError && error.kind === 'absent') return undefined;
      throw error;
    }
  }

  async #allValues(group: Entry, attribute: string): Promise<string[]> {
    let values = valuesOf(group, attribute);
    let next = nextRange(group, attribute);
    for (let part = 0; next !== undefined; part++) {
      if (part >= MAX_RANGES || values.length > this.#maxEntries) throw this.#tooLarge();
      const entry = await this.#session.readEntry(group.dn, [`${attribute};range=${next}-*`]);
      values = values.concat(valuesOf(entry, attribute));
      const following = nextRange(entry, attribute);
      if (following !== undefined && following <= next)
        throw new DirectoryError('failed', `the server does not go on with the values of ${attribute}`);
      next = following;
    }
    return values;
  }

  async #findUsers(walk: Walk, users: readonly string[]): Promise<Entry[]> {
    const { base, userAttribute } = this.#settings;
    const found: Entry[] = [];
    const batches: string[][] = [];
    for (let at = 0; at < users.length; at += USERS_PER_SEARCH) batches.push(users.slice(at, at + USERS_PER_SEARCH));
    await each(batches, CONCURRENCY, async (batch) => {
      const tests = batch.map((name) => `(${userAttribute}=${escapeFilterValue(name)})`);
      const entries = await this.#search(base, `(|${tests.join('')})`);
      const names = new Set(
        entries.flatMap((entry) => valuesOf(entry, userAttribute)).map((name) => name.toLowerCase()),
      );
      walk.absent += batch.filter((name) => !names.has(name.toLowerCase())).length;
      found.push(...entries);
    });
    return found;
  }

  #tooLarge(): DirectoryError {
    return new DirectoryError('failed', `it has more than ${this.#maxEntries} members`);
  }
}

interface Walk {
  readonly definition: GroupDefinition;
  /** Entries that were taken, in comparable form. */
  readonly seen: Set<string>;
  readonly users: Set<string>;
  readonly addresses: Set<string>;
  members: number;
  absent: number;
  withoutAddress: number;
  badAddresses: number;
}

const NOTHING = { members: 0, absent: 0, withoutAddress: 0, badAddresses: 0 };

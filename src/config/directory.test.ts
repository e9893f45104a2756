import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseConfig } from './load.js';
import { comparableDn, parseDn } from './ldap-dn.js';
import { complainOfFilter, escapeFilterValue } from './ldap-filter.js';
import { ConfigError } from './problems.js';
import type { DirectorySettings } from './schema-directory.js';

const FOLDER = import.meta.dirname;

async function read(lines: string, folder = FOLDER): Promise<DirectorySettings | undefined> {
  const text = `directory:\n${lines.replace(/^/gm, '  ')}\n`;
  return (await parseConfig(text, folder)).config.directory;
}

async function problems(lines: string): Promise<readonly string[]> {
  try {
    await read(lines);
  } catch (error) {
    if (error instanceof ConfigError)
      return error.problems.map(
        (p) => `${p.place?.line ?? 0}: ${p.message}${p.hint === undefined ? '' : ` (${p.hint})`}`,
      );
    throw error;
  }
  return [];
}

const BASICS = 'url: ldap://ldap.example.org\nbase: dc=example,dc=org\n';

describe('directory: in gatepost.yaml', () => {
  it('takes the short forms', async () => {
    const settings = await read(
      `${BASICS}groups:\n  finance:\n  staff: cn=Staff,ou=Groups,dc=example,dc=org\n  bosses: (title=Manager)`,
    );
    expect(settings).toMatchObject({ url: ['ldap://ldap.example.org'], refresh: 900_000, maxAge: 86_400_000 });
    expect(settings?.groups).toEqual({
      finance: { place: { kind: 'name', name: 'finance' }, nested: true, lookup: 'members' },
      staff: { place: { kind: 'dn', dn: 'cn=Staff,ou=Groups,dc=example,dc=org' }, nested: true, lookup: 'members' },
      bosses: { place: { kind: 'filter', filter: '(title=Manager)' }, nested: true, lookup: 'members' },
    });
    const named = await read(`${BASICS}groups: [finance, staff]`);
    expect(Object.keys(named?.groups ?? {})).toEqual(['finance', 'staff']);
  });

  it('takes the long form', async () => {
    const settings = await read(
      `${BASICS}groups:\n  sales: { name: Sales Team, base: "ou=Groups,dc=example,dc=org", nested: false, lookup: memberOf }`,
    );
    expect(settings?.groups['sales']).toEqual({
      place: { kind: 'name', name: 'Sales Team', base: 'ou=Groups,dc=example,dc=org' },
      nested: false,
      lookup: 'memberOf',
    });
  });

  it('counts the CA file from the folder of the configuration', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'gatepost-directory-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = path.join(folder, 'ca.pem');
    await writeFile(file, '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n');
    const settings = await read(`${BASICS}ca: ./ca.pem\ngroups: [a]`, folder);
    expect(settings?.ca).toBe(file);
  });

  it.each([
    [
      'url: http://x\nbase: dc=x\ngroups: [a]',
      '2: `directory.url`: not the address of an LDAP server (write it as ldaps',
    ],
    [
      'url: ldap://u:p@x\nbase: dc=x\ngroups: [a]',
      '2: `directory.url`: a name and password do not stand in the address',
    ],
    ['url: "ldap://[::1]"\nbase: dc=x\ngroups: [a]', '2: `directory.url`: an IPv6 address cannot stand here'],
    ['url: ldap://x/dc=x\nbase: dc=x\ngroups: [a]', '2: `directory.url`: nothing stands behind the host and port'],
    ['url: ldaps://x\nstartTls: true\nbase: dc=x\ngroups: [a]', '3: `directory.startTls`: an ldaps:// connection'],
    ['url: ldap://x\ngroups: [a]', '2: `directory.base` is missing'],
    [`${BASICS}groups: { a: "cn Finance" }`, '4: `directory.groups.a`: not a distinguished name'],
    [`${BASICS}groups: { a: "(cn=Finance" }`, '4: `directory.groups.a`: not a search filter: a ")" is missing'],
    [`${BASICS}groups: { a: { filter: "cn=x" } }`, '4: `directory.groups.a.filter`: not a search filter'],
    [`${BASICS}groups: { a: { dn: cn=x, name: y } }`, '4: `directory.groups.a.name`: a group is found by one of dn'],
    [`${BASICS}groups: { a: { dm: cn=x } }`, '4: unknown key `directory.groups.a.dm` (did you mean `dn`?)'],
    [`${BASICS}groups: { "a b": cn=x }`, '4: `directory.groups.a b`: letters, digits'],
    [`${BASICS}bind: { dn: cn=x, password: "" }\ngroups: [a]`, '4: `directory.bind.password`: an empty password'],
    [`${BASICS}refresh: 100ms\ngroups: [a]`, '4: `directory.refresh`: must be from 1s to 7d'],
    [`${BASICS}ca: ./nothing.pem\ngroups: [a]`, `4: \`directory.ca\`: there is no file ${FOLDER}/nothing.pem`],
  ])('%s', async (lines, message) => {
    const [first = '', ...more] = await problems(lines);
    expect(first).toContain(message);
    expect(more).toEqual([]);
  });

  it('warns of a password that goes over the network in clear', async () => {
    const text = `directory:\n${`${BASICS}bind: { dn: cn=x, password: secret }\ngroups: [a]`.replace(/^/gm, '  ')}\n`;
    const { warnings } = await parseConfig(text, FOLDER);
    expect(warnings.map(({ message }) => message)).toEqual([
      '`directory.bind`: the password goes to ldap://ldap.example.org in clear',
    ]);
  });
});

describe('distinguished names', () => {
  it.each([
    ['CN=Finance,DC=Example', 'cn=finance, dc=example'],
    ['cn=A\\2c B,dc=x', 'cn=A\\, B,dc=x'],
    ['cn="A, B",dc=x', 'cn=A\\, B;dc=x'],
    ['cn=M\\C3\\BCller,dc=x', 'cn=Müller,dc=x'],
    ['cn=a+sn=b,dc=x', 'sn=b + cn=a,dc=x'],
    ['cn=a  b,dc=x', 'cn=a b,dc=x'],
  ])('%s is %s', (a, b) => expect(comparableDn(a)).toBe(comparableDn(b)));

  it.each(['Finance', 'cn=a,', 'cn=a\\', 'cn=a\\zz', 'cn="a', 'cn="a"b', '=a', 'c n=a', 'cn=a<b'])(
    '%s is none',
    (text) => expect(parseDn(text)).toBeUndefined(),
  );

  it('values differ that are not the same', () => {
    expect(comparableDn('cn=a\\,cn=b')).not.toBe(comparableDn('cn=a,cn=b'));
    expect(parseDn('cn=a\\ ')).toEqual([[{ type: 'cn', value: 'a ' }]]);
  });

  it('any text is read or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('cn=a,+"\\ ;#2C<é')) }), (text) => {
        const name = parseDn(text);
        expect(name === undefined || Array.isArray(name)).toBe(true);
      }),
    );
  });
});

describe('filters', () => {
  it.each([
    '(cn=a)',
    '(&(objectClass=person)(|(title=*)(!(cn=a*b*))))',
    '(memberOf:1.2.840.113556.1.4.1941:=CN=Sales,OU=Groups,DC=example,DC=org)',
    '(cn:dn:2.5.13.5:=x)',
    '(:2.5.13.5:=x)',
    '(cn>=5)',
    '(cn=\\28x\\29)',
    '(cn=)',
    '(cn;lang-de=ä)',
  ])('%s is one', (text) => expect(complainOfFilter(text)).toBeUndefined());

  it.each([
    'cn=a',
    '(cn=a',
    '(cn=a))',
    '()',
    '(cn)',
    '(&)',
    '(cn=a\\zz)',
    '(c n=a)',
    '(cn>=a*)',
    '(!(cn=a)(cn=b))',
    '(:=x)',
    '('.repeat(5000),
    `${'(!'.repeat(100)}(cn=a)${')'.repeat(100)}`,
  ])('%s is none', (text) => expect(complainOfFilter(text)).toBeTypeOf('string'));

  it('an escaped value never leaves its place', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const escaped = escapeFilterValue(value);
        expect(complainOfFilter(`(cn=${escaped})`)).toBeUndefined();
        expect(escaped).not.toMatch(/[()*\0]/);
      }),
    );
  });
});

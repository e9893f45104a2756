import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { directorySchema, type DirectorySettings } from '../../src/config/schema-directory.js';
import { readDirectory, type GroupFailure } from '../../src/directory/read.js';
import { openSession } from '../../src/directory/session.js';
import type { GroupReading } from '../../src/directory/types.js';
import { GroupWalker } from '../../src/directory/walk.js';
import { ADMIN, BASE, CA, HAS_SLAPD, LIMITED, PASSWORD, startSlapd, type Slapd } from '../support/slapd.js';

const PEOPLE = `ou=People,${BASE}`;
const GROUPS = `ou=Groups,${BASE}`;
const MANY = 20_000;

function person(uid: string, mail: string | readonly string[] = `${uid}@example.org`, more = ''): string {
  const mails = (typeof mail === 'string' ? [mail] : mail).map(
    (value) => `mail:: ${Buffer.from(value).toString('base64')}\n`,
  );
  return `dn: uid=${uid},${PEOPLE}\nobjectClass: inetOrgPerson\nobjectClass: inetLocalMailRecipient\nuid: ${uid}\ncn: ${uid}\nsn: ${uid}\n${mails.join('')}${more}\n`;
}

function group(cn: string, members: readonly string[]): string {
  const lines = members.map((member) => `member:: ${Buffer.from(member).toString('base64')}\n`).join('');
  return `dn: cn=${cn},${GROUPS}\nobjectClass: groupOfNames\ncn: ${cn}\n${lines}\n`;
}

const uid = (name: string): string => `uid=${name},${PEOPLE}`;
const cn = (name: string): string => `cn=${name},${GROUPS}`;

const LDIF = [
  ...['People', 'Groups', 'Hidden'].map((ou) => `dn: ou=${ou},${BASE}\nobjectClass: organizationalUnit\nou: ${ou}\n\n`),
  person('anna', ['Anna@Example.org', 'a.bauer@example.org'], 'title: Manager\n'),
  person('bert', 'bert@example.org', 'title: Manager\n'),
  person('carl'),
  person('nomail', []),
  person('evil', ['*@example.org', 'x@example.org\nbcc: y@z', 'two words@example.org', 'noat', 'a?b@example.org']),
  `dn: cn=secret,ou=Hidden,${BASE}\nobjectClass: organizationalRole\ncn: secret\n\n`,
  `dn: cn=Doe\\, John,${PEOPLE}\nobjectClass: inetOrgPerson\ncn: Doe, John\nsn: Doe\nuid: jdoe\nmail: john@example.org\n\n`,
  group('finance', [
    uid('anna'),
    uid('bert').toUpperCase().replace(',', ' , '),
    uid('gone'),
    uid('nomail'),
    uid('evil'),
  ]),
  group('all', [cn('finance'), cn('ring-a'), `cn=Doe\\2C John,${PEOPLE}`]),
  group('ring-a', [cn('ring-b'), uid('carl')]),
  group('ring-b', [cn('ring-a'), uid('bert')]),
  group('hidden', [`cn=secret,ou=Hidden,${BASE}`]),
  group('deep-0', [uid('anna')]),
  ...Array.from({ length: 12 }, (_, i) => group(`deep-${i + 1}`, [cn(`deep-${i}`)])),
  `dn: cn=unix,${GROUPS}\nobjectClass: posixGroup\ncn: unix\ngidNumber: 5\nmemberUid: anna\nmemberUid: bert\nmemberUid: no)(uid=*\nmemberUid: gone\n\n`,
  `dn: cn=unique,${GROUPS}\nobjectClass: groupOfUniqueNames\ncn: unique\nuniqueMember: ${uid('anna')}#'01'B\n\n`,
  `dn: cn=empty,${GROUPS}\nobjectClass: posixGroup\ncn: empty\ngidNumber: 6\n\n`,
  ...Array.from({ length: MANY }, (_, i) => person(`u${i}`, `u${i}@many.example`, 'title: Many\n')),
  group(
    'many',
    Array.from({ length: MANY }, (_, i) => uid(`u${i}`)),
  ),
].join('');

describe.skipIf(!HAS_SLAPD)('groups of OpenLDAP', () => {
  let server: Slapd;
  beforeAll(async () => {
    server = await startSlapd(LDIF);
  });
  afterAll(async () => await server.remove());

  function settings(groups: unknown, more: Readonly<Record<string, unknown>> = {}): DirectorySettings {
    return directorySchema.parse({
      url: server.url,
      base: BASE,
      bind: { dn: ADMIN, password: PASSWORD },
      groups,
      ...more,
    });
  }

  async function read(
    groups: unknown,
    more?: Readonly<Record<string, unknown>>,
  ): Promise<Readonly<Record<string, GroupReading | GroupFailure>>> {
    const reading = await readDirectory(settings(groups, more));
    if (reading.kind === 'failed') throw new Error(reading.reason);
    return reading.groups;
  }

  async function addresses(definition: unknown, more?: Readonly<Record<string, unknown>>): Promise<unknown> {
    const { it } = await read({ it: definition }, more);
    return it === undefined || 'failure' in it ? it : it.addresses;
  }

  it('members by their names, with what is broken counted and left out', async () => {
    expect(await read(['finance'])).toEqual({
      finance: {
        addresses: ['a.bauer@example.org', 'anna@example.org', 'bert@example.org'],
        members: 4,
        absent: 1,
        withoutAddress: 2,
        badAddresses: 5,
      },
    });
  });

  it('a group by DN, by cn, and by filter', async () => {
    const finance = ['a.bauer@example.org', 'anna@example.org', 'bert@example.org'];
    expect(await addresses(cn('finance'))).toEqual(finance);
    expect(await addresses({ name: 'finance', base: GROUPS })).toEqual(finance);
    expect(await addresses('(title=Manager)')).toEqual(finance);
    expect(await addresses({ filter: '(&(objectClass=groupOfNames)(cn=finance))' })).toEqual(finance);
  });

  it('groups in groups, also in a ring, and a comma in a name', async () => {
    const all = ['a.bauer@example.org', 'anna@example.org', 'bert@example.org', 'carl@example.org', 'john@example.org'];
    expect(await addresses(cn('all'))).toEqual(all);
    expect(await addresses({ dn: cn('all'), nested: false })).toEqual(['john@example.org']);
    expect(await addresses(cn('ring-a'))).toEqual(['bert@example.org', 'carl@example.org']);
  });

  it('is not cut where groups are nested too deep: that is said', async () => {
    expect(await addresses(cn('deep-9'))).toEqual(['a.bauer@example.org', 'anna@example.org']);
    expect(await addresses(cn('deep-12'))).toEqual({ failure: 'groups are nested deeper than 10 levels' });
  });

  it('memberUid and uniqueMember; a user name cannot break out of the filter', async () => {
    const { unix, unique, empty } = await read(['unix', 'unique', 'empty']);
    expect(unix).toMatchObject({
      addresses: ['a.bauer@example.org', 'anna@example.org', 'bert@example.org'],
      absent: 2,
    });
    expect(unique).toMatchObject({ addresses: ['a.bauer@example.org', 'anna@example.org'] });
    expect(empty).toMatchObject({ addresses: [], members: 0 });
  });

  it('the members name the group (memberOf)', async () => {
    const ldap = await openSession(settings(['finance']));
    await ldap.close();
    // slapadd leaves memberOf out: the filter alone decides what is found.
    expect(await addresses({ filter: `(memberOf=${cn('finance')})` })).toEqual([]);
  });

  it('one bad group does not stop the others', async () => {
    const groups = await read({ nowhere: cn('nowhere'), nobody: null, hidden: cn('hidden'), unique: null });
    expect(groups['nowhere']).toEqual({ failure: `${cn('nowhere')}: there is no such entry` });
    expect(groups['nobody']).toEqual({ failure: `there is no group with cn=nobody below ${BASE}` });
    expect(groups['hidden']).toEqual({ failure: 'none of its 1 members can be read: may the login see them?' });
    expect(groups['unique']).toMatchObject({ members: 1 });
  });

  it('20,000 members, although the server gives 500 entries at most in one answer', async () => {
    const { many, found } = await read({ many: null, found: '(title=Many)' }, { pageSize: 400 });
    expect(many).toMatchObject({ members: MANY, absent: 0, badAddresses: 0 });
    expect(found).toEqual(many);
    // A server whose bound is for all pages together: that is a failure, and never half a list.
    const over = await read({ found: '(title=Many)' }, { bind: { dn: LIMITED, password: PASSWORD } });
    expect(over['found']).toEqual({ failure: expect.stringContaining('size limit') as unknown });
  });

  it('has a bound on the members of a group', async () => {
    const session = await openSession(settings(['finance']));
    const walker = new GroupWalker(session, settings(['finance']), 3);
    const definition = settings(['finance']).groups['finance'];
    if (definition === undefined) throw new Error('no definition');
    await expect(walker.read(definition)).rejects.toThrow('it has more than 3 members');
    await session.close();
  });

  it('a wrong password is said without it, and the next server is not tried', async () => {
    const reading = await readDirectory(
      settings(['finance'], { url: [server.url, 'ldap://127.0.0.1:1'], bind: { dn: ADMIN, password: 'hunter2' } }),
    );
    expect(reading).toEqual({ kind: 'failed', failure: 'refused', reason: `${server.url}: wrong name or password` });
  });

  it('the next server is tried when the first does not answer', async () => {
    expect(await addresses(null, { url: ['ldap://127.0.0.1:1', server.url], groups: ['unique'] })).toBeUndefined();
    const reading = await readDirectory(settings(['unique'], { url: ['ldap://127.0.0.1:1', server.url] }));
    expect(reading).toMatchObject({ kind: 'read' });
    const none = await readDirectory(settings(['unique'], { url: 'ldap://127.0.0.1:1' }));
    expect(none).toEqual({ kind: 'failed', failure: 'unreachable', reason: 'ldap://127.0.0.1:1: connection refused' });
  });

  it('TLS with a CA of its own, from the start and by StartTLS; without the CA it is refused', async () => {
    for (const more of [{ url: server.secureUrl }, { startTls: true }]) {
      expect(await readDirectory(settings(['unique'], { ...more, ca: CA }))).toMatchObject({ kind: 'read' });
      const untrusted = await readDirectory(settings(['unique'], more));
      expect(untrusted).toMatchObject({ kind: 'failed', failure: 'unreachable' });
      expect(JSON.stringify(untrusted)).toContain('SELF_SIGNED');
    }
  });
});

/** A server that takes connections, and hands what comes to `answer`. */
async function fakeServer(
  answer: (socket: Socket, data: Buffer) => void,
): Promise<{ readonly url: string; readonly server: Server; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => answer(socket, data));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `ldap://127.0.0.1:${address.port}`,
    server,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('servers that do not behave', () => {
  it.each([
    ['says nothing', () => undefined],
    [
      'begins an answer of 2 GB',
      (socket: Socket) => socket.write(Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x02])),
    ],
    ['speaks another protocol', (socket: Socket) => socket.write('220 mx.example.org ESMTP\r\n')],
    ['ends the connection', (socket: Socket) => socket.end()],
  ] as const)('one that %s costs no more than the timeout', async (_, answer) => {
    const fake = await fakeServer(answer);
    const given = {
      url: fake.url,
      base: BASE,
      groups: ['x'],
      timeout: '300ms',
      bind: { dn: ADMIN, password: 'hunter2' },
    };
    try {
      for (const more of [{}, { startTls: true }, { url: fake.url.replace('ldap:', 'ldaps:') }]) {
        const began = performance.now();
        const reading = await readDirectory(directorySchema.parse({ ...given, ...more }));
        expect(reading).toMatchObject({ kind: 'failed', failure: 'unreachable' });
        expect(performance.now() - began).toBeLessThan(5_000);
        expect(JSON.stringify(reading)).not.toContain('hunter2');
      }
    } finally {
      await fake.close();
    }
  });
});

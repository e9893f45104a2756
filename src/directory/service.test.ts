import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { directorySchema } from '../config/schema-directory.js';
import { silentLog } from '../telemetry/log.js';
import type { DirectoryReading } from './read.js';
import { openDirectory, readCopies } from './service.js';

const settings = directorySchema.parse({ url: 'ldap://x.test', base: 'dc=x', groups: ['a', 'b'] });
let data = '';

beforeEach(async () => (data = await mkdtemp(path.join(os.tmpdir(), 'gatepost-directory-'))));
afterEach(async () => await rm(data, { recursive: true, force: true }));

function reading(a: readonly string[]): DirectoryReading {
  const counts = { members: a.length, absent: 0, withoutAddress: 0, badAddresses: 0 };
  return { kind: 'read', groups: { a: { addresses: a, ...counts }, b: { failure: 'gone' } } };
}

it('an emptied group is taken when the next reading confirms it; a failure keeps the copy', async () => {
  const answers: DirectoryReading[] = [
    reading(['x@y.test']),
    { kind: 'failed', failure: 'unreachable', reason: 'down' },
    reading([]),
    reading([]),
  ];
  const held: (readonly string[] | undefined)[] = [];
  const service = await openDirectory({
    settings,
    data,
    log: silentLog(),
    onChange: () => undefined,
    read: async () => Promise.resolve(answers.shift() ?? reading([])),
  });
  for (let i = 0; i < 4; i++) {
    await service.refresh();
    held.push(service.snapshot.groups.get('a'));
  }
  await service.close();
  expect(held).toEqual([['x@y.test'], ['x@y.test'], ['x@y.test'], []]);
  expect(service.states[1]).toEqual({ name: 'b', stale: false, failure: 'gone' });
});

it('a damaged copy is not used, and that is said; a copy of another definition is none', async () => {
  const service = await openDirectory({
    settings,
    data,
    log: silentLog(),
    onChange: () => undefined,
    read: async () => Promise.resolve(reading(['x@y.test'])),
  });
  await service.refresh();
  await service.close();
  const later = Date.now() + 2 * 86_400_000;
  expect((await readCopies(data, settings, later))[0]).toMatchObject({
    stale: true,
    copy: { addresses: ['x@y.test'] },
  });
  const other = { ...settings, base: 'dc=y' };
  expect((await readCopies(data, other))[0]).toEqual({ name: 'a', stale: false });
  await writeFile(path.join(data, 'directory', 'a.json'), '{"version":1');
  expect((await readCopies(data, settings))[0]).toEqual({ name: 'a', stale: false, failure: 'its copy is damaged' });
});

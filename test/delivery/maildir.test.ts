import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openHop } from '../../src/delivery/hop.js';
import { maildirHop } from '../../src/delivery/maildir.js';
import { durableFiles } from '../../src/store/files.js';
import { content, TEXT } from './set-up.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-maildir-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const mail = {
  id: 'T',
  sender: 'a@x.test',
  recipients: [{ address: 'b@x.test' }, { address: 'c@x.test' }],
  content: content(),
  smtpUtf8: false,
  eightBit: true,
};

test('one file for each mail, with the envelope on top and the bytes as they are', async () => {
  const hop = openHop('maildir:./in/box', { hostname: 'gw.test', folder });
  const results = await Promise.all(Array.from({ length: 30 }, () => hop.send(mail)));
  expect(results.flatMap(({ recipients }) => recipients.map(({ state }) => state))).toEqual(
    Array(60).fill('delivered'),
  );
  const names = await readdir(path.join(folder, 'in/box/new'));
  expect(names.length).toBe(30);
  expect(await readdir(path.join(folder, 'in/box/tmp'))).toEqual([]);
  expect(await readFile(path.join(folder, 'in/box/new', names[0] ?? ''), 'utf8')).toBe(
    `Return-Path: <a@x.test>\r\nDelivered-To: b@x.test\r\nDelivered-To: c@x.test\r\n${TEXT}`,
  );
});

test('an address cannot bring a field along', async () => {
  const hop = openHop('maildir:box', { hostname: 'gw.test', folder });
  await hop.send({ ...mail, sender: 'a@x.test>\r\nX-Evil: yes', recipients: [{ address: 'b\nX-Evil: yes' }] });
  const [name = ''] = await readdir(path.join(folder, 'box/new'));
  expect(await readFile(path.join(folder, 'box/new', name), 'utf8')).not.toMatch(/^X-Evil/m);
});

test('a disk that fails is a failure of the hop, without a path in the reply; the folders are made again', async () => {
  const broken = durableFiles({
    open: () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' })),
    rename: () => Promise.resolve(),
    unlink: () => Promise.resolve(),
  });
  const target = { kind: 'maildir', folder: path.join(folder, 'box'), name: 'maildir:box' } as const;
  const result = await maildirHop(target, broken).send(mail);
  expect(result.hopFailed).toBe(true);
  expect(result.recipients[0]).toMatchObject({ state: 'deferred', reply: { code: 452, enhanced: '4.3.1' } });
  expect(JSON.stringify(result)).not.toContain(folder);
  const hop = maildirHop(target);
  await hop.send(mail);
  await rm(path.join(folder, 'box'), { recursive: true });
  expect((await hop.send(mail)).hopFailed).toBe(true);
  expect((await hop.send(mail)).hopFailed).toBe(false);
});

import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { parseConfig, type Config } from '../../config/load.js';
import { createLog, silentLog } from '../../telemetry/log.js';
import { webhooksInForce } from './hook.js';

it('the webhooks are those of the configuration in force; one that cannot be used leaves those before', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-hooks-'));
  const ca = path.join(folder, 'ca.pem');
  await copyFile(path.join(import.meta.dirname, '../../../test/fixtures/tls/expired.pem'), ca);
  const of = async (...hooks: string[]): Promise<Config> =>
    (await parseConfig(`notifications: { webhooks: [${hooks.join(', ')}] }\n`, folder)).config;
  const one = '{ url: "https://one.example/", secret: 0123456789abcdef }';
  const two = '{ url: "https://two.example/", secret: 0123456789abcdef, ca: ca.pem }';
  let config = await of(one);
  const both = await of(one, two);
  const hooks = webhooksInForce(() => config, silentLog());
  expect(hooks().map(({ name }) => name)).toEqual(['https://one.example']);
  config = both;
  expect(hooks().map(({ ca: text }) => text?.slice(0, 10))).toEqual([undefined, '-----BEGIN']);
  config = await of(two);
  await rm(ca);
  // The one before it had a file that could be read.
  expect(hooks()).toHaveLength(2);
  config = await of();
  expect(hooks()).toEqual([]);
  await rm(folder, { recursive: true });
});

it('only a list that has changed is told of', async () => {
  const lines: string[] = [];
  const output = new Writable({
    write: (chunk: Buffer, _, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const of = async (url: string): Promise<Config> =>
    (await parseConfig(`notifications: { webhooks: [{ url: "${url}", secret: 0123456789abcdef }] }\n`, '/')).config;
  let config = await of('https://one.example/');
  const hooks = webhooksInForce(() => config, createLog({ level: 'info', pretty: false }, output));
  const before = hooks();
  config = await of('https://one.example/');
  expect(hooks()).toBe(before);
  expect(lines).toEqual([]);
  config = await of('https://two.example/');
  expect(hooks().map(({ name }) => name)).toEqual(['https://two.example']);
  expect(lines).toHaveLength(1);
  config = await of('https://one.example/');
  hooks();
  expect(lines).toHaveLength(2);
});

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeSite, runGatepost, type Site } from '../support/gateway.js';

let elsewhere: string;
let site: Site;

beforeEach(async () => {
  elsewhere = await mkdtemp(path.join(os.tmpdir(), 'gatepost-elsewhere-'));
  site = await makeSite('domains: ["example.org"]\nlog: { levle: info }\n');
});

afterEach(async () => {
  Reflect.deleteProperty(process.env, 'GATEPOST_CONFIG');
  await rm(elsewhere, { recursive: true });
  await site.remove();
});

it.each([['queue', 'list'], ['trace', '01J00000000000000000000000'], ['status'], ['rules']])(
  '%s in a folder without gatepost.yaml says that all is default, but not to scripts',
  async (...args) => {
    const { stdout, stderr } = await runGatepost([...args, '--json'], elsewhere);
    expect(stderr).toContain(`note: there is no gatepost.yaml in ${elsewhere}: all is default`);
    expect(stdout).not.toContain('note:');
  },
);

it('the configuration is what --config names, else what GATEPOST_CONFIG names', async () => {
  process.env['GATEPOST_CONFIG'] = site.config;
  const named = await runGatepost(['queue', 'list'], elsewhere);
  expect(named.stderr).toContain('unknown key `log.levle`');
  expect(named.status).toBe(1);
  const given = await runGatepost(['queue', 'list', '--config', path.join(elsewhere, 'none.yaml')], elsewhere);
  expect(given.stderr).toContain('none.yaml');
  process.env['GATEPOST_CONFIG'] = '';
  expect((await runGatepost(['queue', 'list'], elsewhere)).stderr).toContain('all is default');
});

import { expect, it } from 'vitest';
import { statusText } from './status-text.js';

const NOW = Date.parse('2026-05-04T10:00:00Z');
const node = {
  ...{
    name: 'gw1',
    roles: ['gateway', 'worker'],
    comment: 'rack 2',
    pid: 7,
    started: '2026-05-04T09:00:00.000Z',
    uptime: 3_600_000,
  },
  listen: [{ host: '::1', port: 25, implicitTls: true }],
};
const rules = {
  ...{
    folder: '/etc/gatepost/rules',
    count: 2,
    loadedAt: '2026-05-04T09:00:00.000Z',
    hash: 'd93bc3ff92224',
    reloads: 1,
  },
  waiting: ['smtp.listen'],
  lastReload: { at: '2026-05-04T09:30:00.000Z', ok: false, problems: [{ message: 'no such list: @vip' }] },
};

it('says what is in force, what was refused, and what waits for a restart', () => {
  expect(statusText({ version: '1.0', node, rules }, NOW)).toBe(`Gatepost 1.0
  node     gw1 (rack 2), gateway, worker, process 7
  up       60 min, since 2026-05-04T09:00:00.000Z
  listens  tls://[::1]:25
  rules    2 of /etc/gatepost/rules, set d93bc3ff9222, loaded 2026-05-04T09:00:00.000Z, changed once since the start
           what was changed is refused since 2026-05-04T09:30:00.000Z: no such list: @vip
           waits for a restart: smtp.listen`);
});

it('folds lines at the width of the terminal, below where they begin', () => {
  const processes = [{ process: 2, unknown: 'the gateway does not answer in time' }];
  expect(statusText({ processes }, NOW, 40)).toBe(`Gatepost
  processes  2: the gateway does not
             answer in time`);
});

it('a section that is not as it should be is left out', () => {
  expect(statusText({ node, rules: { hash: 7 }, mail: 'x' }, NOW)).not.toMatch(/rules|mail/);
});

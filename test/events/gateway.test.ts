import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askControl, NotRunningError } from '../../src/gateway/control/socket.js';
import { startFakeClamd, type FakeClamd } from '../support/fake-clamd.js';
import { startFakeSmtp } from '../support/fake-smtp.js';
import { freePort } from '../support/free-port.js';
import { makeSite, runGatepost, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { until } from '../support/until.js';

interface Condition {
  readonly event: string;
  readonly severity: string;
  readonly subject: string;
}

let site: Site;
let gateway: RunningGateway;
let clamd: FakeClamd;
let hopPort: number;
const list = (): string => path.join(site.folder, 'phishing.txt');
const data = (): string => path.join(site.folder, 'data');

beforeAll(async () => {
  clamd = await startFakeClamd();
  // Over three times the limit.
  const [weekday = '', day, month, year, time] = new Date(Date.now() - 28 * 86_400_000).toUTCString().split(/,? /);
  clamd.version = `ClamAV 1.4.6/27823/${weekday} ${month} ${day} ${time} ${year}`;
  hopPort = await freePort();
  const config = [
    'node: { name: gw1 }',
    'smtp: { listen: "127.0.0.1:0" }',
    `delivery: { nextHop: "smtp://127.0.0.1:${hopPort}?tls=off" }`,
    'health: 1s',
    'detectors:',
    `  antivirus: { clamd: "${clamd.address}", maxDatabaseAge: 7d }`,
    '  links: { lists: [phishing.txt] }',
    '',
  ].join('\n');
  site = await makeSite(config, { 'phishing.txt': 'bad.example\n' });
  gateway = await startGatewayProcess(site);
});
afterAll(async () => {
  await gateway.kill();
  await clamd.close();
  await site.remove();
});

async function conditions(): Promise<readonly Condition[]> {
  const answer = await askControl(data(), 'status');
  return (answer as { readonly events: readonly Condition[] }).events;
}

async function raised(event: string): Promise<void> {
  await until(`${event} to be raised`, async () => (await conditions()).some((one) => one.event === event));
}

async function over(event: string): Promise<void> {
  await until(`${event} to be over`, async () => !(await conditions()).some((one) => one.event === event));
}

describe('a gateway raises and resolves what it knows of', () => {
  it('next-hop-unavailable: by the health check, without any mail', async () => {
    await raised('next-hop-unavailable');
    const sink = await startFakeSmtp({ port: hopPort });
    await over('next-hop-unavailable');
    await sink.close();
    await raised('next-hop-unavailable');
  });

  it('detector-unavailable, and databases that are far too old', async () => {
    await raised('antivirus-databases-outdated');
    expect((await conditions()).find(({ event }) => event === 'antivirus-databases-outdated')).toMatchObject({
      subject: 'antivirus',
      severity: 'critical',
    });
    clamd.behaviour = { kind: 'say', text: 'no' };
    await raised('detector-unavailable');
    clamd.behaviour = { kind: 'scan' };
    await over('detector-unavailable');
  });

  it('database-update-failed: a list that cannot be taken over', async () => {
    await rm(list());
    await raised('database-update-failed');
    await writeFile(list(), 'bad.example\nworse.example\n');
    await over('database-update-failed');
    await rm(list());
    await raised('database-update-failed');
    // It is not wanted any more.
    const config = await readFile(site.config, 'utf8');
    await writeFile(site.config, config.replace('links: { lists: [phishing.txt] }', 'links: {}'));
    await over('database-update-failed');
  });

  it('gatepost events has them from the store', async () => {
    const listed = await until('the store', async () => {
      const { stdout } = await runGatepost(['events', '--json', '--config', site.config]);
      const answer = JSON.parse(stdout) as { readonly active: readonly object[]; readonly resolved: readonly object[] };
      return answer.active.length > 0 && answer.resolved.length > 0 ? answer : undefined;
    });
    expect(listed.active).toContainEqual(
      expect.objectContaining({ event: 'antivirus-databases-outdated', group: 'protection', node: 'gw1' }),
    );
    expect(listed.resolved).toContainEqual(
      expect.objectContaining({ event: 'detector-unavailable', resolvedAt: expect.any(String) as string }),
    );
    const { stdout } = await runGatepost(['events', '--all', '--config', site.config]);
    expect(stdout).toMatch(/\nprotection\n(\S.*\n)*antivirus-databases-outdated +critical +gw1 +antivirus /);
    expect(stdout).not.toContain('\x1b');
  });

  it('gatepost status shows how it stands, and that nobody but its account may ask', async () => {
    expect(await askControl(data(), 'status')).toMatchObject({
      node: { name: 'gw1', pid: gateway.process.pid },
      mail: { received: 0 },
      spool: { items: 0 },
      queue: { available: true },
      store: { available: true },
      hops: [{ failures: expect.any(Number) as number }],
    });
    const { status, stdout } = await runGatepost(['status', '--config', site.config]);
    expect(status).toBe(0);
    for (const part of ['gw1', 'received', 'next hops', 'antivirus: up', 'antivirus-databases-outdated'])
      expect(stdout).toContain(part);
    expect((await stat(path.join(data(), 'control'))).mode & 0o777).toBe(0o700);
    expect((await stat(path.join(data(), 'control', 'sock'))).mode & 0o777).toBe(0o600);
    await expect(askControl(data(), 'constructor')).rejects.toThrow('no such request');
    await expect(askControl(site.folder, 'status')).rejects.toThrow(NotRunningError);
  });

  it('and says so plainly when it does not run, also after a kill', async () => {
    await gateway.kill();
    const killed = await runGatepost(['status', '--config', site.config]);
    expect(killed).toMatchObject({ status: 1, stdout: '' });
    expect(killed.stderr).toContain('does not run');
    gateway = await startGatewayProcess(site);
    expect((await runGatepost(['status', '--json', '--config', site.config])).status).toBe(0);
    await gateway.stop();
    expect((await runGatepost(['status', '--json', '--config', site.config])).status).toBe(1);
  });
});

import { expect, it } from 'vitest';
import { parseConfig } from '../../config/load.js';
import type { InspectPool } from '../../pipeline/pool.js';
import type { RuleBundle } from '../../rules/model.js';
import { packList } from '../../rules/packed-list.js';
import type { SmtpService } from '../../smtp/smtp-service.js';
import { silentLog } from '../../telemetry/log.js';
import { finishSetup, type Setup } from '../setup.js';
import { applier, DetectorWatchers } from './apply.js';

async function setupOf(text: string): Promise<Setup> {
  return await finishSetup('gateway', await parseConfig(`domains: [a.example]\n${text}`, '/nowhere'));
}

interface Opened {
  readonly apply: ReturnType<typeof applier>;
  readonly told: readonly { readonly bundle: RuleBundle; readonly newThreads: boolean }[];
  /** The directory's groups, to be changed. */
  readonly group: { lists: RuleBundle['lists'] };
}

/** An applier over a pool that notes what it is told. */
async function open(replace: (setup: Setup) => Promise<void>): Promise<Opened> {
  const first = await setupOf('');
  const log = silentLog();
  const told: { bundle: RuleBundle; newThreads: boolean }[] = [];
  const pool: Pick<InspectPool, 'reload'> = {
    reload: (bundle, specs, more) => {
      told.push({ bundle, newThreads: specs !== undefined });
      more?.inForce?.();
      return Promise.resolve();
    },
  };
  const smtp: Pick<SmtpService, 'prepare'> = { prepare: () => Promise.resolve(() => undefined) };
  const group: Opened['group'] = { lists: { 'ldap:board': packList(['x@a.example']) } };
  const apply = applier(
    {
      pool,
      smtp,
      health: { replace },
      watchers: new DetectorWatchers(first.specs, log, () => undefined),
      withGroups: (bundle) => ({ ...bundle, ...group }),
      log,
    },
    first,
  );
  return { apply, told, group };
}

it('a changed interval of health is taken by the watch over the engines, and the threads stay', async () => {
  const intervals: number[] = [];
  const { apply, told } = await open(({ config }) => {
    intervals.push(config.health);
    return Promise.resolve();
  });
  await apply(await setupOf('health: 77s\n'), () => undefined);
  await apply(await setupOf('health: 77s\n'), () => undefined);
  expect(intervals).toEqual([77_000]);
  expect(told.map(({ newThreads }) => newThreads)).toEqual([false, false]);
});

it('other modules get threads of their own', async () => {
  const { apply, told } = await open(() => Promise.resolve());
  await apply(await setupOf('detectors: { content: {} }\n'), () => undefined);
  expect(told.map(({ newThreads }) => newThreads)).toEqual([true]);
});

it('a watch over the engines that cannot be renewed does not make the set one that is not applied', async () => {
  let [tries, inForce] = [0, false];
  const { apply } = await open(() => {
    tries++;
    return Promise.reject(new Error('no engine'));
  });
  await apply(await setupOf('health: 77s\n'), () => (inForce = true));
  expect(inForce).toBe(true);
  expect(tries).toBe(1);
});

it("a changed set has the directory's groups as they are in that moment", async () => {
  const { apply, told, group } = await open(() => Promise.resolve());
  group.lists = { 'ldap:board': packList(['x@a.example', 'y@a.example']) };
  await apply(await setupOf(''), () => undefined);
  expect(told[0]?.bundle.lists).toBe(group.lists);
});

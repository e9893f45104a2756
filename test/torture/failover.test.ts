import { describe, expect, it } from 'vitest';
import { startRedisServer } from '../support/redis-server.js';
import { redisMissing } from '../support/redis.js';
import { until } from '../support/until.js';
import { PATIENCE, settled } from './fleet-state.js';
import { startFleet } from './fleet.js';
import { HOOK_SECRET, startHookReceiver } from './hook-receiver.js';
import { judge } from './judge.js';
import { Load } from './load.js';
import { fickle, KIND, moody } from './moods.js';
import { seeded } from './random.js';
import { Records } from './records.js';
import { list } from './report.js';
import { tortureSettings } from './settings.js';
import { readFrom } from './stored.js';

const settings = tortureSettings(1);
/** Mails that are acknowledged before the primary dies, and after. */
const MAILS = 150;

describe.skipIf(redisMissing || !settings.long)('gateways and workers on a Redis with a Sentinel', () => {
  it(
    'the primary dies under load: nothing that was acknowledged is lost, and each is told once',
    async () => {
      const { seed } = settings;
      const random = seeded(seed);
      const [ofHop, ofServer] = [new Records(seed), new Records(seed)];
      const primary = await startRedisServer(['appendonly yes']);
      const replica = await startRedisServer(['appendonly yes', `replicaof 127.0.0.1 ${primary.port}`]);
      const sentinel = await startRedisServer(
        [
          `sentinel monitor gate 127.0.0.1 ${primary.port} 1`,
          'sentinel down-after-milliseconds gate 500',
          'sentinel failover-timeout gate 3000',
        ],
        ['--sentinel'],
      );
      const receiver = await startHookReceiver(random);
      receiver.calm();
      const fleet = await startFleet({
        gateways: 2,
        workers: 2,
        queue: `redis+sentinel://127.0.0.1:${sentinel.port}/gate`,
        webhook: { url: receiver.url, secret: HOOK_SECRET },
        hop: { script: moody(random), records: ofHop },
        server: { script: fickle(random), records: ofServer },
      });
      try {
        await Promise.all(fleet.nodes.map(async ({ process: { ready } }) => await ready));
        await until('gateways that take mail', () => Promise.resolve(fleet.balancer.ready.length === 2));
        const load = new Load(seed, 6, 50);
        load.port = fleet.balancer.port;
        const enough = async (mails: number): Promise<void> => {
          await until('mail', () => Promise.resolve(load.acknowledged.length >= mails), PATIENCE);
        };
        await enough(MAILS);
        await primary.kill();
        await enough(load.acknowledged.length + MAILS);
        await load.stop();
        fleet.hop.script = KIND;
        fleet.server.script = {};
        const calmed = await settled(fleet);
        await Promise.all(fleet.nodes.map(async (node) => await node.end('stop')));
        const stored = await readFrom(fleet.store.connection);
        const { acknowledged } = load;
        // Nothing but Redis died: only a 250 that was lost on its way excuses a second one.
        const cause = (_: string, { told }: { readonly told: boolean }) =>
          told ? undefined : { name: '250 that did not reach us' };
        const verdict = judge({ acknowledged, kills: [], hop: ofHop, server: ofServer, stored, cause });
        process.stdout.write(
          `\nfailover of Redis, seed ${seed}: ${acknowledged.length} acknowledged, lost ${verdict.lost.length}, duplicates ${list(verdict.duplicates)}, well after ${(calmed / 1000).toFixed(1)} s\n`,
        );
        const { lost, strays, damaged, unexplained, untrue } = verdict;
        expect({ lost, strays, damaged, unexplained, untrue }).toEqual({
          lost: [],
          strays: [],
          damaged: [],
          unexplained: [],
          untrue: [],
        });
        expect([...receiver.taken.values()].filter((calls) => calls.length > 1)).toEqual([]);
        expect(fleet.deaths).toEqual([]);
      } finally {
        await fleet.dispose();
        await receiver.close();
        await Promise.all([sentinel.dispose(), replica.dispose(), primary.dispose()]);
      }
    },
    PATIENCE * 4,
  );
});

import { describe, expect, it } from 'vitest';
import { startFakeSmtp } from '../support/fake-smtp.js';
import { redisMissing, startRedis } from '../support/redis.js';
import { judge } from './judge.js';
import { errorsIn, live, quiet } from './lives.js';
import { Load } from './load.js';
import { fickle, KIND, moody } from './moods.js';
import { corrupt, makeTortureSite, unsettled } from './places.js';
import { seeded } from './random.js';
import { Records } from './records.js';
import { linesAbout, report } from './report.js';
import { tortureSettings } from './settings.js';
import { readStored } from './stored.js';

const settings = tortureSettings(2, 1598304644);
/** On a machine that is busy with other things a rest of 20 s takes minutes. */
const PATIENCE = 300_000;
const TIMEOUT = PATIENCE * 2 + settings.kills * 60_000;

/** Kills a gateway again and again, lets the last one come to rest, and looks where everything is. */
async function torture(queue: 'embedded' | 'redis', seed: number, closing: (() => Promise<unknown>)[]): Promise<void> {
  const random = seeded(seed);
  const [ofHop, ofServer] = [new Records(seed), new Records(seed)];
  const hop = await startFakeSmtp({ script: moody(random), onMail: (...all) => ofHop.note(...all) });
  const server = await startFakeSmtp({ script: fickle(random), onMail: (...all) => ofServer.note(...all) });
  closing.push(
    () => hop.close(),
    () => server.close(),
  );
  const redis =
    queue === 'redis'
      ? await startRedis(['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction'])
      : undefined;
  if (redis !== undefined) closing.push(() => redis.dispose());
  const site = await makeTortureSite({ hop: hop.port, server: server.port, queue: redis?.url ?? 'embedded' });
  closing.push(() => site.remove());
  const load = new Load(seed, 8, 20);
  const { kills } = settings;
  const log: string[] = [];
  const killed = await live({
    site,
    load,
    random,
    kills,
    redis,
    longest: settings.long ? 3000 : 2000,
    least: settings.long ? 0 : 4,
    log,
    onProgress: (done) => {
      if (settings.long && done % 10 === 0)
        process.stdout.write(
          `${queue}: ${done} of ${kills} kills, ${load.acknowledged.length} messages acknowledged\n`,
        );
    },
  });
  await load.stop();
  hop.script = KIND;
  server.script = {};
  const calmed = await quiet(site, () => unsettled(site.data), PATIENCE, log);
  const stored = await readStored(site.data);
  const { acknowledged } = load;
  const verdict = judge({ acknowledged, kills: killed, hop: ofHop, server: ofServer, stored });
  const aside = await corrupt(site.data);
  process.stdout.write(
    report({
      queue,
      seed,
      load,
      kills: killed,
      calmed,
      verdict,
      records: [ofHop, ofServer],
      errors: errorsIn({ log }),
      aside: aside.names,
    }),
  );

  const { lost, strays, damaged, unexplained, unexplainedRecords, untrue } = verdict;
  process.stdout.write(linesAbout([...lost, ...unexplained, ...untrue], log));
  const { complete } = aside;
  expect({ lost, complete, strays, damaged, unexplained, unexplainedRecords, untrue }).toEqual({
    lost: [],
    complete: [],
    strays: [],
    damaged: [],
    unexplained: [],
    unexplainedRecords: [],
    untrue: [],
  });
  expect(acknowledged.length).toBeGreaterThan(kills);
}

const wanted = (queue: string): boolean => settings.queue === undefined || settings.queue === queue;

/** Runs it, and cleans up whatever happens. */
async function tidy(queue: 'embedded' | 'redis', seed: number): Promise<void> {
  const closing: (() => Promise<unknown>)[] = [];
  try {
    await torture(queue, seed, closing);
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

describe.concurrent('a gateway that is killed again and again under load', () => {
  it.runIf(wanted('embedded'))(
    'loses nothing that it acknowledged, with its queue on PostgreSQL',
    async () => await tidy('embedded', settings.seed),
    TIMEOUT,
  );

  it.runIf(wanted('redis') && !redisMissing)(
    'loses nothing that it acknowledged, with its queue on Redis',
    async () => await tidy('redis', settings.seed + 1),
    TIMEOUT,
  );
});

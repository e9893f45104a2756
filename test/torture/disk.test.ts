import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFakeSmtp } from '../support/fake-smtp.js';
import { spawnGateway, type SpawnedGateway } from '../support/gateway.js';
import { until } from '../support/until.js';
import { judge } from './judge.js';
import { expectClean, nameOf, type Kill } from './lives.js';
import { Load } from './load.js';
import { fickle, KIND, moody } from './moods.js';
import { corrupt, LIFE, makeTortureSite, unsettled, type TortureSite } from './places.js';
import { seeded } from './random.js';
import { Records } from './records.js';
import { tortureSettings } from './settings.js';
import { mountMissing, mountSmallDisk, type SmallDisk } from './small-disk.js';
import { readStored } from './stored.js';

const settings = tortureSettings(0, 20_261_121);
/** The log of the database alone grows to 256 MB in time. */
const SIZE = (settings.long ? 512 : 192) * 2 ** 20;
/** How often the disk becomes full; in the long form the gateway is killed in every third of them. */
const ROUNDS = settings.long ? 6 : 1;
const PATIENCE = 120_000;

interface Life {
  readonly gateway: SpawnedGateway;
  readonly name: string;
}

interface Parts {
  readonly site: TortureSite;
  readonly load: Load;
  readonly disk: SmallDisk;
  /** All that was started. */
  readonly lives: SpawnedGateway[];
}

/** What the gateway has said of the event, oldest first. One that held at a kill may hold at the start, and is not raised again. */
const events = ({ log }: Pick<SpawnedGateway, 'log'>): string[] =>
  log.flatMap((line) => (line.includes('"disk-low"') ? (/"msg":"event (\w+)"/.exec(line)?.slice(1) ?? []) : []));

async function start({ site, load, lives }: Parts, number: number): Promise<Life> {
  const name = nameOf(number);
  const gateway = spawnGateway(site, { [LIFE]: name });
  lives.push(gateway);
  load.port = await gateway.ready;
  return { gateway, name };
}

/** Keeps the disk full to the last block until clients were sent away at all stages and the event is there. */
async function keepFull({ disk, load }: Parts, { gateway }: Life): Promise<void> {
  const [before, refused] = [events(gateway).length, load.refusals.length];
  await until(
    'replies of 452 and disk-low',
    async () => {
      disk.fill();
      const noRoom = load.refusals.slice(refused).filter((reply) => reply.startsWith('452 4.3.1 ')).length;
      return await Promise.resolve(noRoom >= 20 && events(gateway).slice(before).includes('raised'));
    },
    PATIENCE,
  );
}

/** Waits until mail is taken again and nothing is left of the time before, by the gateway that runs. */
async function recover({ load }: Parts, { gateway }: Life): Promise<void> {
  const taken = load.acknowledged.length;
  await until(
    'mail that is taken again, and the end of disk-low',
    async () => await Promise.resolve(load.acknowledged.length >= taken + 20 && events(gateway).at(-1) !== 'raised'),
    PATIENCE,
  );
}

/** @returns the gateway that runs at the end */
async function fillAgainAndAgain(parts: Parts, first: Life, kills: Kill[]): Promise<Life> {
  const { disk, load } = parts;
  let life = first;
  await until('load', async () => await Promise.resolve(load.acknowledged.length >= 20), PATIENCE);
  try {
    for (let round = 1; round <= ROUNDS; round += 1) {
      await keepFull(parts, life);
      if (round % 3 === 0) {
        load.port = undefined;
        kills.push({ victim: 'gateway at work', at: Date.now(), life: life.name });
        await life.gateway.kill();
        disk.empty();
        life = await start(parts, round + 1);
      } else disk.empty();
      await recover(parts, life);
    }
    return life;
  } catch (error) {
    const free = `${disk.free} bytes are free`;
    throw new Error([`full or afterwards: ${free}`, ...life.gateway.log.slice(-60)].join('\n'), { cause: error });
  }
}

async function torture(closing: (() => unknown)[]): Promise<void> {
  const { seed } = settings;
  const random = seeded(seed);
  const [ofHop, ofServer] = [new Records(seed), new Records(seed)];
  const hop = await startFakeSmtp({ script: moody(random), onMail: (...all) => ofHop.note(...all) });
  const server = await startFakeSmtp({ script: fickle(random), onMail: (...all) => ofServer.note(...all) });
  closing.push(
    () => hop.close(),
    () => server.close(),
  );
  const site = await makeTortureSite({
    hop: hop.port,
    server: server.port,
    queue: 'embedded',
    spool: 'spool: { minFreeDisk: 8MB }',
  });
  closing.push(() => site.remove());
  await mkdir(site.data);
  const disk = mountSmallDisk(site.data, SIZE);
  closing.push(() => disk.unmount());
  const load = new Load(seed, 8, 20);
  const parts: Parts = { site, load, disk, lives: [] };
  const kills: Kill[] = [];
  closing.push(
    async () => await Promise.all(parts.lives.map(async (gateway) => await gateway.kill())),
    () => load.stop(),
  );
  const life = await fillAgainAndAgain(parts, await start(parts, 1), kills);
  await load.stop();
  hop.script = KIND;
  server.script = {};
  await until('rest', async () => (await unsettled(site.data)).length === 0, PATIENCE);
  await life.gateway.stop();
  expectClean(life.gateway);

  const stored = await readStored(site.data);
  const { acknowledged } = load;
  const verdict = judge({ acknowledged, kills, hop: ofHop, server: ofServer, stored });
  const { names } = await corrupt(site.data);
  const halves = await readdir(path.join(site.data, 'spool', 'tmp'));
  process.stdout.write(
    `\nfull disk, seed ${seed}: ${ROUNDS} times, ${kills.length} kills; ${load.sent} sent, ${acknowledged.length} acknowledged, ` +
      `other answers: ${[...load.refused].map(([code, count]) => `${code}: ${count}`).join(', ')}; ` +
      `lost ${verdict.lost.length}; duplicates: ${[...verdict.duplicates].map(([name, count]) => `${name}: ${count}`).join(', ')}; ` +
      `journal ${verdict.unrecorded} acknowledged messages without a line\n`,
  );
  const { lost, strays, damaged, untrue } = verdict;
  // The ledger was away: a notification that was sent could not be written down.
  const unexplained = verdict.unexplained.filter((what) => !what.startsWith('notification '));
  expect({ lost, names, halves, strays, damaged, untrue, unexplained }).toEqual({
    lost: [],
    names: [],
    halves: [],
    strays: [],
    damaged: [],
    untrue: [],
    unexplained: [],
  });
  // No answer but those that tell a client to come again, and those of the rules and the hop.
  expect(
    [...load.refused.keys()].filter(
      (code) => !['452', '451', '550', ...(kills.length > 0 ? ['cut', '421'] : [])].includes(code),
    ),
  ).toEqual([]);
}

describe.skipIf(mountMissing)('a gateway whose disk becomes full under load', () => {
  it(
    'loses nothing that it acknowledged, says 452 and disk-low, and recovers by itself',
    async () => {
      const closing: (() => unknown)[] = [];
      try {
        await torture(closing);
      } finally {
        for (const close of closing.reverse()) await close();
      }
    },
    settings.long ? 3_600_000 : 300_000,
  );
});

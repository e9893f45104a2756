import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FAKE_THREATS, startFakeClamd } from '../../test/support/fake-clamd.js';
import { FakeDns } from '../../test/support/fake-dns.js';
import { httpAnswer, startFakeEngine } from '../../test/support/fake-engine.js';
import { makeMail } from '../../test/support/mail.js';
import { startFakeService } from '../../test/support/verdict-service.js';
import { makeZip } from '../../test/support/zip.js';
import { antispam } from './antispam/antispam.js';
import { GTUBE } from './antispam/embedded/gtube.js';
import { antivirus } from './antivirus/antivirus.js';
import { authentication } from './authentication/authentication.js';
import { BUILT_IN } from './built-in.js';
import { CONTRACT, type ContractSubject } from './contract.js';
import { DetectorError } from './failure.js';
import { content } from './content.js';
import { EICAR } from './signatures/eicar.js';
import { external } from './external/external.js';
import { links } from './links/links.js';
import { signatures } from './signatures/signatures.js';
import { loadThirdParty } from './third-party.js';
import type { Detector, DetectorModule } from './types.js';

const clamds = {
  works: await startFakeClamd(),
  down: await startFakeClamd(),
  garbage: await startFakeClamd({ behaviour: { kind: 'say', text: 'stream: perhaps' } }),
  silent: await startFakeClamd({ behaviour: { kind: 'stall' } }),
};
await clamds.down.close();
afterAll(async () => {
  for (const clamd of [clamds.works, clamds.garbage, clamds.silent]) await clamd.close();
});

const spamEngines = {
  down: await startFakeEngine({ kind: 'stall' }),
  garbage: await startFakeEngine({ kind: 'say', text: httpAnswer('{"score": "perhaps"}') }),
  silent: await startFakeEngine({ kind: 'stall' }),
};
await spamEngines.down.close();
afterAll(async () => {
  for (const engine of [spamEngines.garbage, spamEngines.silent]) await engine.close();
});

const dns = await FakeDns.start({ '_dmarc.strict.example': { TXT: ['v=DMARC1; p=reject'] } });
afterAll(async () => await dns.close());

const verdicts = {
  works: await startFakeService(({ body }) => ({
    findings: sentMessage(body).includes('Known to be bad') ? [{ status: 'malicious' }] : [],
  })),
  down: await startFakeService(() => undefined),
  garbage: await startFakeService(() => 'no verdict'),
  silent: await startFakeService(() => undefined),
};
await verdicts.down.close();
afterAll(async () => {
  for (const service of [verdicts.works, verdicts.garbage, verdicts.silent]) await service.close();
});

function sentMessage(body: string): string {
  const { message } = z.object({ message: z.string() }).parse(JSON.parse(body));
  return Buffer.from(message, 'base64').toString('latin1');
}

const subjects: readonly ContractSubject[] = [
  {
    module: content,
    settings: {},
    hit: {
      message: makeMail('See the archive', [
        { name: 'a.zip', bytes: makeZip([{ name: 'x.txt', bytes: Buffer.from('hidden words'), encrypted: true }]) },
      ]),
      status: 'encrypted',
    },
  },
  {
    module: signatures,
    settings: { patterns: [{ name: 'Marker', hex: 'cafebabe00' }] },
    hit: { message: makeMail('See the file', [{ name: 'e.com', bytes: EICAR }]), status: 'infected' },
  },
  {
    module: antivirus,
    settings: { clamd: clamds.works.address },
    hit: { message: makeMail(FAKE_THREATS['Fake.Worm'] ?? ''), status: 'infected' },
    engine: {
      down: { clamd: clamds.down.address },
      garbage: { clamd: clamds.garbage.address },
      silent: { clamd: clamds.silent.address },
    },
  },
  {
    module: antispam,
    settings: {},
    hit: { message: makeMail(`The test: ${GTUBE}`), status: 'score', score: 5 },
    engine: {
      down: { rspamd: `http://127.0.0.1:${spamEngines.down.port}` },
      garbage: { rspamd: `http://127.0.0.1:${spamEngines.garbage.port}` },
      silent: { rspamd: `http://127.0.0.1:${spamEngines.silent.port}` },
    },
  },
  {
    // A DNS that is down, lies or never answers is a result, `temperror`: test/authentication has the cases.
    module: authentication,
    settings: { dns: [dns.address] },
    hit: { message: Buffer.from('From: a@strict.example\r\n\r\nHello\r\n'), status: 'dmarc', name: 'fail' },
  },
  {
    // A DNS list that does not answer is an error beside what was found: links.test.ts has the cases.
    module: links,
    settings: { protect: 'bank.example', mismatch: 'normal' },
    hit: { message: makeMail('Go to http://bank-login.example/ at once'), status: 'phishing' },
  },
  {
    module: external,
    settings: { url: verdicts.works.url },
    hit: { message: makeMail('Known to be bad'), status: 'malicious' },
    engine: {
      down: { url: verdicts.down.url },
      garbage: { url: verdicts.garbage.url },
      silent: { url: verdicts.silent.url },
    },
  },
];

/** The other engine of the same module. */
const bySpamd: ContractSubject = {
  module: antispam,
  settings: {},
  hit: { message: makeMail(`The test: ${GTUBE}`), status: 'score', score: 5 },
  engine: {
    down: { spamd: `tcp://127.0.0.1:${spamEngines.down.port}` },
    garbage: { spamd: `tcp://127.0.0.1:${spamEngines.garbage.port}` },
    silent: { spamd: `tcp://127.0.0.1:${spamEngines.silent.port}` },
  },
};

it('every built-in module is held to the contract', () => {
  expect(subjects.map((subject) => subject.module.name)).toEqual(BUILT_IN.map((module) => module.name));
});

const skeleton = path.join(import.meta.dirname, '..', '..', 'docs', 'examples', 'my-detector.js');
const example: ContractSubject = {
  module: { ...(await loadThirdParty(skeleton)), name: 'my-detector' },
  settings: { words: ['confidential'] },
  hit: { message: makeMail('This is Confidential.'), status: 'found' },
};

for (const [name, subject] of [
  ...[...subjects, example].map((one) => [one.module.name, one] as const),
  ['antispam with spamd', bySpamd] as const,
]) {
  describe(`the module ${name}`, () => {
    for (const check of CONTRACT) {
      // A module without an engine has none that can be down or answer garbage.
      if (check.needsEngine === true && subject.engine === undefined) continue;
      it(check.name, async () => await check.run(subject));
    }
  });
}

describe('the contract itself', () => {
  /** A module with an engine that is told by its settings how to behave. */
  function engineModule(
    behave: (how: string, signal: AbortSignal) => ReturnType<Detector['inspect']>,
  ): ContractSubject {
    const module: DetectorModule<{ how: string }> = {
      name: 'engine',
      settings: z.strictObject({ how: z.string() }),
      statuses: ['hit'],
      create: ({ how }) => ({ inspect: async ({ signal }) => await behave(how, signal) }),
    };
    const engine = { down: { how: 'down' }, garbage: { how: 'garbage' }, silent: { how: 'silent' } };
    return { module, settings: { how: 'well' }, hit: { message: makeMail('x'), status: 'hit' }, engine };
  }

  async function outcome(name: string, subject: ContractSubject): Promise<'kept' | 'broken'> {
    const check = CONTRACT.find((one) => one.name.includes(name));
    if (check === undefined) throw new Error(`there is no check ${name}`);
    return await check.run(subject).then(
      () => 'kept',
      () => 'broken',
    );
  }

  const good = engineModule(async (how, signal) => {
    if (how === 'down') throw Object.assign(new Error('connect 10.0.0.1:3310'), { code: 'ECONNREFUSED' });
    if (how === 'garbage') throw new DetectorError('the engine answered something that is no verdict');
    if (how === 'silent')
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    return [];
  });
  const careless = engineModule((how) => {
    if (how === 'down') return Promise.reject(new DetectorError('no answer from 10.0.0.1:3310'));
    return Promise.resolve([]);
  });

  it.each(['is down', 'answers garbage', 'never answers'])(
    'tells how a module takes an engine that %s',
    async (name) => {
      expect(await outcome(name, good)).toBe('kept');
      expect(await outcome(name, careless)).toBe('broken');
    },
  );

  it('is broken by a module that finds nothing, or that finds something in everything', async () => {
    expect(await outcome('reports a hit', careless)).toBe('broken');
    const eager = engineModule(() => Promise.resolve([{ module: 'engine', status: 'hit' }]));
    expect(await outcome('clean message', eager)).toBe('broken');
    expect(await outcome('apart', eager)).toBe('broken');
  });

  it('is broken by a module that throws at a hostile message, or takes any setting', async () => {
    const fragile = engineModule(() => Promise.reject(new Error('unexpected end')));
    expect(await outcome('hostile', fragile)).toBe('broken');
    const lax: ContractSubject = { ...good, module: { ...good.module, settings: z.object({ how: z.string() }) } };
    expect(await outcome('declares', lax)).toBe('broken');
  });
});

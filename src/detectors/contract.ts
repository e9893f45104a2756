import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Envelope } from '../message/envelope.js';
import { readMessage } from '../message/read.js';
import type { ScanLimits } from '../message/types.js';
import { hostileMessages } from './contract-messages.js';
import { runDetectors } from './runner.js';
import type { Detector, DetectorInput, DetectorModule, DetectorSpec, Finding } from './types.js';

/** How one module is put to the test. */
export interface ContractSubject {
  readonly module: DetectorModule;
  /** Settings with which it works. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly data?: unknown;
  /**
   * A message in canonical form that it finds something in, and the status that it reports. A module that gives every
   * message a score finds something in those from `score` on.
   */
  readonly hit: {
    readonly message: Buffer;
    readonly status: string;
    readonly score?: number;
    /** For a module that reports a result about every message: the name that is a hit. */
    readonly name?: string;
  };
  /** For a module with an engine behind it: settings that lead to one that is not there, lies, or never answers. */
  readonly engine?: {
    readonly down: Readonly<Record<string, unknown>>;
    readonly garbage: Readonly<Record<string, unknown>>;
    readonly silent: Readonly<Record<string, unknown>>;
  };
}

export interface ContractCheck {
  readonly name: string;
  /** Checks that need an engine do not hold for modules without one. */
  readonly needsEngine?: true;
  /** @throws AssertionError when the module breaks the contract */
  run(subject: ContractSubject): Promise<void>;
}

const LIMITS: ScanLimits = { maxDepth: 8, maxParts: 100, maxArchiveEntries: 100, maxUnpacked: 2 ** 20 };
const CLEAN = Buffer.from('From: a@example.org\r\nTo: b@example.org\r\nSubject: Hello\r\n\r\nGood morning\r\n');
/** ms in which a module must end when it is told to. */
const PROMPT = 5_000;

/** What every module must do, whatever it looks for. Runs in any test runner. */
export const CONTRACT: readonly ContractCheck[] = [
  {
    name: 'declares itself',
    async run({ module, settings }) {
      assert.match(module.name, /^[a-z][a-z0-9-]*$/);
      for (const status of statusesOf({ module, settings })) assert.match(status, /^[a-z][a-z0-9-]*$/);
      assert.ok(module.settings.safeParse(settings).success, 'takes the settings of the test');
      const unknown = module.settings.safeParse({ ...settings, 'no-such-key': 1 });
      assert.ok(!unknown.success, 'refuses unknown keys');
      await Promise.resolve();
    },
  },
  {
    name: 'finds nothing in a clean message',
    async run(subject) {
      const findings = await run(subject, CLEAN);
      if (subject.hit.score === undefined && subject.hit.name === undefined)
        assert.deepEqual(findings, [{ module: subject.module.name, status: 'clean' }]);
      else assert.ok(!findings.some((finding) => isHit(finding, subject)), 'says nothing against a clean message');
    },
  },
  {
    name: 'reports a hit',
    async run(subject) {
      const findings = await run(subject, subject.hit.message);
      const said = findings.map(({ status, score }) => `${status} ${score ?? ''}`.trim()).join(', ');
      assert.ok(
        findings.some((finding) => isHit(finding, subject)),
        `reports ${subject.hit.status}, not ${said}`,
      );
    },
  },
  {
    name: 'keeps messages that it looks at concurrently apart',
    async run(subject) {
      const detector = await create(subject);
      const messages = [CLEAN, subject.hit.message, CLEAN, subject.hit.message];
      const all = await Promise.all(messages.map(async (message) => await runWith(subject, detector, message)));
      await detector.close?.();
      const hits = all.map((findings) => findings.some((finding) => isHit(finding, subject)));
      assert.deepEqual(hits, [false, true, false, true]);
    },
  },
  {
    name: 'survives hostile messages',
    async run(subject) {
      for (const { name, bytes } of hostileMessages()) {
        const findings = await run(subject, bytes);
        const known = [...statusesOf(subject), 'clean', 'limit'];
        for (const { status } of findings) assert.ok(known.includes(status), `${name}: ${status}`);
      }
    },
  },
  {
    name: 'ends when it is aborted before or while running',
    async run(subject) {
      const detector = await create(subject);
      const before = AbortSignal.abort();
      await endsPromptly(detector.inspect(inputOf(subject.hit.message, before)));
      const during = new AbortController();
      const running = detector.inspect(inputOf(subject.hit.message, during.signal));
      during.abort();
      await endsPromptly(running);
      await detector.close?.();
    },
  },
  {
    name: 'reports an error when its engine is down',
    needsEngine: true,
    async run(subject) {
      await expectFailure(subject, subject.engine?.down, 'error');
    },
  },
  {
    name: 'reports an error when its engine answers garbage',
    needsEngine: true,
    async run(subject) {
      await expectFailure(subject, subject.engine?.garbage, 'error');
    },
  },
  {
    name: 'is late, and not clean, when its engine never answers',
    needsEngine: true,
    async run(subject) {
      await expectFailure(subject, subject.engine?.silent, 'timeout');
    },
  },
];

function statusesOf({ module, settings }: Pick<ContractSubject, 'module' | 'settings'>): readonly string[] {
  return module.statusesFor?.(module.settings.parse(settings)) ?? module.statuses;
}

function isHit({ status, score, name }: Finding, { hit }: ContractSubject): boolean {
  if (hit.name !== undefined && name !== hit.name) return false;
  return status === hit.status && (hit.score === undefined || (score !== undefined && score >= hit.score));
}

async function expectFailure(
  subject: ContractSubject,
  settings: Readonly<Record<string, unknown>> | undefined,
  status: string,
): Promise<void> {
  assert.ok(settings !== undefined, 'the subject names settings for this check');
  const findings = await run({ ...subject, settings }, CLEAN, 500);
  assert.deepEqual(
    findings.map((finding) => finding.status),
    [status],
  );
  // The text reaches mails and users: no paths, no addresses of engines.
  assert.doesNotMatch(findings[0]?.detail ?? '', /[/\\]|:\d/);
}

async function create(subject: ContractSubject): Promise<Detector> {
  const { module, settings, data } = subject;
  return await module.create(module.settings.parse(settings), { baseDirectory: '.', data });
}

async function run(subject: ContractSubject, bytes: Buffer, timeout?: number): Promise<readonly Finding[]> {
  const detector = await create(subject);
  try {
    return await runWith(subject, detector, bytes, timeout);
  } finally {
    await detector.close?.();
  }
}

async function runWith(
  { module, settings }: ContractSubject,
  detector: Detector,
  bytes: Buffer,
  timeout = 30_000,
): Promise<readonly Finding[]> {
  const spec: DetectorSpec = {
    name: module.name,
    settings,
    baseDirectory: '.',
    timeout,
    onError: 'defer',
    statuses: statusesOf({ module, settings }),
  };
  const { signal, ...input } = inputOf(bytes, new AbortController().signal);
  signal.throwIfAborted();
  return (await runDetectors([{ spec, detector }], input, timeout)).findings;
}

function inputOf(bytes: Buffer, signal: AbortSignal): DetectorInput {
  const envelope: Envelope = {
    sender: 'a@example.org',
    recipients: [{ address: 'b@example.org' }],
    client: '192.0.2.1',
    helo: 'client.example.org',
    tls: false,
    trusted: false,
    smtpUtf8: false,
    eightBit: false,
  };
  return { message: readMessage(bytes, LIMITS), envelope, intake: { anomalies: [], received: 0 }, signal };
}

/** Findings or a rejection are both well; going on is not. */
async function endsPromptly(running: Promise<unknown>): Promise<void> {
  const stop = new AbortController();
  const late = sleep(PROMPT, 'late', { signal: stop.signal }).catch(() => 'stopped');
  const ended = running.then(
    () => 'ended',
    () => 'ended',
  );
  assert.equal(await Promise.race([ended, late]), 'ended');
  stop.abort();
  await late;
}

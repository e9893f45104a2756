import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Message } from '../message/types.js';
import { DetectorError } from './failure.js';
import { MAX_FINDINGS } from './results.js';
import { runDetectors } from './runner.js';
import type { ActiveDetector, Detector, DetectorInput } from './types.js';

/** The detectors of these tests do not look at it. */
const input: Omit<DetectorInput, 'signal'> = {
  message: {} as Message,
  envelope: {
    sender: '',
    recipients: [],
    client: '192.0.2.1',
    helo: '',
    tls: false,
    trusted: false,
    smtpUtf8: false,
    eightBit: false,
  },
  intake: { anomalies: [], received: 0 },
};

function active(name: string, inspect: Detector['inspect'], timeout = 10_000): ActiveDetector {
  const spec = { name, settings: {}, baseDirectory: '.', timeout, onError: 'defer', statuses: ['hit'] } as const;
  return { spec, detector: { inspect } };
}

const never = async (): Promise<never> => await new Promise<never>(() => undefined);

describe('running detectors', () => {
  it('says clean of a module without findings, and puts its own name into the others', async () => {
    const { findings, runs } = await runDetectors(
      [
        active('one', () => Promise.resolve([])),
        active('two', () => Promise.resolve([{ module: 'antivirus', status: 'hit', name: 'X' }])),
      ],
      input,
      10_000,
    );
    expect(findings).toEqual([
      { module: 'one', status: 'clean' },
      { module: 'two', status: 'hit', name: 'X' },
    ]);
    expect(runs.map(({ module, status }) => [module, status])).toEqual([
      ['one', 'clean'],
      ['two', 'hit'],
    ]);
  });

  it('runs them concurrently', async () => {
    let other: (() => void) | undefined;
    const first = active('first', async () => {
      await new Promise<void>((resolve) => (other = resolve));
      return [];
    });
    const second = active('second', () => {
      other?.();
      return Promise.resolve([]);
    });
    const { runs } = await runDetectors([first, second], input, 5_000);
    expect(runs.map((run) => run.status)).toEqual(['clean', 'clean']);
  });

  it('turns an exception into an error that shows nothing of the inside', async () => {
    const inside = (): Promise<never> => {
      throw Object.assign(new Error('connect /run/secret/engine.ctl'), { code: 'ECONNREFUSED' });
    };
    const { findings, runs } = await runDetectors([active('one', inside)], input, 1_000);
    expect(findings).toEqual([{ module: 'one', status: 'error', detail: 'the module failed (ECONNREFUSED)' }]);
    expect(runs[0]?.cause).toBe('connect /run/secret/engine.ctl');
  });

  it("shows a detector's own words", async () => {
    const failing = active('one', () => Promise.reject(new DetectorError('the engine refused the message')));
    const { findings } = await runDetectors([failing], input, 1_000);
    expect(findings[0]?.detail).toBe('the engine refused the message');
  });

  it('does not wait beyond the timeout, aborts, and does not hear what comes later', async () => {
    let aborted = false;
    const slow = active(
      'slow',
      async ({ signal }) => {
        await sleep(60_000, undefined, { signal }).catch(() => (aborted = true));
        throw new Error('too late');
      },
      20,
    );
    const deaf = active('deaf', never, 20);
    const { findings } = await runDetectors([slow, deaf], input, 10_000);
    expect(findings).toEqual([
      { module: 'slow', status: 'timeout', detail: 'the module did not answer within 20 ms' },
      { module: 'deaf', status: 'timeout', detail: 'the module did not answer within 20 ms' },
    ]);
    expect(aborted).toBe(true);
  });

  it("does not wait beyond the message's deadline", async () => {
    const { findings } = await runDetectors([active('one', never)], input, 30);
    expect(findings[0]).toMatchObject({ status: 'timeout' });
  });

  it.each([
    ['no list', 'clean'],
    ['a list of something else', [null]],
    ['a finding without a status', [{ module: 'one' }]],
    ['a status that it does not declare', [{ status: 'infected' }]],
  ])('takes %s for an error', async (_, garbage) => {
    const { findings } = await runDetectors([active('one', () => Promise.resolve(garbage as never))], input, 1_000);
    expect(findings).toEqual([expect.objectContaining({ module: 'one', status: 'error' })]);
  });

  it('cleans and cuts texts, and drops what is no finding', async () => {
    const finding = {
      status: 'hit',
      name: `a\r\nBcc: x${'y'.repeat(500)}`,
      detail: '\u2028',
      size: -1,
      score: NaN,
      extra: 1,
    };
    const { findings } = await runDetectors([active('one', () => Promise.resolve([finding] as never))], input, 1_000);
    expect(findings[0]?.name).toHaveLength(255);
    expect(findings[0]).toMatchObject({ module: 'one', status: 'hit', detail: ' ' });
    expect(Object.keys(findings[0] ?? {}).sort()).toEqual(['detail', 'module', 'name', 'status']);
    expect(findings[0]?.name).toMatch(/^a Bcc: x/);
  });

  it('reports a limit instead of thousands of findings', async () => {
    const many = Array.from({ length: MAX_FINDINGS + 5 }, () => ({ module: 'one', status: 'hit' }));
    const { findings } = await runDetectors([active('one', () => Promise.resolve(many))], input, 1_000);
    expect(findings).toHaveLength(MAX_FINDINGS + 1);
    expect(findings.at(-1)).toMatchObject({ status: 'limit' });
  });
});

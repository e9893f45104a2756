import { describe, expect, it } from 'vitest';
import { links } from '../../src/detectors/links/links.js';
import type { Finding } from '../../src/detectors/types.js';
import type { Envelope } from '../../src/message/envelope.js';
import { readMessage } from '../../src/message/read.js';
import { CLEAN } from './clean.js';
import { sampleMail, type Sample } from './mails.js';
import { TRICKS } from './tricks.js';

const LIMITS = { maxDepth: 16, maxParts: 1000, maxArchiveEntries: 1000, maxUnpacked: 2 ** 24 };
const settings = links.settings.parse({ protect: ['bank.example'], allow: ['contoso-support.test'] });
const detector = await links.create(settings, {
  baseDirectory: '.',
  domains: ['contoso.test', 'm\u00fcller-werke.test'],
});

async function findingsOf(sample: Sample): Promise<readonly Finding[]> {
  const sender = /<([^>]*)>/.exec(sample.from ?? '')?.[1] ?? 'anna@partner.test';
  const envelope: Envelope = {
    sender,
    recipients: [{ address: 'b@contoso.test' }],
    client: '192.0.2.1',
    helo: 'mail.partner.test',
    tls: false,
    trusted: false,
    smtpUtf8: false,
    eightBit: true,
  };
  return await detector.inspect({
    message: readMessage(sampleMail(sample), LIMITS),
    envelope,
    intake: { anomalies: [], received: 0 },
    signal: new AbortController().signal,
  });
}

describe('a trick is found', () => {
  it.each(TRICKS)('$name', async (trick) => {
    const findings = await findingsOf(trick);
    expect(findings.map(({ status }) => status)).toContain(trick.status);
    const found = findings.find(({ status }) => status === trick.status);
    expect(found?.detail).toContain(trick.reason);
    expect(found?.name).toMatch(/^[a-z-]+:/);
  });

  it('is said only once and without reasons that contradict', async () => {
    for (const trick of TRICKS) {
      const findings = await findingsOf(trick);
      expect(new Set(findings.map(({ status, name }) => `${status} ${name ?? ''}`)).size).toBe(findings.length);
    }
  });
});

describe('nothing is found in', () => {
  it.each(CLEAN)('$name', async (sample) => {
    expect(await findingsOf(sample)).toEqual([]);
  });
});

it('the corpora are as large as they claim', () => {
  expect(TRICKS.length).toBeGreaterThanOrEqual(60);
  expect(CLEAN.length).toBeGreaterThanOrEqual(20);
});

import { createAuthentication } from '../../src/detectors/authentication/authentication.js';
import type { Finding } from '../../src/detectors/types.js';
import type { Envelope } from '../../src/message/envelope.js';
import { readMessage } from '../../src/message/read.js';
import { FakeDns, type Zone } from '../support/fake-dns.js';
import { envelopeOf } from './support.js';

export const LIMITS = { maxDepth: 16, maxParts: 1000, maxArchiveEntries: 1000, maxUnpacked: 2 ** 24 };
/** The clock of the tests, seconds. */
export const NOW = 1_795_000_000;

export interface Question {
  readonly message: string;
  readonly zone?: Zone;
  readonly envelope?: Partial<Envelope>;
  /** ms that the module has. */
  readonly timeout?: number;
}

/** What the module says about a message, by method. */
export async function authenticate(question: Question): Promise<Record<string, Finding>> {
  const server = await FakeDns.start(question.zone ?? {});
  const detector = createAuthentication([server.address], () => NOW * 1000);
  try {
    const findings = await detector.inspect({
      message: readMessage(Buffer.from(question.message, 'latin1'), LIMITS),
      envelope: envelopeOf(question.envelope),
      intake: { anomalies: [], received: 0 },
      signal: new AbortController().signal,
      ...(question.timeout === undefined ? {} : { until: performance.now() + question.timeout }),
    });
    return Object.fromEntries(findings.map((finding) => [finding.status, finding]));
  } finally {
    await detector.close?.();
    await server.close();
  }
}

/** `name (detail)` of one method. */
export async function say(method: string, question: Question): Promise<string> {
  const finding = (await authenticate(question))[method];
  return `${finding?.name ?? 'nothing'} (${finding?.detail ?? ''})`;
}

import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';
import { domainOf } from '../../message/envelope.js';
import type { Message } from '../../message/types.js';
import { DetectorError } from '../failure.js';
import type { Detector, DetectorModule } from '../types.js';
import { verifyArc } from './arc/verify.js';
import { evidenceOf } from './dkim/evidence.js';
import { verifyDkim } from './dkim/verify.js';
import { evaluateDmarc } from './dmarc/evaluate.js';
import { boundedDns, CachingDns, DnsFailure } from './dns.js';
import { asciiDomain } from './names.js';
import { arcFinding, dkimFinding, dmarcFinding, spfFinding } from './results.js';
import { checkSender } from './spf/check-sender.js';

/** ms for all look-ups of one message, unless the module has less time. */
const LOOKUP_TIME = 10_000;
/** Look-ups of one message: SPF alone may need over a hundred (RFC 7208 4.6.4), a chain of seals fifty. */
const MAX_LOOKUPS = 250;

const server = z.string().refine((text) => isServer(text), {
  error: (issue) => `"${String(issue.input)}" is not the address of a DNS server`,
  params: { hint: 'write an IP address, with a port where it is not 53, such as 127.0.0.1:53 or [::1]:53' },
});

const settings = z.strictObject({
  /** Servers to ask, in this order; without any those of the system. */
  dns: z.union([z.array(server), server.transform((one) => [one])]).default([]),
});

/** Verifies who sent a message: SPF (RFC 7208), DKIM (RFC 6376, 8301, 8463), DMARC (RFC 7489) and ARC (RFC 8617). */
export const authentication: DetectorModule<z.infer<typeof settings>> = {
  name: 'authentication',
  settings,
  statuses: ['spf', 'dkim', 'dmarc', 'arc'],
  waits: () => true,
  create: ({ dns }) => createAuthentication(dns),
};

export function createAuthentication(servers: readonly string[], now: () => number = Date.now): Detector {
  const dns = new CachingDns(servers, now);
  return {
    inspect: async ({ message, envelope, signal, until = Infinity }) => {
      signal.throwIfAborted();
      // A look-up that stalls is a result: time must be left to say so.
      const milliseconds = Math.floor(Math.max(1, Math.min(LOOKUP_TIME, (until - performance.now()) * 0.6)));
      const bounded = boundedDns(dns, { milliseconds, lookups: MAX_LOOKUPS, signal });
      const evidence = evidenceOf(message);
      const [spf, signatures, arc] = await Promise.all([
        checkSender(envelope, bounded),
        verifyDkim(message, evidence, bounded, now()),
        verifyArc(evidence, bounded, now()),
      ]);
      const from = message.addresses('from').map(({ address }) => asciiDomain(domainOf(address)));
      const dmarc = await evaluateDmarc(
        from,
        { spf, signatures, trusted: envelope.trusted, sample: sampleOf(message) },
        bounded,
      );
      return [spfFinding(spf, envelope.sender), dkimFinding(signatures, from), dmarcFinding(dmarc), arcFinding(arc)];
    },
    health: async (signal) => {
      try {
        await Promise.race([dns.probe(), aborted(signal)]);
      } catch (error) {
        if (!(error instanceof DnsFailure)) throw error;
        throw new DetectorError('the DNS does not answer', { cause: error });
      }
    },
    close: () => {
      dns.close();
      return Promise.resolve();
    },
  };
}

/** A number from 0 to 99 that is the same whenever the message comes. */
function sampleOf({ bytes, structure }: Message): number {
  const { start, end } = structure.root.header;
  return createHash('sha256').update(bytes.subarray(start, end)).digest().readUInt32BE(0) % 100;
}

async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_, reject) => {
    const stop = (): void => reject(new DnsFailure('no answer in time'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

function isServer(text: string): boolean {
  const match = /^(?:\[([0-9a-f:.]+)\](?::(\d{1,5}))?|([0-9.]+)(?::(\d{1,5}))?)$/i.exec(text);
  if (match === null) return isIP(text) === 6;
  const port = Number(match[2] ?? match[4] ?? 53);
  const wanted = match[1] === undefined ? 4 : 6;
  return isIP(match[1] ?? match[3] ?? '') === wanted && port > 0 && port <= 65_535;
}

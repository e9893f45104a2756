import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { EventService } from '../../events/types.js';
import { messageOf } from '../../store/errors.js';
import type { Log } from '../../telemetry/log.js';
import { startRounds, type Rounds } from './rounds.js';

const DAY = 86_400_000;
const WARNING = 14 * DAY;
/** The file is read again so often, so that a renewed certificate is seen soon, ms. */
const INTERVAL = 3_600_000;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Reports `certificate-expiring` for a file of certificates (PEM). */
export function watchCertificate(
  file: string,
  events: EventService,
  log: Log,
  now: () => number = Date.now,
  interval: number = INTERVAL,
): Rounds {
  return startRounds({
    interval,
    log,
    onFirst: () => events.checked(['certificate-expiring']),
    look: async () => {
      let detail: string | undefined;
      try {
        detail = expiring(await readFile(file, 'utf8'), now());
      } catch (error) {
        detail = `smtp.tls.cert cannot be read: ${messageOf(error)}`;
      }
      if (detail === undefined) events.resolve('certificate-expiring', SUBJECT);
      else events.raise('certificate-expiring', { subject: SUBJECT, detail });
    },
  });
}

const SUBJECT = 'smtp.tls.cert';

/**
 * What is to be said of the certificates in a text; undefined when all of them hold for 14 days and more. Of a chain
 * the one that ends first counts.
 */
export function expiring(pem: string, now: number): string | undefined {
  const ends = [...pem.matchAll(PEM)].map(([text]) => {
    const { subject, validTo } = new X509Certificate(text);
    return { name: subject.split('\n').at(-1) ?? '', until: new Date(validTo) };
  });
  const [first] = ends.sort((a, b) => Number(a.until) - Number(b.until));
  if (first === undefined) return 'smtp.tls.cert holds no certificate';
  const left = first.until.getTime() - now;
  if (left >= WARNING) return undefined;
  const when = first.until.toISOString();
  return left < 0
    ? `the certificate ${first.name} ran out at ${when}`
    : `the certificate ${first.name} runs out at ${when}, in ${Math.floor(left / DAY)} days`;
}

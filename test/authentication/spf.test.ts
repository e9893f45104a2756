import { describe, expect, it } from 'vitest';
import { CachingDns } from '../../src/detectors/authentication/dns.js';
import { checkSender } from '../../src/detectors/authentication/spf/check-sender.js';
import { FakeDns } from '../support/fake-dns.js';
import { SPF_CASES } from './spf-cases.js';
import { envelopeOf, zoneOf } from './support.js';

describe('SPF, by the sections of RFC 7208', () => {
  it.each(SPF_CASES)('$section $name: $result', async (one) => {
    const server = await FakeDns.start(zoneOf(one));
    const dns = new CachingDns([server.address]);
    try {
      const envelope = envelopeOf({
        ...(one.ip === undefined ? {} : { client: one.ip }),
        ...(one.sender === undefined ? {} : { sender: one.sender }),
        ...(one.helo === undefined ? {} : { helo: one.helo }),
      });
      const { result, reason } = await checkSender(envelope, dns);
      expect({ result, reason }).toEqual({ result: one.result, reason });
      expect(server.queries.length).toBeLessThan(60);
    } finally {
      dns.close();
      await server.close();
    }
  });
});

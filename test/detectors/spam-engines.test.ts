import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { antispam } from '../../src/detectors/antispam/antispam.js';
import { GTUBE } from '../../src/detectors/antispam/embedded/gtube.js';
import type { Detector, Finding } from '../../src/detectors/types.js';
import type { Envelope } from '../../src/message/envelope.js';
import { readMessage } from '../../src/message/read.js';
import { makeMail } from '../support/mail.js';
import { rspamdMissing, startRspamd, type TestRspamd } from '../support/rspamd.js';
import { spamdMissing, startSpamd, type TestSpamd } from '../support/spamd.js';

const LIMITS = { maxDepth: 16, maxParts: 100, maxArchiveEntries: 100, maxUnpacked: 2 ** 24 };
const ORDINARY = makeMail('Shall we meet at noon?');
const TEST_SPAM = makeMail(`This is a test: ${GTUBE}`);

const session: Envelope = {
  sender: 'alice@partner.example',
  recipients: [{ address: 'b@example.org' }, { address: 'c@example.org' }],
  client: '192.0.2.7',
  helo: 'mail.partner.example',
  tls: true,
  user: 'alice',
  trusted: false,
  smtpUtf8: true,
  eightBit: true,
};

async function make(settings: object): Promise<Detector> {
  return await antispam.create(antispam.settings.parse(settings), { baseDirectory: '.' });
}

async function scan(detector: Detector, bytes: Buffer): Promise<readonly Finding[]> {
  return await detector.inspect({
    message: readMessage(bytes, LIMITS),
    envelope: session,
    intake: { anomalies: [], received: 0 },
    signal: AbortSignal.timeout(20_000),
  });
}

describe.skipIf(rspamdMissing)('the real rspamd', () => {
  let rspamd: TestRspamd;
  let detector: Detector;

  beforeAll(async () => {
    rspamd = await startRspamd(`
rspamd_config:register_symbol{ name = 'PHISHING', score = 4.0, callback = function(task)
  return string.find(task:get_header('Subject') or '', 'bank') ~= nil, 1.0, 'bank.example->evil.example'
end }
-- Holds when the session arrived as it was.
rspamd_config:register_symbol{ name = 'SESSION_IS_KNOWN', score = 1.5, callback = function(task)
  local from = task:get_from('smtp')
  local to = task:get_recipients('smtp')
  return from and from[1].addr == 'alice@partner.example' and #to == 2 and to[2].addr == 'c@example.org'
    and tostring(task:get_from_ip()) == '192.0.2.7' and task:get_helo() == 'mail.partner.example'
    and task:get_user() == 'alice' and tostring(task:get_request_header('TLS-Cipher')) == 'TLS'
end }
`);
    detector = await make({ rspamd: rspamd.url });
  });

  afterAll(async () => {
    await detector.close?.();
    await rspamd.dispose();
  });

  it('gives an ordinary mail a low score, and knows the session', async () => {
    expect(await scan(detector, ORDINARY)).toEqual([
      {
        module: 'antispam',
        status: 'score',
        score: 1.5,
        detail: 'rspamd: 1.5 of 15, no action; SESSION_IS_KNOWN 1.5',
      },
    ]);
  });

  it('knows the test spam', async () => {
    const [finding] = await scan(detector, TEST_SPAM);
    expect(finding).toMatchObject({ status: 'score', score: 15 });
    expect(finding?.detail).toMatch(/^rspamd: 15 of 15, reject; .*GTUBE/);
  });

  it('reports phishing with the host that the link leads to', async () => {
    const findings = await scan(detector, makeMail('Click', [], 'Your bank'));
    expect(findings).toEqual([
      { module: 'antispam', status: 'phishing', name: 'evil.example', detail: 'rspamd: PHISHING 4' },
      expect.objectContaining({ status: 'score', score: 5.5 }),
    ]);
  });

  it('judges many messages at a time', async () => {
    const all = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => await scan(detector, i % 2 === 0 ? ORDINARY : TEST_SPAM)),
    );
    expect(all.map(([finding]) => finding?.score)).toEqual(all.map((_, i) => (i % 2 === 0 ? 1.5 : 15)));
  });

  it('answers when it is asked whether it is well', async () => {
    await expect(detector.health?.(AbortSignal.timeout(20_000))).resolves.toBeUndefined();
  });
});

describe.skipIf(spamdMissing)('the real spamd', () => {
  let spamd: TestSpamd;

  beforeAll(async () => {
    spamd = await startSpamd(['body OWN_URI_PHISH /phishy words/', 'score OWN_URI_PHISH 6.5']);
  });

  afterAll(async () => {
    await spamd.dispose();
  });

  it.each(['tcp', 'unix'] as const)('judges over %s', async (way) => {
    const detector = await make({ spamd: spamd[way] });
    expect(await scan(detector, ORDINARY)).toEqual([
      { module: 'antispam', status: 'score', score: 0, detail: 'SpamAssassin: 0 of 5' },
    ]);
    expect(await scan(detector, TEST_SPAM)).toEqual([
      { module: 'antispam', status: 'score', score: 1000, detail: 'SpamAssassin: 1000 of 5; GTUBE' },
    ]);
    await expect(detector.health?.(AbortSignal.timeout(20_000))).resolves.toBeUndefined();
  });

  it('reports phishing by the name of the rule', async () => {
    const detector = await make({ spamd: spamd.tcp });
    expect(await scan(detector, makeMail('These are phishy words'))).toEqual([
      { module: 'antispam', status: 'phishing', detail: 'SpamAssassin: OWN_URI_PHISH' },
      expect.objectContaining({ status: 'score', score: 6.5 }),
    ]);
  });

  it('judges many messages at a time', async () => {
    const detector = await make({ spamd: spamd.tcp });
    const all = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => await scan(detector, i % 2 === 0 ? ORDINARY : TEST_SPAM)),
    );
    expect(all.map(([finding]) => finding?.score)).toEqual(all.map((_, i) => (i % 2 === 0 ? 0 : 1000)));
  });

  it('is given the beginning of a large message, and that is said', async () => {
    const detector = await make({ spamd: spamd.tcp, maxSize: '64KiB' });
    const [finding] = await scan(detector, makeMail(`${GTUBE}\r\n${'long words\r\n'.repeat(20_000)}`));
    expect(finding).toMatchObject({ score: 1000 });
    expect(finding?.detail).toContain('only the first 66 kB were looked at');
  });
});

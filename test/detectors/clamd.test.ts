import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { antivirus } from '../../src/detectors/antivirus/antivirus.js';
import { runDetectors } from '../../src/detectors/runner.js';
import { EICAR } from '../../src/detectors/signatures/eicar.js';
import type { Detector, Finding } from '../../src/detectors/types.js';
import { readMessage } from '../../src/message/read.js';
import { clamdMissing, startClamd, type TestClamd } from '../support/clamd.js';
import { makeMail } from '../support/mail.js';
import { makeZip } from '../support/zip.js';

const LIMITS = { maxDepth: 16, maxParts: 1000, maxArchiveEntries: 1000, maxUnpacked: 2 ** 26 };
const MARKER = Buffer.from('a-marker-of-this-test-alone');
const CLEAN = makeMail('Good morning');
/** Over clamd's StreamMaxLength below, as are its attachments not. */
const LARGE = makeMail(`${'x'.repeat(70)}\r\n`.repeat(20_000), [{ name: 'bad.bin', bytes: MARKER }]);

const envelope = {
  sender: '',
  recipients: [],
  client: '192.0.2.1',
  helo: '',
  tls: false,
  trusted: false,
  smtpUtf8: false,
  eightBit: false,
};

describe.skipIf(clamdMissing)('the real clamd', () => {
  let clamd: TestClamd;
  const detectors: Detector[] = [];

  beforeAll(async () => {
    clamd = await startClamd(
      [`Test.Eicar:0:0:${EICAR.toString('hex')}`, `Test.Marker:0:*:${MARKER.toString('hex')}`],
      ['StreamMaxLength 1M', 'AlertEncrypted yes', 'AlertOLE2Macros yes'],
    );
  });

  afterAll(async () => {
    for (const detector of detectors) await detector.close?.();
    await clamd.dispose();
  });

  async function scanner(settings: object): Promise<(bytes: Buffer) => Promise<readonly Finding[]>> {
    const detector = await antivirus.create(antivirus.settings.parse(settings), { baseDirectory: '.' });
    detectors.push(detector);
    const spec = {
      name: 'antivirus',
      settings: {},
      baseDirectory: '.',
      timeout: 20_000,
      onError: 'defer',
      statuses: antivirus.statuses,
    } as const;
    return async (bytes) => {
      const input = { message: readMessage(bytes, LIMITS), envelope, intake: { anomalies: [], received: 0 } };
      return (await runDetectors([{ spec, detector }], input, 20_000)).findings;
    };
  }

  describe.each(['tcp', 'unix'] as const)('over %s', (kind) => {
    it('finds the test file in mail, also in an archive, and names where', async () => {
      const scan = await scanner({ clamd: clamd[kind] });
      expect(await scan(CLEAN)).toEqual([{ module: 'antivirus', status: 'clean' }]);
      const mail = makeMail('See', [
        { name: 'good.txt', bytes: Buffer.from('nothing') },
        { name: 'a.zip', bytes: makeZip([{ name: 'in/eicar.com', bytes: EICAR }]) },
      ]);
      const name = 'Test.Eicar.UNOFFICIAL';
      expect(await scan(mail)).toEqual([
        { module: 'antivirus', status: 'infected', name, object: 'a.zip/in/eicar.com', size: EICAR.length },
      ]);
    });

    it('takes many messages at once', async () => {
      const scan = await scanner({ clamd: clamd[kind], connections: 4 });
      const all = await Promise.all(
        Array.from({ length: 40 }, async (_, i) => await scan(makeMail(i % 2 === 0 ? MARKER.toString() : 'fine'))),
      );
      expect(all.map(([finding]) => finding?.status)).toEqual(all.map((_, i) => (i % 2 === 0 ? 'infected' : 'clean')));
    });

    it("reports clamd's size limit, looks at attachments nevertheless, and goes on", async () => {
      const scan = await scanner({ clamd: clamd[kind] });
      for (let i = 0; i < 5; i++) {
        const findings = await scan(LARGE);
        expect(findings.map(({ status, object }) => [status, object])).toEqual([
          ['limit', undefined],
          ['infected', 'bad.bin'],
        ]);
      }
      expect((await scan(CLEAN))[0]?.status).toBe('clean');
    });
  });

  it('names the message itself when removing the attachment would not be enough', async () => {
    const scan = await scanner({ clamd: clamd.tcp });
    const findings = await scan(makeMail(MARKER.toString(), [{ name: 'bad.bin', bytes: MARKER }]));
    expect(findings.map(({ object }) => object)).toEqual([undefined, 'bad.bin']);
  });

  it('reports an archive with a password as encrypted', async () => {
    const scan = await scanner({ clamd: clamd.tcp });
    const bytes = makeZip([{ name: 'x.txt', bytes: Buffer.from('hidden words'), encrypted: true }]);
    expect(await scan(makeMail('See', [{ name: 'locked.zip', bytes }]))).toEqual([
      expect.objectContaining({ status: 'encrypted', name: 'Heuristics.Encrypted.Zip', object: 'locked.zip' }),
    ]);
  });

  it('is healthy, and has no dated databases', async () => {
    const detector = await antivirus.create(antivirus.settings.parse({ clamd: clamd.unix }), { baseDirectory: '.' });
    detectors.push(detector);
    await expect(detector.health?.(AbortSignal.timeout(5_000))).resolves.toBeUndefined();
    expect(await detector.databases?.(AbortSignal.timeout(5_000))).toBeUndefined();
  });
});

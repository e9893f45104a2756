import { createHash, createHmac } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createExternal, external } from '../../src/detectors/external/external.js';
import { settingsSchema } from '../../src/detectors/external/settings.js';
import type { DetectorInput, Finding } from '../../src/detectors/types.js';
import { readMessage } from '../../src/message/read.js';
import { envelopeOf } from '../authentication/support.js';
import { makeMail } from '../support/mail.js';
import { startExample, startFakeService, type FakeService, type TestService } from '../support/verdict-service.js';

const LIMITS = { maxDepth: 16, maxParts: 1000, maxArchiveEntries: 1000, maxUnpacked: 2 ** 24 };
const NOW = 1_795_000_000_000;
const ID = '01J00000000000000000000000';
const PROGRAM = Buffer.from(`MZ${'\0'.repeat(58)}\x40\0\0\0PE\0\0${'\0'.repeat(200)}`, 'latin1');

const closing: TestService[] = [];
afterEach(async () => {
  for (const service of closing.splice(0)) await service.close();
});

async function fake(answer: Parameters<typeof startFakeService>[0]): Promise<FakeService> {
  const service = await startFakeService(answer);
  closing.push(service);
  return service;
}

async function ask(
  given: Readonly<Record<string, unknown>>,
  message: Buffer = makeMail('Hello'),
  input: Partial<DetectorInput> = {},
): Promise<readonly Finding[]> {
  const detector = createExternal(settingsSchema.parse(given), () => NOW);
  return await detector.inspect({
    message: readMessage(message, LIMITS),
    envelope: envelopeOf(),
    intake: { anomalies: [], received: 0 },
    traceId: ID,
    receivedAt: NOW - 1000,
    signal: new AbortController().signal,
    ...input,
  });
}

const sent = z.object({
  version: z.literal(1),
  id: z.string(),
  sha256: z.string(),
  size: z.number(),
  envelope: z.object({ sender: z.string(), recipients: z.array(z.string()), client: z.string() }),
  objects: z.array(z.object({ path: z.string(), sha256: z.string() })),
  message: z.string().optional(),
});

describe('what the service is given', () => {
  it('is the message with its envelope', async () => {
    const { url, requests } = await fake(() => ({ findings: [] }));
    const message = makeMail('Hello', [{ name: 'a.exe', bytes: PROGRAM }]);
    expect(await ask({ url }, message)).toEqual([]);
    const body = sent.parse(JSON.parse(requests[0]?.body ?? ''));
    expect(Buffer.from(body.message ?? '', 'base64')).toEqual(message);
    expect(body).toMatchObject({
      id: ID,
      size: message.length,
      sha256: createHash('sha256').update(message).digest('hex'),
      envelope: { sender: 'user@example.com', recipients: ['b@example.org'], client: '192.0.2.10' },
      objects: [{ path: 'a.exe', sha256: createHash('sha256').update(PROGRAM).digest('hex') }],
    });
  });

  it('is hashes alone, where that is wanted', async () => {
    const { url, requests } = await fake(() => ({ findings: [] }));
    await ask({ url, send: 'hash', maxSize: 10 });
    expect(requests[0]?.body).not.toContain('"message"');
  });

  it('has the same hash when the message comes from the spool with our Received field on top', async () => {
    const { url, requests } = await fake(() => ({ findings: [] }));
    const message = makeMail('Hello');
    await ask({ url }, message);
    await ask(
      { url },
      Buffer.concat([Buffer.from(`Received: from x\r\n by y with ESMTP id ${ID};\r\n now\r\n`), message]),
    );
    await ask({ url }, Buffer.concat([Buffer.from('Received: from x by y id other; now\r\n'), message]));
    const [first, second, third] = requests.map(({ body }) => sent.parse(JSON.parse(body)).sha256);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it('is signed and bears the token', async () => {
    const { url, requests } = await fake(() => ({ findings: [] }));
    await ask({ url, secret: 's3cret', token: 'abc' });
    const [request] = requests;
    const time = NOW / 1000;
    const v1 = createHmac('sha256', 's3cret')
      .update(`${time}.${request?.body ?? ''}`)
      .digest('hex');
    expect(request?.headers['x-gatepost-signature']).toBe(`t=${time},v1=${v1}`);
    expect(request?.headers.authorization).toBe('Bearer abc');
  });

  it('is not a message that is too large', async () => {
    const { url, requests } = await fake(() => ({ findings: [] }));
    expect(await ask({ url, maxSize: 100 })).toMatchObject([{ status: 'limit' }]);
    expect(requests).toEqual([]);
  });
});

describe('a verdict', () => {
  it('is findings', async () => {
    const { url } = await fake(() => ({
      findings: [
        { status: 'malicious', name: 'X', object: 'a.exe', detail: 'because', score: 7 },
        { status: 'suspicious', object: 'not-there.exe' },
        { status: 'clean' },
      ],
    }));
    expect(await ask({ url }, makeMail('Hello', [{ name: 'a.exe', bytes: PROGRAM }]))).toEqual([
      {
        module: 'external',
        status: 'malicious',
        name: 'X',
        object: 'a.exe',
        size: PROGRAM.length,
        detail: 'because',
        score: 7,
      },
      { module: 'external', status: 'suspicious' },
    ]);
  });

  it('with a status that is not configured is an error', async () => {
    const { url } = await fake(() => ({ findings: [{ status: 'weird' }] }));
    await expect(ask({ url })).rejects.toThrow('a status that is not configured');
    expect(await ask({ url, statuses: ['weird'] })).toEqual([{ module: 'external', status: 'weird' }]);
  });

  it('may come later', async () => {
    let polls = 0;
    const { url, requests } = await fake(({ method }, response) => {
      if (method === 'GET' && ++polls === 2) return { findings: [{ status: 'malicious' }] };
      response.statusCode = 202;
      return { poll: '/later/1?x=y' };
    });
    expect(await ask({ url })).toEqual([{ module: 'external', status: 'malicious' }]);
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /verdict',
      'GET /later/1?x=y',
      'GET /later/1?x=y',
    ]);
  });
});

describe('a verdict that is late', () => {
  const never: Parameters<typeof startFakeService>[0] = (_, response) => {
    response.statusCode = 202;
    return { poll: '/later' };
  };

  it('is a timeout', async () => {
    const { url } = await fake(never);
    const [finding] = await ask({ url, verdictTimeout: '1s' });
    expect(finding).toEqual({
      module: 'external',
      status: 'timeout',
      detail: 'the verdict service had no verdict within 1 s',
    });
  });

  it('is waited for in the spool, up to a limit', async () => {
    const { url } = await fake(never);
    const given = { url, verdictTimeout: '1s', onLate: 'hold', holdLimit: '10m' };
    expect(await ask(given)).toMatchObject([{ status: 'timeout', hold: true }]);
    const [over] = await ask(given, undefined, { receivedAt: NOW - 600_000 });
    expect(over?.status).toBe('timeout');
    expect(over?.hold).toBeUndefined();
  });

  it('is late before the module is', async () => {
    const { url } = await fake(() => undefined);
    const started = performance.now();
    expect(await ask({ url }, undefined, { until: started + 1500 })).toMatchObject([{ status: 'timeout' }]);
    expect(performance.now() - started).toBeLessThan(1500);
  });
});

describe('a service that misbehaves', () => {
  it.each<[string, Parameters<typeof startFakeService>[0], RegExp]>([
    ['answers no JSON', () => 'hello', /no verdict/],
    ['answers another shape', () => ({ findings: 'none' }), /no verdict/],
    ['answers more findings than it may', () => ({ findings: Array(101).fill({ status: 'malicious' }) }), /no verdict/],
    ['answers 500', () => 500, /HTTP 500/],
    ['answers 204', () => 204, /HTTP 204/],
    [
      'answers without an end',
      (_, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write('x'.repeat(65_536)));
        };
        response.on('drain', more);
        more();
        return undefined;
      },
      /more than/,
    ],
    ['closes the connection', (_, response) => void response.destroy(), /cannot be reached/],
    [
      'closes in the middle',
      (_, response) => {
        response.setHeader('content-length', '100');
        response.write('{"find', () => response.destroy());
        return undefined;
      },
      /cannot be reached/,
    ],
    [
      'redirects',
      (_, response) => {
        response.setHeader('location', '/elsewhere');
        return 307;
      },
      /redirects/,
    ],
    [
      'names a place elsewhere',
      (_, response) => {
        response.statusCode = 202;
        return { poll: 'http://127.0.0.1:1/steal' };
      },
      /elsewhere/,
    ],
    [
      'says later and not where',
      (_, response) => {
        response.statusCode = 202;
        return {};
      },
      /no verdict/,
    ],
  ])('and %s is an error', async (_, answer, expected) => {
    const { url, requests } = await fake(answer);
    await expect(ask({ url, verdictTimeout: '5s', token: 'abc' })).rejects.toThrow(expected);
    expect(requests).toHaveLength(1);
  });
});

describe('health', () => {
  it('is good when the service answers', async () => {
    const { url } = await fake(() => 405);
    await expect(
      createExternal(settingsSchema.parse({ url })).health?.(AbortSignal.timeout(5000)),
    ).resolves.toBeUndefined();
  });

  it('is bad when it fails or is not there', async () => {
    const { url } = await fake(() => 503);
    const detector = createExternal(settingsSchema.parse({ url }));
    await expect(detector.health?.(AbortSignal.timeout(5000))).rejects.toThrow('fails');
    for (const service of closing.splice(0)) await service.close();
    await expect(detector.health?.(AbortSignal.timeout(5000))).rejects.toThrow('cannot be reached');
  });
});

it.each([
  [{ url: 'http://127.0.0.1:9000/x' }, true],
  [{ url: 'https://user:password@host.example/' }, false],
  [{ url: 'ftp://host.example/' }, false],
  [{ url: 'nonsense' }, false],
  [{}, false],
  [{ url: 'http://h.example', statuses: ['clean'] }, false],
  [{ url: 'http://h.example', statuses: ['Bad'] }, false],
  [{ url: 'http://h.example', token: 'a\r\nb' }, false],
])('%j as settings: %s', (given, good) => {
  expect(external.settings.safeParse(given).success).toBe(good);
});

describe('the example of the documentation', () => {
  const message = makeMail('Hello', [{ name: 'a.exe', bytes: PROGRAM }]);

  it('answers at once', async () => {
    const service = await startExample();
    closing.push(service);
    expect(await ask({ url: service.url })).toEqual([]);
    expect(await ask({ url: service.url }, message)).toMatchObject([{ status: 'suspicious', object: 'a.exe' }]);
  });

  it('answers later', async () => {
    const hash = createHash('sha256').update(PROGRAM).digest('hex');
    const service = await startExample({ TAKES: '300', MALICIOUS: hash });
    closing.push(service);
    expect(await ask({ url: service.url, send: 'hash' }, message)).toMatchObject([
      { status: 'malicious', object: 'a.exe' },
    ]);
  });
});

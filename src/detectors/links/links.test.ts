import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sampleMail } from '../../../test/links/mails.js';
import { FakeDns } from '../../../test/support/fake-dns.js';
import { makeMail } from '../../../test/support/mail.js';
import { parseConfig } from '../../config/load.js';
import { readMessage } from '../../message/read.js';
import { createDetectors, watchDetectors } from '../active.js';
import { configureDetectors } from '../configure.js';
import type { Detector, Finding } from '../types.js';
import { links } from './links.js';
import { isListData } from './list-files.js';
import { ListWatcher } from './list-watch.js';

const LIMITS = { maxDepth: 16, maxParts: 1000, maxArchiveEntries: 1000, maxUnpacked: 2 ** 24 };

async function findingsOf(
  detector: Detector,
  bytes: Buffer,
  signal = new AbortController().signal,
): Promise<readonly Finding[]> {
  return await detector.inspect({
    message: readMessage(bytes, LIMITS),
    envelope: {
      sender: 'a@partner.test',
      recipients: [{ address: 'b@contoso.test' }],
      client: '192.0.2.1',
      helo: 'x',
      tls: false,
      trusted: false,
      smtpUtf8: false,
      eightBit: false,
    },
    intake: { anomalies: [], received: 0 },
    signal,
  });
}

async function detectorOf(given: Record<string, unknown>, data?: unknown): Promise<Detector> {
  return await links.create(links.settings.parse(given), { baseDirectory: '.', domains: ['contoso.test'], data });
}

const mismatch = sampleMail({ name: '', html: '<a href="https://evil.test/">https://www.other.test/</a>' });

describe('the settings', () => {
  it.each<[string, readonly string[]]>([
    ['off', []],
    ['protected', []],
    ['normal', ['phishing']],
    ['strict', ['phishing']],
  ])('mismatch: %s', async (strictness, expected) => {
    const detector = await detectorOf({ mismatch: strictness });
    expect((await findingsOf(detector, mismatch)).map(({ status }) => status)).toEqual(expected);
  });

  it('strict looks at mailings too, protected only at names of ours', async () => {
    const header = ['List-Id: <a.partner.test>'];
    const letter = (shown: string): Buffer =>
      sampleMail({ name: '', header, html: `<a href="https://u.ct.sendgrid.net/x">${shown}</a>` });
    expect(await findingsOf(await detectorOf({}), letter('www.other.test'))).toEqual([]);
    expect(await findingsOf(await detectorOf({ mismatch: 'strict' }), letter('www.other.test'))).toHaveLength(1);
    const firm = sampleMail({ name: '', html: '<a href="https://www.kaufhaus.com/">www.kaufhaus.de</a>' });
    expect(await findingsOf(await detectorOf({}), firm)).toEqual([]);
    expect(await findingsOf(await detectorOf({ mismatch: 'strict' }), firm)).toHaveLength(1);
    const ours = sampleMail({ name: '', html: '<a href="https://evil.test/">www.contoso.test</a>' });
    expect(await findingsOf(await detectorOf({ mismatch: 'protected' }), ours)).toHaveLength(1);
    expect(await findingsOf(await detectorOf({ mismatch: 'off' }), ours)).toEqual([]);
  });

  it('take further shorteners', async () => {
    const detector = await detectorOf({ shorteners: 'go.contoso-links.test' });
    const findings = await findingsOf(detector, makeMail('See https://go.contoso-links.test/1 and https://t.co/x'));
    expect(findings.map(({ status }) => status)).toEqual(['shortener', 'shortener']);
  });

  it.each([
    { protect: ['no domain'] },
    { protect: ['com'] },
    { mismatch: 'sometimes' },
    { dns: { lists: [] } },
    { dns: { lists: ['multi.surbl.test'], servers: ['dns.test'] } },
    { dns: { lists: [{ zone: 'a.test', mask: 0 }] } },
  ])('are refused: %j', (given) => {
    expect(links.settings.safeParse(given).success).toBe(false);
  });
});

describe('findings', () => {
  it('in an attachment bear its path, so that it can be taken out', async () => {
    const page = Buffer.from('<form action="https://evil.test/p"><input type=password></form>');
    const [finding] = await findingsOf(await detectorOf({}), makeMail('See', [{ name: 'open.html', bytes: page }]));
    expect(finding).toMatchObject({
      module: 'links',
      status: 'phishing',
      name: 'https://evil.test/p',
      object: 'open.html',
    });
  });

  it('are bounded, and a message with too many links is over a limit', async () => {
    const many = Array.from({ length: 200 }, (_, i) => `http://c0ntoso.test/${i}`).join('\r\n');
    expect(await findingsOf(await detectorOf({}), makeMail(many))).toHaveLength(50);
    const flood = Array.from({ length: 30_000 }, (_, i) => `http://h${i}.test/`).join('\r\n');
    expect((await findingsOf(await detectorOf({}), makeMail(flood))).map(({ status }) => status)).toEqual(['limit']);
  });

  it('are not waited for when the message is given up', async () => {
    const detector = await detectorOf({});
    await expect(findingsOf(detector, mismatch, AbortSignal.abort())).rejects.toThrow();
  });
});

describe('lists in files', () => {
  let folder: string;
  const closing: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-links-'));
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await rm(folder, { recursive: true, force: true });
  });

  async function configured(yaml: string) {
    const { config } = await parseConfig(`detectors: { links: ${yaml} }`, folder);
    return await configureDetectors(config.detectors, folder, config.source, 60_000, ['contoso.test']);
  }

  it('make malicious links of hosts, addresses, and what stands in a link', async () => {
    await writeFile(path.join(folder, 'bad.txt'), 'evil.test\nhttp://host.test/bad\n');
    const { specs, problems } = await configured('{ lists: ./bad.txt }');
    expect(problems).toEqual([]);
    const [active] = await createDetectors(specs);
    if (active === undefined) throw new Error('there is no detector');
    closing.push(async () => await active.detector.close?.());
    const text =
      'https://www.evil.test/a http://host.test/bad?x=1 http://host.test/good https://to.test/?u=https%3A%2F%2Fevil.test%2F';
    const findings = await findingsOf(active.detector, makeMail(text));
    expect(findings.map(({ status, name, detail }) => [status, name, detail])).toEqual([
      ['malicious-link', 'https://www.evil.test/a', 'it is on the list bad.txt'],
      ['malicious-link', 'http://host.test/bad?x=1', 'it is on the list bad.txt'],
      ['malicious-link', 'https://to.test/?u=https%3A%2F%2Fevil.test%2F', 'it is on the list bad.txt'],
    ]);
    const loaded = sampleMail({ name: '', html: '<img src="https://evil.test/pixel.png">' });
    expect(await findingsOf(active.detector, loaded)).toHaveLength(1);
  });

  it('say their age', async () => {
    const old = new Date('2026-01-02T03:04:05Z');
    await writeFile(path.join(folder, 'a.txt'), 'a.test\n');
    await writeFile(path.join(folder, 'b.txt'), 'b.test\nc.test\n');
    await utimes(path.join(folder, 'a.txt'), old, old);
    const { specs } = await configured('{ lists: [a.txt, b.txt], maxListAge: 7d }');
    const [active] = await createDetectors(specs);
    closing.push(async () => await active?.detector.close?.());
    const info = await active?.detector.databases?.(new AbortController().signal);
    expect(info).toEqual({ version: '3 entries in a.txt, b.txt', date: old, maxAge: 7 * 86_400_000 });
    expect(await (await detectorOf({})).databases?.(new AbortController().signal)).toBeUndefined();
  });

  it('that cannot be read stop the start, with the place', async () => {
    await writeFile(path.join(folder, 'junk.txt'), 'what is this?\n');
    const { problems } = await configured('{ lists: [missing.txt, ., junk.txt] }');
    const errors = problems.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ message }) => message)).toEqual([
      '`detectors.links`: the list "missing.txt" cannot be read: there is no such file',
      '`detectors.links`: the list "." cannot be read: it is a folder',
      'junk.txt is no list of hosts, domains or addresses',
    ]);
    expect(errors[0]?.place).toMatchObject({ line: 1, column: 31 });
    expect(problems.find(({ severity }) => severity === 'warning')?.place).toMatchObject({ file: 'junk.txt', line: 1 });
  });

  it('are read again when they change, and kept when they break', async () => {
    const file = path.join(folder, 'bad.txt');
    await writeFile(file, 'evil.test\n');
    const { specs } = await configured('{ lists: bad.txt }');
    const data = specs[0]?.data;
    if (!isListData(data)) throw new Error('there is no data');
    const said: string[] = [];
    const watcher = new ListWatcher(['bad.txt'], data, {
      baseDirectory: folder,
      report: (level, text) => said.push(`${level} ${text}`),
    });
    closing.push(async () => await watcher.close());
    const detector = await detectorOf({ lists: 'bad.txt' }, data);
    closing.push(async () => await detector.close?.());
    const finds = async (host: string, given = detector): Promise<boolean> =>
      (await findingsOf(given, makeMail(`https://${host}/`))).length > 0;
    const until = async (ask: () => Promise<boolean>): Promise<void> => {
      for (let left = 500; left > 0 && !(await ask()); left--) await sleep(10);
      expect(await ask()).toBe(true);
    };
    await watcher.look();
    expect(said).toEqual([]);

    await writeFile(file, 'other.test\nthird.test\n');
    await utimes(file, new Date(), new Date(Date.now() + 5_000));
    await watcher.look();
    await until(async () => (await finds('other.test')) && !(await finds('evil.test')));
    expect(said).toEqual(['info the list bad.txt was read again: 2 entries']);
    // A thread that starts later is given the lists of the start, and asks for those in force.
    const later = await detectorOf({ lists: 'bad.txt' }, data);
    closing.push(async () => await later.close?.());
    await until(async () => await finds('other.test', later));

    await writeFile(file, 'this is no list\n');
    await utimes(file, new Date(), new Date(Date.now() + 9_000));
    await watcher.look();
    await watcher.look();
    await rm(file);
    await watcher.look();
    expect(said.slice(1)).toEqual([
      'warn bad.txt: the changed list was not taken: bad.txt is no list of hosts, domains or addresses; the last one stays in force',
      'warn bad.txt: the list cannot be read any more: there is no such file; the last one stays in force',
    ]);
    expect(await finds('other.test')).toBe(true);
  });

  it('are followed for modules that have any', async () => {
    await writeFile(path.join(folder, 'bad.txt'), 'evil.test\n');
    const { specs } = await configured('{ lists: bad.txt }');
    const said: string[] = [];
    const watcher = watchDetectors(specs, (module, level, text) => said.push(`${module} ${level} ${text}`));
    closing.push(async () => await watcher.close());
    await utimes(path.join(folder, 'bad.txt'), new Date(), new Date(Date.now() + 5_000));
    for (let left = 1000; left > 0 && said.length === 0; left--) await sleep(10);
    expect(said).toEqual(['links info the list bad.txt was read again: 1 entries']);
  });
});

describe('DNS lists', () => {
  let dns: FakeDns;
  const open: Detector[] = [];

  beforeAll(async () => {
    dns = await FakeDns.start({
      'evil.test.surbl.test': { A: ['127.0.0.8'] },
      '7.100.51.198.surbl.test': { A: ['127.0.0.4'] },
      'refused.test.surbl.test': { A: ['127.0.0.1'] },
      'error.test.surbl.test': { A: ['127.255.255.254'] },
      'liar.test.surbl.test': { A: ['192.0.2.1'] },
      'silent.test.surbl.test': { silent: true },
      'failing.test.surbl.test': { rcode: 'SERVFAIL' },
    });
  });
  afterEach(async () => {
    for (const detector of open.splice(0)) await detector.close?.();
    dns.queries.length = 0;
  });
  afterAll(async () => await dns.close());

  async function asking(given: Record<string, unknown> = {}): Promise<Detector> {
    const detector = await detectorOf({
      dns: { lists: ['surbl.test'], servers: dns.address, timeout: '300ms', ...given },
    });
    open.push(detector);
    return detector;
  }

  const statuses = async (detector: Detector, text: string): Promise<readonly string[]> =>
    (await findingsOf(detector, makeMail(text))).map(
      ({ status, name = '', detail = '' }) => `${status} ${name} ${detail}`,
    );

  it('are asked for the registrable domain, once', async () => {
    const detector = await asking();
    const text = 'https://a.evil.test/ https://b.evil.test/ https://good.test/ http://contoso.test/';
    expect(await statuses(detector, text)).toEqual([
      'malicious-link https://a.evil.test/ it is on the list surbl.test',
      'malicious-link https://b.evil.test/ it is on the list surbl.test',
    ]);
    expect(dns.queries.map(({ name }) => name).sort()).toEqual(['evil.test.surbl.test', 'good.test.surbl.test']);
    expect(await statuses(detector, text)).toHaveLength(2);
    expect(dns.queries).toHaveLength(2);
  });

  it('are asked for IP addresses the other way round', async () => {
    expect(await statuses(await asking(), 'http://198.51.100.7/')).toEqual([
      'malicious-link http://198.51.100.7/ an IP address stands in place of a name; it is on the list surbl.test',
    ]);
  });

  it('answer by bits, and errors are no answers', async () => {
    const text = 'http://evil.test/ http://refused.test/ http://error.test/ http://liar.test/';
    expect(await statuses(await asking(), text)).toHaveLength(1);
    expect(await statuses(await asking({ lists: [{ zone: 'surbl.test', mask: 8 }] }), text)).toHaveLength(1);
    expect(await statuses(await asking({ lists: [{ zone: 'surbl.test', mask: 16 }] }), text)).toHaveLength(0);
  });

  it.each(['silent', 'failing'])(
    'that are %s are an error beside what was found, and are left alone for a while',
    async (host) => {
      const detector = await asking();
      expect(await statuses(detector, `http://${host}.test/ http://c0ntoso.test/`)).toEqual([
        'phishing http://c0ntoso.test/ c0ntoso.test looks like contoso.test',
        'error  a DNS list did not answer',
      ]);
      const asked = dns.queries.length;
      expect(await statuses(detector, 'http://another.test/')).toEqual(['error  a DNS list did not answer']);
      expect(dns.queries).toHaveLength(asked);
    },
  );

  it('are asked about so many domains and no more', async () => {
    const text = Array.from({ length: 20 }, (_, i) => `http://h${i}.test/`).join(' ');
    expect(await statuses(await asking({ maxLookups: 5 }), text)).toEqual([
      'limit  the message has more domains than are looked up in DNS lists',
    ]);
    expect(dns.queries).toHaveLength(5);
  });

  it('do not keep a message that is given up', async () => {
    const stop = new AbortController();
    const detector = await asking({ timeout: '20s' });
    const running = findingsOf(detector, makeMail('http://silent.test/'), stop.signal);
    stop.abort();
    expect((await running).map(({ status }) => status)).toEqual(['error']);
  });
});

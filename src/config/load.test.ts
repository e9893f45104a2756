import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, parseConfig, type LoadedConfig } from './load.js';
import { ConfigError, formatProblem, type Problem } from './problems.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-config-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function problemsOf(text: string): Promise<readonly Problem[]> {
  try {
    await parseConfig(text, folder);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

async function lines(text: string): Promise<string[]> {
  return (await problemsOf(text)).map((p) =>
    formatProblem({ ...p, ...(p.place && { place: { ...p.place, excerpt: '' } }) }),
  );
}

describe('defaults', () => {
  it('makes a working gateway of no file at all', async () => {
    const { config, warnings } = await loadConfig(undefined, folder);
    expect(warnings).toEqual([]);
    expect(config.file).toBeUndefined();
    expect(config.smtp.listen).toEqual([{ host: '127.0.0.1', port: 2525, implicitTls: false }]);
    expect(config.domains).toEqual(['example.org']);
    expect(config.delivery.nextHop).toEqual(['maildir:./data/inbox']);
    expect(config.data).toBe(path.join(folder, 'data'));
    expect(config.detectors.map((d) => d.name)).toEqual(['content', 'signatures', 'links', 'antispam']);
    expect(config.notifications.from).toBe('Gatepost <gatepost@example.org>');
  });

  it('makes the same of an empty file and of one with comments only', async () => {
    for (const text of ['', '# nothing yet\n', '---\n']) {
      const { config } = await parseConfig(text, folder);
      expect(config.smtp.hostname).toBe('mx.example.org');
    }
  });

  it('takes gatepost.yaml of the working directory, and refuses a named file that is not there', async () => {
    await writeFile(path.join(folder, 'gatepost.yaml'), 'domains: [a.example]\n');
    expect((await loadConfig(undefined, folder)).config.domains).toEqual(['a.example']);
    await expect(loadConfig('other.yaml', folder)).rejects.toThrow(/other\.yaml: there is no such file/);
  });
});

describe('a value of the right kind that is written wrongly', () => {
  it.each([
    ['scan: { deadline: 60 }', '`scan.deadline`: 60 is not a span of time', 'write it as 60s, 15m, 4h or 3d'],
    ['scan: { deadline: "60" }', '"60" is not a span of time', 'write it as 60s, 15m, 4h or 3d'],
    ['health: 10', '`health`: 10 is not a span of time', 'write it as 10s'],
    ['delivery: { inlineTimeout: 15 }', '`delivery.inlineTimeout`: 15 is not a span', 'write it as 15s'],
    ['delivery: { retry: { delays: [1m, 5] } }', '5 is not a span', 'write it as 5s'],
    ['delivery: { retry: { delays: 5 } }', '5 is not a span', 'write it as 5s'],
    ['delivery: { retry: { warnAfter: 4 } }', '4 is not a span', 'write it as 4s'],
    ['smtp: { timeouts: { data: -1 } }', '-1 is not a span', 'write it as 90s'],
    ['notifications: { events: { changeInterval: 15 } }', '15 is not a span', 'write it as 15s'],
    ['notifications: { interval: 8d }', '`notifications.interval`: must be at most 7d', ''],
    ['smtp: { processes: 33 }', '`smtp.processes`: must be from 1 to 32', ''],
    ['smtp: { maxRecipients: 0 }', '`smtp.maxRecipients`: must be at least 1', ''],
    [
      'notifications: { webhooks: [{ url: "https://h", secret: x, ca: ./none.pem }] }',
      '`notifications.webhooks[0].ca`: there is no file /',
      '',
    ],
    [
      'notifications: { webhooks: [{ url: "https://us%er:pass@h/", secret: x }] }',
      '`notifications.webhooks[0].url`: cannot be used: in user and password write a percent sign as %25',
      '',
    ],
  ])('%s', async (text, message, hint) => {
    const [problem = '', more] = await lines(`${text}\n`);
    expect(problem).toContain(message);
    expect(problem).toContain(hint);
    expect(more).toBeUndefined();
  });
});

describe('values', () => {
  const good = async (text: string): Promise<LoadedConfig['config']> => (await parseConfig(text, folder)).config;

  it('reads spans, sizes, single values for lists, and TLS listeners', async () => {
    const config = await good(`
smtp: { listen: "tls://[::1]:465", maxMessageSize: 10MB, timeouts: { stop: 5s } }
delivery: { nextHop: "smtp://10.0.0.5:25", retry: { delays: [10s, 2m] } }
domains: one.example
`);
    expect(config.smtp.listen).toEqual([{ host: '::1', port: 465, implicitTls: true }]);
    expect(config.smtp.maxMessageSize).toBe(10_000_000);
    expect(config.smtp.timeouts.stop).toBe(5000);
    expect(config.delivery.retry.delays).toEqual([10_000, 120_000]);
    expect(config.domains).toEqual(['one.example']);
  });

  it('reads the rate and the interval of notifications', async () => {
    const { notifications } = await good('notifications: { rate: 3/m, interval: 90s, separate: false }\n');
    expect(notifications).toMatchObject({ rate: { count: 3 }, interval: 90_000, separate: false });
    expect((await good('notifications: { interval: 5, rate: off }\n')).notifications).toMatchObject({
      interval: 300_000,
      rate: 'off',
    });
    expect(await lines('notifications: { rate: 60/w }\n')).toEqual([
      'gatepost.yaml:1:24: error: `notifications.rate`: "60/w" is not a rate\n  write it as 60/m, 1000/h or 5/10s, or off',
    ]);
    expect(await lines('notifications: { interval: 8d }\n')).toEqual([
      'gatepost.yaml:1:28: error: `notifications.interval`: must be at most 7d',
    ]);
    expect(await lines('notifications: { separate: 1 }\n')).toEqual([
      'gatepost.yaml:1:28: error: `notifications.separate`: expected true or false, not 1\n  write true',
    ]);
  });

  it('takes `off` for the whole of http, as for its listen', async () => {
    expect((await good('http: off\n')).http).toEqual((await good('http: { listen: off }\n')).http);
    expect(await lines('http: { listn: off }\n')).toEqual([
      'gatepost.yaml:1:9: error: unknown key `http.listn`\n  did you mean `listen`?',
    ]);
    expect(await lines('http: on\n')).toEqual(['gatepost.yaml:1:7: error: `http`: expected a map, not "on"']);
  });

  it('replaces ${NAME} from the environment and refuses one that is not set', async () => {
    process.env['GATEPOST_TEST_PASSWORD'] = 's3cret';
    try {
      const config = await good('notifications: { server: "smtp://u:${GATEPOST_TEST_PASSWORD}@mail.example:587" }\n');
      expect(config.notifications.server).toBe('smtp://u:s3cret@mail.example:587');
    } finally {
      delete process.env['GATEPOST_TEST_PASSWORD'];
    }
    expect(await lines('node:\n  comment: "${GATEPOST_NOT_SET}"\n')).toEqual([
      'gatepost.yaml:2:12: error: the environment variable GATEPOST_NOT_SET is not set\n  set it, or write the value instead of ${GATEPOST_NOT_SET}',
    ]);
  });
});

describe('mistakes are named with place and suggestion', () => {
  it.each([
    ['domain: [a.example]\n', 'gatepost.yaml:1:1: error: unknown key `domain`\n  did you mean `domains`?'],
    [
      'smtp:\n  listne: "127.0.0.1:25"\n',
      'gatepost.yaml:2:3: error: unknown key `smtp.listne`\n  did you mean `listen`?',
    ],
    [
      'smtp:\n  listen: ["nonsense"]\n',
      'gatepost.yaml:2:12: error: `smtp.listen[0]`: "nonsense" is not an address to listen on\n  write it as 127.0.0.1:2525, [::1]:2525 or tls://0.0.0.0:465',
    ],
    [
      'smtp: { lineEndings: normalise }\n',
      'gatepost.yaml:1:22: error: `smtp.lineEndings`: "normalise" is not one of normalize, reject\n  did you mean `normalize`?',
    ],
    [
      'smtp: { maxMessageSize: 10 elephants }\n',
      'gatepost.yaml:1:25: error: `smtp.maxMessageSize`: "10 elephants" is not a size\n  write it as 500KB, 50MiB or 1GB; a bare number is bytes',
    ],
    [
      'scan: { deadline: soon }\n',
      'gatepost.yaml:1:19: error: `scan.deadline`: "soon" is not a span of time\n  write it as 90s, 15m, 4h or 3d',
    ],
    [
      'delivery: { nextHop: "10.0.0.5" }\n',
      'gatepost.yaml:1:22: error: `delivery.nextHop`: not a next hop\n  write it as maildir:./folder, smtp://host:25 or smtps://user:password@host:465',
    ],
    [
      'trusted: ["10.0.0.0/8", "10.0.0.1/8"]\n',
      'gatepost.yaml:1:25: error: "10.0.0.1/8" is an address inside a network, and not the network\'s first one\n  did you mean the network 10.0.0.0/8, or the single address 10.0.0.1?',
    ],
    [
      'node: { timezone: Europe/Berlinn }\n',
      'gatepost.yaml:1:19: error: `node.timezone`: not a time zone\n  write it as in Europe/Berlin or UTC',
    ],
    ['rules: ./nowhere\n', 'gatepost.yaml:1:8: error: `rules`: there is no folder "./nowhere"'],
    [
      'domains: [a.example]\ndomains: [b.example]\n',
      'gatepost.yaml:2:1: error: this key stands twice in one map\n  merge the two, or remove one; if a new entry of a list begins here, put "- " before it',
    ],
    [
      'smtp:\n\tlisten: x\n',
      'gatepost.yaml:2:1: error: the line begins with a tab\n  indent with spaces: YAML does not take tabs',
    ],
    ['- a\n- b\n', 'gatepost.yaml:1:1: error: the file: expected a map, not a list'],
    ['smtp: { tls: { cert: a.pem } }\n', 'gatepost.yaml:1:14: error: `smtp.tls.key` is missing'],
  ])('%j', async (text, expected) => {
    expect(await lines(text)).toContain(expected);
  });

  it('tells all of them at once', async () => {
    const found = await problemsOf('domain: [x]\nsmtp: { listne: 1, maxRecipients: 0 }\nscan: { deadline: soon }\n');
    expect(found.length).toBe(4);
  });

  it('refuses text that is not UTF-8, and aliases that expand without end', async () => {
    expect((await problemsOf('domains: [\uFFFD]\n'))[0]?.message).toBe('the file is not UTF-8 text');
    const bomb =
      'a: &a [x,x,x,x,x,x,x,x,x]\n' +
      'bcdefgh'
        .split('')
        .map((k, i) => `${k}: &${k} [${`*${'abcdefgh'[i] ?? ''},`.repeat(9)}]`)
        .join('\n');
    expect((await problemsOf(bomb))[0]?.message).toMatch(/alias/i);
  });
});

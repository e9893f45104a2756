import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sendMail } from '../../src/cli/demo/smtp-client.js';
import { openStore } from '../../src/store/open.js';
import { silentLog } from '../../src/telemetry/log.js';
import { makeSite, runGatepost, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { makeMail } from '../support/mail.js';
import { startTestStore } from '../support/postgres.js';
import { redisMissing, startRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const RULES = `rules:
  - id: kept
    name: Kept
    match: { recipient: ["kept@example.org", "also@example.org"] }
    on:
      content:
        - { id: all, name: Everything, when: { subject: "*keep*" }, action: discard, quarantine: true }
        - { id: tagged, name: Tagged, when: { subject: "*keep*" }, tag: "[x]" }
  - id: watched
    name: Watched
    mode: audit
    match: { recipient: ["*@example.org"] }
    on:
      content:
        - { id: all, name: Everything, when: { subject: "*keep*" }, action: reject }
  - id: rest
    name: Rest
    match: { recipient: ["*@example.org"] }
`;

const settings = (more = ''): string =>
  `smtp: { listen: ["127.0.0.1:0"] }\ndelivery: { nextHop: "maildir:./inbox", retry: { delays: [1s] } }\n${more}`;

const idIn = (reply: string): string => /\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/.exec(reply)?.[0] ?? '';

const send = async (gateway: RunningGateway, recipients: readonly string[], subject: string): Promise<string> =>
  await sendMail('127.0.0.1', gateway.port, {
    sender: 'a@partner.example',
    recipients,
    bytes: makeMail('text', [], subject),
  });

const itemsShape = z.array(
  z.looseObject({ id: z.string(), recipients: z.array(z.string()), rule: z.string(), state: z.string() }),
);

const releasedIn = (mails: readonly Buffer[]): number =>
  mails.filter((mail) => mail.includes('X-Gatepost-Action: released')).length;

describe('the quarantine from the command line', () => {
  let site: Site;
  let gateway: RunningGateway;
  let id: string;
  const run = async (...args: string[]) => await runGatepost([...args, '--config', site.config]);
  const list = async (...args: string[]) =>
    itemsShape.parse(JSON.parse((await run('quarantine', 'list', '--json', ...args)).stdout));

  beforeAll(async () => {
    site = await makeSite(settings(), { 'rules/10.yaml': RULES });
    gateway = await startGatewayProcess(site);
    id = idIn(await send(gateway, ['kept@example.org', 'rest@example.org'], 'keep one'));
    await send(gateway, ['kept@example.org'], 'keep two');
    await send(gateway, ['rest@example.org'], 'three');
  });

  afterAll(async () => {
    if (gateway.process.exitCode === null) await gateway.stop();
    await site.remove();
  });

  it('lists by what is asked for', async () => {
    expect(await list()).toHaveLength(2);
    expect((await list('--id', id)).map((i) => [i.id, i.recipients, i.rule, i.state])).toEqual([
      [id, ['kept@example.org'], 'kept', 'stored'],
    ]);
    for (const fits of [
      ['--recipient', 'KEPT@example.org'],
      ['--finding', 'content.all'],
      ['--since', '1h'],
    ])
      expect(await list(...fits)).toHaveLength(2);
    for (const none of [
      ['--until', '1h'],
      ['--id', '0'.repeat(26)],
    ])
      expect(await list(...none)).toEqual([]);
    expect(await list('--limit', '1')).toHaveLength(1);
    const { stdout } = await run('quarantine', 'list', '--limit', '1');
    const [head = '', row = '', more] = stdout.split('\n');
    expect(row.indexOf('a@partner.example')).toBe(head.indexOf('sender'));
    expect(more).toBe('(the newest 1; --limit shows more, --all shows all)');
  });

  it('says what is wrong, and what to do', async () => {
    for (const args of [
      ['list', '--since', 'yesterday'],
      ['list', '--limit', '0'],
      ['release', 'xyz'],
      ['release', id, '--to', 'nobody'],
      ['delete', id, 'xyz'],
    ])
      expect([args, (await run('quarantine', ...args)).status]).toEqual([args, 2]);
    for (const command of ['show', 'release', 'delete']) {
      const { status, stderr } = await run('quarantine', command, '0'.repeat(26));
      expect([status, stderr]).toEqual([1, expect.stringContaining('gatepost trace')]);
    }
  });

  it('shows the story, and the very bytes', async () => {
    const shown = (await run('quarantine', 'show', id)).stdout;
    for (const part of ['a@partner.example', 'keep one', 'Decision for kept@example.org: discard by kept', 'discarded'])
      expect(shown).toContain(part);
    const record = z
      .looseObject({
        decisions: z.array(z.unknown()),
        deliveries: z.array(z.unknown()),
        releases: z.array(z.unknown()),
      })
      .parse(JSON.parse((await run('quarantine', 'show', id, '--json')).stdout));
    expect([record.decisions.length, record.deliveries.length, record.releases.length]).toEqual([1, 2, 0]);
    expect((await run('quarantine', 'show', id, '--raw')).stdout).toBe(
      makeMail('text', [], 'keep one').toString('latin1'),
    );
  });

  it('counts what rules did', async () => {
    const hits = z.looseObject({ matched: z.number(), decided: z.number(), audited: z.number() });
    const shape = z.array(hits.extend({ id: z.string(), responses: z.array(hits.extend({ key: z.string() })) }));
    const counts = await until('the counters', async () => {
      const rules = shape.parse(JSON.parse((await run('rules', '--json')).stdout));
      return rules.find((rule) => rule.id === 'rest')?.matched === 2 && rules;
    });
    const triple = (r: z.infer<typeof hits>): number[] => [r.matched, r.decided, r.audited];
    expect(
      counts.slice(0, 3).map((r) => [r.id, ...triple(r), ...r.responses.map((one) => [one.key, ...triple(one)])]),
    ).toEqual([
      ['kept', 2, 2, 0, ['content.all', 2, 2, 0], ['content.tagged', 2, 0, 0]],
      ['watched', 4, 0, 4, ['content.all', 3, 0, 3]],
      ['rest', 2, 2, 0],
    ]);
    const { stdout } = await run('rules', '--responses');
    expect(stdout).toMatch(/^ *1 +kept +enforce +2 +2 +0 /m);
    expect(stdout).toContain('  content.tagged');
    expect((await run('rules', '--period', '1y')).status).toBe(2);
  });

  it('releases while the gateway runs and while it does not, once, and the trace tells it', async () => {
    expect((await run('quarantine', 'release', id)).status).toBe(0);
    await until('the released mail', async () => releasedIn(await site.inbox()) === 1);
    const again = await run('quarantine', 'release', id);
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('--again')]);
    await until('the delivery in the trace', async () => {
      const story = (await run('trace', id)).stdout;
      return /released .* to kept@example\.org/.test(story) && /kept@example\.org .* delivered /.test(story);
    });
    expect(JSON.parse((await run('trace', id, '--json')).stdout)).toMatchObject({
      quarantine: { state: 'released', releases: [{ recipients: ['kept@example.org'] }] },
    });

    await gateway.stop();
    const [other] = (await list()).filter((i) => i.state === 'stored');
    const released = await run(
      'quarantine',
      'release',
      other?.id ?? '',
      '--to',
      'x@example.org',
      '--to',
      'y@example.org',
    );
    expect([released.status, released.stderr]).toEqual([0, '']);
    expect(releasedIn(await site.inbox())).toBe(1);
    gateway = await startGatewayProcess(site);
    await until('the second one', async () => releasedIn(await site.inbox()) >= 2);
    const deleted = await run('quarantine', 'delete', id, other?.id ?? '', '0'.repeat(26));
    expect([deleted.status, deleted.stdout.match(/Deleted/g)?.length]).toEqual([1, 2]);
    expect(await list()).toEqual([]);
  });
});

describe.skipIf(redisMissing)('the store is away', () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  it('what a rule wants put aside is answered 451; beside others it is kept and put aside later', async () => {
    const database = await startTestStore();
    closing.push(() => database.stop());
    const url = `postgresql://gatepost@localhost/postgres?host=${encodeURIComponent(database.store.connection.host ?? '')}`;
    const redis = await startRedis(['--maxmemory-policy', 'noeviction']);
    closing.push(() => redis.dispose());
    const site = await makeSite(settings(`store: "${url}"\nqueue: "${redis.url}"\n`), { 'rules/10.yaml': RULES });
    closing.push(() => site.remove());
    const gateway = await startGatewayProcess(site);
    closing.push(async () => gateway.process.exitCode ?? (await gateway.stop()));
    expect(await send(gateway, ['kept@example.org'], 'keep before')).toMatch(/^250 /);

    await database.store.close();
    expect(await send(gateway, ['kept@example.org'], 'keep alone')).toMatch(/^451 4\.3\.0 /);
    const reply = await send(gateway, ['kept@example.org', 'rest@example.org', 'also@example.org'], 'keep mixed');
    expect(reply).toMatch(/^250 /);
    expect((await site.inbox()).filter((mail) => mail.includes('keep mixed'))).toHaveLength(1);

    const server = await openStore({ store: 'embedded', data: database.dataFolder }, silentLog());
    closing.push(() => server.close());
    const kept = await until(
      'the copy to be put aside',
      async () => (await server.quarantine.list({ id: idIn(reply) })).find(({ recipients }) => recipients.length === 2),
      60_000,
    );
    expect([...kept.recipients].sort()).toEqual(['also@example.org', 'kept@example.org']);
    expect((await server.quarantine.list()).map(({ subject }) => subject)).not.toContain('keep alone');
  });
});

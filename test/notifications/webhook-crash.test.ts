import { createServer, type Server } from 'node:http';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig, type Config } from '../../src/config/load.js';
import type { EventReporter } from '../../src/events/types.js';
import { systemClock } from '../../src/notifications/job.js';
import { webhooksOf, type Webhook } from '../../src/notifications/webhooks/hook.js';
import { lookForCalls } from '../../src/notifications/webhooks/look.js';
import { payloadSchema } from '../../src/notifications/webhooks/payload.js';
import { Webhooks, type WebhookOptions } from '../../src/notifications/webhooks/service.js';
import { openQueue } from '../../src/queue/open.js';
import { openStoreForCommand, type OpenStore } from '../../src/store/open.js';
import { urlOf } from '../../src/store/embedded/address.js';
import { silentLog } from '../../src/telemetry/log.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { redisMissing, startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

/** Never comes. */
const DEAD = new Promise<never>(() => undefined);

describe.skipIf(redisMissing)('webhooks on Redis, over deaths of workers', () => {
  let redis: TestRedis;
  let store: TestStore;
  let receiver: Server;
  let port: number;
  /** What is answered; undefined: nothing, ever. */
  let answer: (id: string, path: string) => number | undefined | Promise<number>;
  /** IDs as they came, by path. */
  let calls: { readonly path: string; readonly id: string }[];
  let config: Config;
  let hooks: readonly Webhook[];
  const closers: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    [redis, store] = await Promise.all([startRedis(), startTestStore()]);
    receiver = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { id } = payloadSchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
        const path = request.url ?? '';
        calls.push({ path, id });
        void Promise.resolve(answer(id, path)).then((status) => {
          if (status !== undefined) response.writeHead(status).end();
        });
      });
    });
    await new Promise<void>((resolve) => {
      receiver.listen(0, '127.0.0.1', resolve);
    });
    const address = receiver.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
  });
  afterAll(async () => {
    receiver.closeAllConnections();
    receiver.close();
    await Promise.all([redis.dispose(), store.stop()]);
  });
  beforeEach(async () => {
    calls = [];
    answer = () => 204;
    await redis.command('FLUSHALL');
    await configure('');
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  /** One webhook with an address of its own in each test. */
  async function configure(more: string, others: readonly string[] = []): Promise<void> {
    const of = (path: string, settings: string): string =>
      `{ url: "http://127.0.0.1:${port}/${path}", secret: 0123456789abcdef${settings} }`;
    const list = [of(randomUUID().slice(0, 8), more), ...others.map((path) => of(path, ', timeout: 1s'))];
    ({ config } = await parseConfig(
      `notifications: { retry: { delays: [100ms], lifetime: 1h }, webhooks: [${list.join(', ')}] }\n`,
      '/',
    ));
    hooks = webhooksOf(config);
  }

  /** A process of its own: with its own connections, and its own name to the store. */
  async function worker(changes: (store: OpenStore) => Partial<WebhookOptions> = () => ({})): Promise<void> {
    const own = await openStoreForCommand({ store: urlOf(store.store.connection), data: '/' });
    if (own === undefined) throw new Error('there is no database');
    const queue = await openQueue({ queue: redis.url }, own, silentLog(), { backoff: () => 50, interval: 100 });
    const webhooks = new Webhooks({
      hooks: () => hooks,
      settings: () => config.notifications,
      queue,
      store: own.webhooks,
      events: own.events,
      ledger: own.ledger,
      holds: own.holds,
      log: silentLog(),
      clock: systemClock,
      every: 100,
      ...changes(own),
    });
    closers.push(async () => {
      webhooks.close();
      await queue.close(0);
      await own.close();
    });
  }

  /** What the webhook is told of from now on. */
  async function beginning(): Promise<void> {
    await look();
  }

  async function look(): Promise<void> {
    const { events, webhooks, ledger } = store.store;
    await lookForCalls({ hooks, events, webhooks, ledger, minSeverity: 'warning', now: Date.now() });
  }

  async function raise(count: number): Promise<void> {
    const now = new Date();
    const of = (subject: string) => ({
      id: randomUUID(),
      change: 'raised' as const,
      condition: {
        event: 'detector-unavailable',
        node: 'gw1',
        subject,
        severity: 'error' as const,
        detail: 'it does not answer',
        first: now,
        last: now,
      },
    });
    await store.store.events.write(
      Array.from({ length: count }, () => of(randomUUID())),
      [],
    );
  }

  const owed = async (): Promise<number> => await store.store.webhooks.waiting(hooks[0]?.id ?? '');
  const states = async (): Promise<readonly string[]> =>
    (await store.store.notifications.list({ to: hooks[0]?.name ?? '' })).map(({ state }) => state);
  async function settled(): Promise<void> {
    await until('all to be settled', async () => (await owed()) === 0);
  }

  it('dies when the store has what is owed and the queue has not: the next one tells it, once', async () => {
    await beginning();
    await raise(3);
    await look();
    expect(await owed()).toBe(3);
    await worker();
    await until('the calls', () => Promise.resolve(calls.length === 3));
    await settled();
    expect(new Set(calls.map(({ id }) => id)).size).toBe(3);
    expect(await states()).toEqual(['sent', 'sent', 'sent']);
  });

  it('dies between the answer and the ledger: told again, with the same id; between ledger and store: not', async () => {
    await beginning();
    await raise(1);
    // Dead from there on, which the store hears of as little as the queue does; what it had in hand is over at once.
    const holds = { take: () => Promise.resolve(new Map()), extend: () => DEAD, release: () => Promise.resolve() };
    await worker(({ ledger }) => ({
      holds,
      ledger: {
        ...ledger,
        put: async (entry, kept) => (entry.state === 'sent' ? await DEAD : await ledger.put(entry, kept)),
      },
    }));
    await until('the call', () => Promise.resolve(calls.length === 1));
    await closers.pop()?.();
    await redis.command('FLUSHALL');
    await worker(({ webhooks }) => ({ holds, store: { ...webhooks, settle: () => DEAD } }));
    await until('the second call', () => Promise.resolve(calls.length === 2));
    await until('the ledger', async () => (await states())[0] === 'sent');
    expect(new Set(calls.map(({ id }) => id)).size).toBe(1);
    expect(await owed()).toBe(1);
    await closers.pop()?.();
    await redis.command('FLUSHALL');
    await worker();
    await settled();
    expect(calls).toHaveLength(2);
  });

  it('two workers tell each once, also while the queue is emptied under slow answers', async () => {
    await beginning();
    await Promise.all([worker(), worker()]);
    let flushed = (): void => undefined;
    const emptied = new Promise<void>((resolve) => (flushed = resolve));
    answer = async () => {
      await emptied;
      return 204;
    };
    await raise(40);
    await until('the first calls', () => Promise.resolve(calls.length > 0));
    await redis.command('FLUSHALL');
    flushed();
    await until('all calls', () => Promise.resolve(calls.length >= 40));
    await settled();
    expect(calls).toHaveLength(40);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(40);
  });

  it('over maxWaiting the first ones are kept, and what is not sent stands in the ledger and is an event', async () => {
    await configure(', maxWaiting: 5');
    await beginning();
    const raised: string[] = [];
    const reporter: EventReporter = {
      raise: (event, { subject }) => raised.push(`raised ${event} ${subject ?? ''}`),
      resolve: (event, subject) => raised.push(`resolved ${event} ${subject ?? ''}`),
    };
    answer = () => 503;
    await raise(12);
    await worker(() => ({ reporter }));
    const name = hooks[0]?.name ?? '';
    await until('the event', () => Promise.resolve(raised.includes(`raised notification-undeliverable ${name}`)));
    expect(await owed()).toBe(5);
    const rows = await store.store.notifications.list({ to: name, state: 'suppressed' });
    expect(rows.map(({ reason }) => reason)).toEqual(
      Array.from({ length: 7 }, () => '5 messages wait for this webhook (maxWaiting)'),
    );
    answer = () => 200;
    await settled();
    expect(raised).toContain(`resolved notification-undeliverable ${name}`);
    const told = new Set(calls.map(({ id }) => id));
    expect(told.size).toBe(5);
    expect(rows.filter(({ id }) => told.has(id))).toEqual([]);
    await raise(1);
    await until('the next one', () => Promise.resolve(new Set(calls.map(({ id }) => id)).size === 6));
  });

  it('one that says nothing holds up no other', async () => {
    const silent = randomUUID().slice(0, 8);
    await configure('', [silent]);
    await beginning();
    answer = (_, path) => (path === `/${silent}` ? undefined : 204);
    await worker();
    await raise(60);
    const told = (): number => calls.filter(({ path }) => path !== `/${silent}`).length;
    await until('the other one to be told of all', () => Promise.resolve(told() === 60));
    // Each of them takes a second of one that says nothing: they are not tried one after the other.
    expect(calls.length - told()).toBeLessThan(20);
  });
});

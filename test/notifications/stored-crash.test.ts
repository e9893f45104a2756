import { simpleParser } from 'mailparser';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig, PROGRAM_FOLDER } from '../../src/config/load.js';
import { StoredMails } from '../../src/notifications/collect/stored-mails.js';
import { notificationId } from '../../src/notifications/identity.js';
import type { NotificationJob } from '../../src/notifications/job.js';
import { queuedEntry } from '../../src/notifications/ledger-entry.js';
import { sendingRules } from '../../src/notifications/rate/desk.js';
import { MemorySending } from '../../src/notifications/rate/memory.support.js';
import { loadTemplates } from '../../src/notifications/templates/load.js';
import type { MailTransport } from '../../src/notifications/types.js';
import type { SendingStore } from '../../src/store/sending-types.js';
import { silentLog } from '../../src/telemetry/log.js';
import { FakeBackend, FakeClock, NODE, owedNotification } from './support.js';

const { templates } = await loadTemplates([path.join(PROGRAM_FOLDER, 'templates')], 'en');
const MINUTE = 60_000;

class Killed extends Error {}

/** The steps of a worker between which it can be killed. */
const STEPS = [
  'dueStorms',
  'claimSummary',
  'owedSummaries',
  'dueCollections',
  'summary',
  'startCollection',
  'record',
  'settleSummary',
  'settleCollection',
  'send',
] as const;
type Step = (typeof STEPS)[number];
interface Moment {
  readonly step: Step;
  readonly when: 'before' | 'after';
}

/** What a worker leaves behind when it is killed: the store, and what the server has. */
class World {
  readonly store = new MemorySending();
  readonly clock = new FakeClock();
  readonly sent: { readonly id: string; readonly bytes: Buffer }[] = [];

  /** Owes mails to one address, as a gateway has put them into the store. */
  async owe(to: string, count: number, yaml: string): Promise<void> {
    const { config } = await parseConfig(`notifications: { ${yaml} }`, import.meta.dirname);
    const rules = sendingRules(config.notifications, this.clock.now());
    for (let n = 0; n < count; n++) {
      const made = owedNotification({ to });
      const notification = { ...made, id: notificationId(made.traceId, made.template, to) };
      const job: NotificationJob = { notification };
      const wait = { how: 'together' as const, body: JSON.stringify(job) };
      await this.store.admit(
        [
          {
            entry: queuedEntry(notification, config.notifications.from, this.clock.now()),
            address: to,
            source: 'partner.example',
            ...(rules.interval === 0 ? {} : { wait }),
          },
        ],
        rules,
      );
    }
  }

  /** One worker: looks, and works off what it finds, with a queue that knows nothing. @returns whether it was killed */
  async work(yaml: string, kill?: Moment): Promise<boolean> {
    const { config } = await parseConfig(`notifications: { ${yaml} }`, import.meta.dirname);
    let dead = false;
    const at = (step: Step, when: Moment['when']): void => {
      if (kill?.step === step && kill.when === when) dead = true;
      if (dead) throw new Killed();
    };
    const sending = new Proxy<SendingStore>(this.store, {
      get: (target, name: string): unknown => {
        const step = STEPS.find((one) => one === name);
        const method: unknown = Reflect.get(target, name);
        if (step === undefined || typeof method !== 'function') return method;
        return async (...given: readonly unknown[]) => {
          at(step, 'before');
          const answer: unknown = await Reflect.apply(method, target, given);
          at(step, 'after');
          return answer;
        };
      },
    });
    const transport: MailTransport = {
      name: 'smtp://model:25',
      send: async ({ id, content }) => {
        at('send', 'before');
        const chunks: Buffer[] = [];
        for await (const chunk of content.read()) chunks.push(chunk);
        this.sent.push({ id, bytes: Buffer.concat(chunks) });
        at('send', 'after');
        return {
          recipients: [{ address: '', state: 'delivered', reply: { code: 250, text: 'ok' } }],
          hopFailed: false,
        };
      },
    };
    const queue = new FakeBackend();
    const stored = new StoredMails({
      config: () => config,
      transport,
      log: silentLog(),
      clock: this.clock,
      queue,
      sending,
      entry: (id) => Promise.resolve(this.store.rows.get(id)?.entry),
      templates,
      node: () => NODE,
    });
    try {
      await queue.look();
      await queue.run(this.clock.now());
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    } finally {
      stored.close();
    }
    return dead;
  }

  /** Rows in a state. */
  count(state: string): number {
    return [...this.store.rows.values()].filter(({ entry }) => entry.state === state).length;
  }
}

const MOMENTS = STEPS.flatMap((step): Moment[] => [
  { step, when: 'before' },
  { step, when: 'after' },
]);
/** The server has it, and the ledger does not know: the one window in which a mail goes twice. */
const inWindow = ({ step, when }: Moment, second: boolean): boolean =>
  (step === 'send' && when === 'after') || (second && step === 'record' && when === 'before');

describe('a worker that is killed', () => {
  it.each(MOMENTS.filter(({ step }) => !step.endsWith('Collection') && step !== 'dueCollections'))(
    '$when $step: every folded mail is told of in one summary, which is sent once',
    async (moment) => {
      const world = new World();
      const yaml = 'rate: 1/h';
      await world.owe('security@example.org', 6, yaml);
      world.clock.time += 60 * MINUTE;
      expect(await world.work(yaml, moment)).toBe(true);
      for (let n = 0; n < 3; n++) {
        world.clock.time += MINUTE;
        await world.work(yaml);
      }
      expect(world.count('folded')).toBe(5);
      expect(new Set(world.sent.map(({ id }) => id)).size).toBe(1);
      expect(world.sent).toHaveLength(inWindow(moment, false) ? 2 : 1);
      const mails = await Promise.all(world.sent.map(async ({ bytes }) => await simpleParser(bytes)));
      expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1);
      expect(mails[0]?.subject).toContain('(5)');
      expect([...world.store.summaries.values()].map(({ settled }) => settled)).toEqual([true]);
      expect([...world.store.rows.values()].map(({ entry }) => entry.kind === 'summary' && entry.state)).toContain(
        'sent',
      );
    },
  );

  it.each(MOMENTS.filter(({ step }) => !/ummar|Storm/.test(step)))(
    '$when $step: what was collected goes out in one mail, once',
    async (moment) => {
      const world = new World();
      const yaml = 'interval: 5, separate: false';
      await world.owe('security@example.org', 4, yaml);
      world.clock.time += 5 * MINUTE;
      expect(await world.work(yaml, moment)).toBe(true);
      for (let n = 0; n < 3; n++) {
        world.clock.time += MINUTE;
        await world.work(yaml);
      }
      expect(world.count('sent')).toBe(4);
      // Here the outcome is the first thing that is recorded.
      expect(world.sent).toHaveLength(inWindow(moment, true) ? 2 : 1);
      const mails = await Promise.all(world.sent.map(async ({ bytes }) => await simpleParser(bytes)));
      expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1);
      expect(mails[0]?.subject).toBe('[Gatepost] 4 notifications');
    },
  );
});

import { describe, expect, it } from 'vitest';
import { addDays, dateAt, instantOf } from '../../config/wall-clock.js';
import type { EventMail } from '../../store/event-mail-types.js';
import { lookForMails, setKey, type EventRecipients, type LookOptions } from './look.js';
import { MemoryEvents, MemoryMails } from './memory.support.js';
import type { EventSchedule } from './plan.js';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
const START = Date.parse('2026-01-01T12:00:00Z');
const SCHEDULE: EventSchedule = { at: 0, timezone: 'Europe/Berlin', changeInterval: 15 * MINUTE };
const ADMINS: EventRecipients = { to: ['postmaster@example.org'], language: 'en' };

function scene(given: Partial<LookOptions> = {}) {
  const events = new MemoryEvents();
  const mails = new MemoryMails();
  const look = async (now: number, more: Partial<LookOptions> = {}): Promise<readonly EventMail[]> =>
    await lookForMails({
      events,
      mails,
      recipients: [ADMINS],
      schedule: SCHEDULE,
      minSeverity: 'warning',
      now,
      ...given,
      ...more,
    });
  return { events, mails, look };
}

const said = (found: readonly EventMail[]): string[] =>
  found.flatMap((mail) =>
    mail.kind === 'daily'
      ? [`daily: ${mail.conditions.map(({ event }) => event).join(' ')}; over: ${mail.resolved.length}`]
      : mail.changes.map(({ change, condition }) => `${change} ${condition.event}`),
  );

describe('mails about changes', () => {
  it('tells the first at once, and collects the later ones to the end of the interval', async () => {
    const { events, look } = scene();
    expect(await look(START)).toEqual([]);
    events.raise('disk-low', START + 1000);
    expect(said(await look(START + 2000))).toEqual(['raised disk-low']);
    events.raise('spool-backlog', START + 3000);
    events.raise('store-unavailable', START + 4000);
    events.resolve('store-unavailable', START + 5000);
    events.resolve('disk-low', START + 6000);
    expect(await look(START + 7000)).toEqual([]);
    expect(await look(START + 2000 + 15 * MINUTE - 1)).toEqual([]);
    expect(said(await look(START + 2000 + 15 * MINUTE))).toEqual([
      'raised spool-backlog',
      'raised-and-resolved store-unavailable',
      'resolved disk-low',
    ]);
    expect(await look(START + 3 * HOUR)).toEqual([]);
  });

  it('tells nothing of what is less severe than `minSeverity`', async () => {
    const { events, look } = scene({ minSeverity: 'error' });
    await look(START);
    events.raise('certificate-expiring', START + 1, 'warning');
    expect(await look(START + 2)).toEqual([]);
    events.raise('disk-low', START + 3, 'error');
    expect(said(await look(START + 4))).toEqual(['raised disk-low']);
    expect(said(await look(START + DAY))).toEqual(['daily: disk-low; over: 0']);
  });

  it('tells that a condition became severe enough, and that it is over, however severe it is by then', async () => {
    const { events, look } = scene({ minSeverity: 'critical' });
    await look(START);
    events.raise('antivirus-databases-outdated', START + 1, 'error');
    expect(await look(START + 2)).toEqual([]);
    events.raise('antivirus-databases-outdated', START + HOUR, 'critical');
    expect(said(await look(START + HOUR))).toEqual(['raised antivirus-databases-outdated']);
    events.raise('antivirus-databases-outdated', START + 2 * HOUR, 'error');
    expect(await look(START + 2 * HOUR)).toEqual([]);
    events.resolve('antivirus-databases-outdated', START + 3 * HOUR);
    expect(said(await look(START + 3 * HOUR))).toEqual(['resolved antivirus-databases-outdated']);
  });

  it('goes on when the clock was set back', async () => {
    const { events, look } = scene();
    await look(START);
    events.raise('disk-low', START);
    await look(START);
    events.resolve('disk-low', START - 5 * DAY);
    expect(said(await look(START - 5 * DAY))).toEqual(['resolved disk-low']);
  });

  it('tells a set that is new, when others were told before, of what holds', async () => {
    const { events, look } = scene();
    await look(START);
    events.raise('disk-low', START + 1);
    events.raise('spool-backlog', START + 2);
    await look(START + 3);
    events.resolve('spool-backlog', START + 4);
    const more = { to: ['noc@example.org'], language: 'de' };
    const found = await look(START + 5, { recipients: [ADMINS, more] });
    expect(found.map(({ to, language }) => [to, language])).toEqual([[['noc@example.org'], 'de']]);
    expect(said(found)).toEqual(['raised disk-low']);
  });

  it('names each person of a set once', async () => {
    const to = ['Admin@example.org', 'noc@example.org', 'admin@example.org'];
    const { events, look } = scene({ recipients: [{ to, language: 'en' }] });
    await look(START);
    events.raise('disk-low', START + 1);
    expect((await look(START + 2)).map((mail) => mail.to)).toEqual([['Admin@example.org', 'noc@example.org']]);
  });

  it('knows a set by its people and language, not by their order', () => {
    expect(setKey({ to: ['A@x.example', 'b@x.example'], language: 'en' })).toBe(
      setKey({ to: ['b@x.example', 'a@X.example'], language: 'en' }),
    );
    expect(setKey({ to: ['a@x.example'], language: 'en' })).not.toBe(setKey({ to: ['a@x.example'], language: 'de' }));
  });
});

describe('the daily mail', () => {
  const midnight = instantOf('2026-01-02', 0, 'Europe/Berlin');

  it('comes at midnight when something holds, and not twice', async () => {
    const { events, look } = scene();
    await look(START);
    events.raise('disk-low', START + 1);
    await look(START + 2);
    expect(await look(midnight - 1)).toEqual([]);
    expect(said(await look(midnight))).toEqual(['daily: disk-low; over: 0']);
    expect(await look(midnight + 1)).toEqual([]);
    expect(await look(midnight + 23 * HOUR)).toEqual([]);
    events.resolve('disk-low', midnight + 23 * HOUR);
    expect(said(await look(midnight + 23 * HOUR))).toEqual(['resolved disk-low']);
    expect(await look(midnight + DAY)).toEqual([]);
  });

  it('does not use up the interval of changes, and leaves what is pending to them', async () => {
    const { events, look } = scene();
    await look(START);
    events.raise('disk-low', midnight - 2 * MINUTE);
    await look(midnight - 2 * MINUTE);
    events.raise('spool-backlog', midnight - MINUTE);
    expect(said(await look(midnight))).toEqual(['daily: disk-low spool-backlog; over: 0']);
    expect(said(await look(midnight + 13 * MINUTE))).toEqual(['raised spool-backlog']);
  });

  it('is made up once when it was missed, for what held then', async () => {
    const { events, look } = scene();
    await look(START);
    events.raise('disk-low', START + 1);
    await look(START + 2);
    // Everything is down for four days; what held is over in between.
    events.resolve('disk-low', midnight + 3 * DAY + 5);
    const found = await look(midnight + 3 * DAY + 2 * HOUR);
    expect(said(found)).toEqual(['resolved disk-low', 'daily: ; over: 1']);
    expect(await look(midnight + 3 * DAY + 3 * HOUR)).toEqual([]);
  });
});

/** A generator of numbers from 0 to 1, from a seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('a year of raises, resolves, crashes and restarts', () => {
  const SETS: readonly EventRecipients[] = [ADMINS, { to: ['noc@example.org', 'cio@example.org'], language: 'de' }];
  const NAMES = ['disk-low', 'spool-backlog', 'store-unavailable', 'next-hop-unavailable', 'queue-unavailable'];

  it.each([1, 2])('brings no mail twice and leaves no change untold (seed %i)', async (seed) => {
    const random = generator(seed);
    const { events, mails } = scene();
    const zone = ['Europe/Berlin', 'America/Santiago'][seed - 1] ?? 'UTC';
    const schedule = { at: seed === 1 ? 150 : 0, timezone: zone, changeInterval: 15 * MINUTE };
    mails.yields = random;
    const looked: number[] = [];
    const end = START + 365 * DAY;
    const look = async (now: number, crash: boolean): Promise<void> => {
      mails.crashes = crash ? random : undefined;
      const nodes = 1 + Math.floor(random() * 3);
      const results = await Promise.allSettled(
        Array.from(
          { length: nodes },
          async () => await lookForMails({ events, mails, recipients: SETS, schedule, minSeverity: 'warning', now }),
        ),
      );
      if (results.every(({ status }) => status === 'fulfilled')) looked.push(now);
      mails.crashes = undefined;
    };
    await look(START, false);
    let now = START;
    while (now < end) {
      // Seconds, minutes or hours later; now and then nothing runs for days.
      const kind = random();
      now +=
        kind < 0.5
          ? random() * MINUTE
          : kind < 0.9
            ? random() * HOUR
            : kind < 0.99
              ? random() * 6 * HOUR
              : random() * 3 * DAY;
      now = Math.floor(now);
      const name = NAMES[Math.floor(random() * NAMES.length)] ?? '';
      const node = random() < 0.5 ? 'gw1' : 'gw2';
      if (random() < 0.6) {
        if (events.holds(name, node)) events.resolve(name, now, node);
        else events.raise(name, now, 'error', node);
      }
      if (random() < 0.7) await look(now, random() < 0.2);
    }
    const quiet = end + DAY + HOUR;
    await look(quiet, false);
    await look(quiet + schedule.changeInterval, false);

    for (const set of SETS) {
      const own = mails.written.filter(({ to }) => String(to) === String(set.to));
      expect(new Set(own.map(({ id }) => id)).size).toBe(own.length);

      const changes = own.filter(({ kind }) => kind === 'change');
      const times = changes.map(({ time }) => time).sort((a, b) => a - b);
      expect(times.filter((time, i) => i > 0 && time - (times[i - 1] ?? 0) < schedule.changeInterval)).toEqual([]);
      // Each transition lies in the span of exactly one mail, and that mail names its condition.
      const spans = changes.map((mail) => ({ mail, end: Number(mail.id.split('/')[2]) })).sort((a, b) => a.end - b.end);
      let span = 0;
      const untold = events.all.filter(({ seq, condition: { event, node } }) => {
        while ((spans[span]?.end ?? Infinity) < seq) span++;
        return !spans[span]?.mail.changes.some(
          (told) => told.condition.event === event && told.condition.node === node,
        );
      });
      expect(untold).toEqual([]);

      const daily = new Set(own.filter(({ kind }) => kind === 'daily').map(({ id }) => id.split('/')[2]));
      for (let date = dateAt(START + DAY, zone); date < dateAt(end, zone); date = addDays(date, 1)) {
        const moment = instantOf(date, schedule.at, zone);
        const next = instantOf(addDays(date, 1), schedule.at, zone);
        const someoneLooked = looked.some((time) => time >= moment && time < next);
        const crashedOnly = !someoneLooked && daily.has(date);
        if (crashedOnly) expect(events.heldAt(moment)).toBe(true);
        else expect([date, daily.has(date)]).toEqual([date, someoneLooked && events.heldAt(moment)]);
      }
    }
  });
});

import type { Clock } from './job.js';
import type { NoticeClass } from './types.js';

/** Notices of one class that are sent in an hour: a stranger must not be able to flood the admins. */
export const NOTICES_AN_HOUR = 20;
const HOUR = 3_600_000;

interface Window<Notice> {
  /** When the notices of the last hour were sent, ms; oldest first. */
  sent: number[];
  /** How many were not sent since. */
  omitted: number;
  /** The last of them: sent as soon as there is room, so that nothing is dropped unsaid. */
  last?: Notice;
  timer?: NodeJS.Timeout;
}

export interface NoticeRateEvents<Notice> {
  /** There is room for what waited; with the number of others that were left out. */
  send(notice: Notice, omitted: number): void;
  /** There is no more room: this one is left out, and none was since one of its class was sent. */
  full(about: NoticeClass): void;
}

/** A sliding window for each class of notices. */
export class NoticeRate<Notice> {
  readonly #clock: Clock;
  readonly #events: NoticeRateEvents<Notice>;
  readonly #windows = new Map<NoticeClass, Window<Notice>>();

  constructor(clock: Clock, events: NoticeRateEvents<Notice>) {
    this.#clock = clock;
    this.#events = events;
  }

  /** @returns how many were left out before this one, which may be sent; undefined when it is left out too */
  take(about: NoticeClass, notice: Notice): number | undefined {
    const window = this.#windows.get(about) ?? { sent: [], omitted: 0 };
    this.#windows.set(about, window);
    const now = this.#clock.now();
    window.sent = window.sent.filter((time) => time > now - HOUR);
    const [oldest] = window.sent;
    if (oldest === undefined || window.sent.length < NOTICES_AN_HOUR) return this.#open(window, now);
    window.omitted += 1;
    if (window.omitted === 1) this.#events.full(about);
    window.last = notice;
    window.timer ??= this.#later(about, window, oldest + HOUR - now);
    return undefined;
  }

  /** @returns what was left out and will not be told any more, by class */
  close(): [NoticeClass, number][] {
    const left: [NoticeClass, number][] = [];
    for (const [about, window] of this.#windows) {
      clearTimeout(window.timer);
      if (window.omitted > 0) left.push([about, window.omitted]);
    }
    this.#windows.clear();
    return left;
  }

  #open(window: Window<Notice>, now: number): number {
    const { omitted } = window;
    window.sent.push(now);
    window.omitted = 0;
    delete window.last;
    clearTimeout(window.timer);
    delete window.timer;
    return omitted;
  }

  #later(about: NoticeClass, window: Window<Notice>, delay: number): NodeJS.Timeout {
    const timer = setTimeout(() => {
      delete window.timer;
      const { last } = window;
      if (last === undefined) return;
      // Counted again by `take` where there is still no room.
      window.omitted -= 1;
      const omitted = this.take(about, last);
      if (omitted !== undefined) this.#events.send(last, omitted);
    }, delay + 1);
    timer.unref();
    return timer;
  }
}

import type { TimeWindow } from './model.js';

export const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

/** `mon`, `Monday`, `mon-fri`, `sat-mon`: the days it names, 0 is Sunday; undefined when it names none. */
export function parseDays(text: string): number[] | undefined {
  const [first, last, ...rest] = text.split('-').map((part) => dayOf(part.trim()));
  if (first === undefined || first < 0 || rest.length > 0) return undefined;
  if (last === undefined) return [first];
  if (last < 0) return undefined;
  const days = [first];
  for (let day = first; day !== last; ) {
    day = (day + 1) % 7;
    days.push(day);
  }
  return days;
}

/** `08:00-18:00` as minutes since midnight; `24:00` is possible as an end. Undefined when it is no span. */
export function parseHours(text: string): { readonly from: number; readonly to: number } | undefined {
  const match = /^\s*(\d{1,2}):(\d{2})\s*[-\u2013]\s*(\d{1,2}):(\d{2})\s*$/.exec(text);
  if (match === null) return undefined;
  const from = minutes(match[1], match[2]);
  const to = minutes(match[3], match[4]);
  if (from >= 1440 || to > 1440 || Number(match[2]) > 59 || Number(match[4]) > 59 || from === to) return undefined;
  return { from, to };
}

/** A moment on the wall clock of a zone. */
export interface LocalTime {
  /** 0 is Sunday. */
  readonly day: number;
  /** Minutes since midnight. */
  readonly minute: number;
}

/** A clock of one time zone: moments in ms since the epoch to local time. */
export function zoneClock(timezone: string): (time: number) => LocalTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  let lastMinute = Number.NaN;
  let last: LocalTime = { day: 0, minute: 0 };
  return (time) => {
    const minute = Math.floor(time / 60_000);
    if (minute === lastMinute) return last;
    let day = 0;
    let hours = 0;
    let rest = 0;
    for (const part of format.formatToParts(time)) {
      if (part.type === 'weekday') day = dayOf(part.value);
      else if (part.type === 'hour') hours = Number(part.value);
      else if (part.type === 'minute') rest = Number(part.value);
    }
    lastMinute = minute;
    last = { day, minute: hours * 60 + rest };
    return last;
  };
}

/** A span that passes midnight belongs to the day on which it starts. */
export function inWindow(window: TimeWindow, { day, minute }: LocalTime): boolean {
  if (window.from < window.to) return minute >= window.from && minute < window.to && window.days.includes(day);
  return (
    (minute >= window.from && window.days.includes(day)) || (minute < window.to && window.days.includes((day + 6) % 7))
  );
}

const WEEK = 7 * 24 * 60;

/** Whether each moment of the later windows is one of the earlier ones; no windows are all of the week. */
export function timeCovers(earlier: readonly TimeWindow[] | undefined, later: readonly TimeWindow[] | undefined): boolean {
  if (earlier === undefined) return true;
  const taken = minutesOf(earlier);
  if (later === undefined) return taken.every((minute) => minute === 1);
  const wanted = minutesOf(later);
  return wanted.every((minute, i) => minute === 0 || taken[i] === 1);
}

/** For each minute of the week 1 where a window holds it. */
function minutesOf(windows: readonly TimeWindow[]): Uint8Array {
  const week = new Uint8Array(WEEK);
  for (const { days, from, to } of windows) {
    const length = from < to ? to - from : 1440 - from + to;
    for (const day of days)
      for (let minute = 0; minute < length; minute++) week[(day * 1440 + from + minute) % WEEK] = 1;
  }
  return week;
}

function dayOf(text: string): number {
  const lower = text.toLowerCase();
  return DAYS.findIndex((day) => lower === day || (lower.length > 3 && FULL_NAMES[day] === lower));
}

const FULL_NAMES: Readonly<Record<(typeof DAYS)[number], string>> = {
  sun: 'sunday',
  mon: 'monday',
  tue: 'tuesday',
  wed: 'wednesday',
  thu: 'thursday',
  fri: 'friday',
  sat: 'saturday',
};

function minutes(hours: string | undefined, rest: string | undefined): number {
  return Number(hours) * 60 + Number(rest);
}

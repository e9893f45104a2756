/** ms that the zone is ahead of UTC at that moment (ms since the epoch). @param timezone IANA name */
export function offsetAt(time: number, timezone: string): number {
  const name = formatOf(timezone)
    .formatToParts(time)
    .find(({ type }) => type === 'timeZoneName')?.value;
  const match = /([+-])(\d{2}):(\d{2})(?::(\d{2}))?/.exec(name ?? '');
  if (match === null) return 0;
  const [, sign, hours, minutes, seconds = '0'] = match;
  const offset = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -offset : offset;
}

/** The day that a zone's calendar shows at that moment, as `2026-11-21`. */
export function dateAt(time: number, timezone: string): string {
  return new Date(time + offsetAt(time, timezone)).toISOString().slice(0, 10);
}

/** The day before or after, as `2026-11-21`. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

/**
 * The moment of a day at which the zone's clocks show so many minutes after midnight, ms since the epoch. Of a time that
 * there is twice it is the first; where the clocks leap over it, the first moment behind the leap.
 */
export function instantOf(date: string, minutes: number, timezone: string): number {
  const shown = Date.parse(`${date}T00:00:00Z`) + minutes * MINUTE;
  const before = offsetAt(shown - DAY, timezone);
  const after = offsetAt(shown + DAY, timezone);
  const fitting = [shown - before, shown - after].filter((time) => time + offsetAt(time, timezone) === shown);
  if (fitting.length > 0) return Math.min(...fitting);
  let low = shown - Math.max(before, after);
  let high = shown - Math.min(before, after);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (middle + offsetAt(middle, timezone) > shown) high = middle;
    else low = middle;
  }
  return high;
}

const MINUTE = 60_000;
const DAY = 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timezone: string): Intl.DateTimeFormat {
  let format = formats.get(timezone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' });
    formats.set(timezone, format);
  }
  return format;
}

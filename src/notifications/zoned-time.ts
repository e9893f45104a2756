const formats = new Map<string, Intl.DateTimeFormat>();
/** The last answer of each zone: a mail says the same time in several places, and many mails one after the other. */
const last = new Map<string, { readonly second: number; readonly text: string }>();

/** `2026-11-21 17:05:09 +01:00` in a time zone. @param time ms since the epoch */
export function formatZoned(time: number, timezone: string): string {
  const second = Math.floor(time / 1000);
  const before = last.get(timezone);
  if (before?.second === second) return before.text;
  const text = formatted(time, timezone);
  last.set(timezone, { second, text });
  return text;
}

function formatted(time: number, timezone: string): string {
  let format = formats.get(timezone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone: timezone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'longOffset',
    });
    formats.set(timezone, format);
  }
  const parts = new Map(format.formatToParts(time).map((part) => [part.type, part.value]));
  const get = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  const offset = get('timeZoneName').replace('GMT', '');
  const day = `${get('year')}-${get('month')}-${get('day')}`;
  return `${day} ${get('hour')}:${get('minute')}:${get('second')} ${offset === '' ? '+00:00' : offset}`;
}

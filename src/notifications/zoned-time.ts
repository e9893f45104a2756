const formats = new Map<string, Intl.DateTimeFormat>();

/** `2026-11-21 17:05:09 +01:00` in a time zone. @param time ms since the epoch */
export function formatZoned(time: number, timezone: string): string {
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

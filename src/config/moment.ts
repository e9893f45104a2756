import { offsetAt } from './wall-clock.js';

/** `2026-11-21T17:05`, with seconds and a zone or without; a blank may stand for the T. */
const FORM = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.\d{1,3})?)?)?\s*(Z|[+-]\d{2}:?\d{2})?$/i;

/**
 * A moment as people write it, in ms since the epoch; undefined when it is none.
 * @param timezone IANA name of the zone that is meant where the text names none
 */
export function parseMoment(text: string, timezone: string): number | undefined {
  const match = FORM.exec(text.trim());
  if (match === null) return undefined;
  const [, day = '', minute = '00:00', second = '00', zone] = match;
  const utc = Date.parse(`${day}T${minute}:${second}Z`);
  // 31 February is read as a day of March: such a date is none.
  if (Number.isNaN(utc) || new Date(utc).toISOString().slice(0, 10) !== day) return undefined;
  if (zone === undefined) return fromWallClock(utc, timezone);
  return Date.parse(`${day}T${minute}:${second}${zoneWithColon(zone)}`);
}

function zoneWithColon(zone: string): string {
  return zone.includes(':') || zone.length < 5 ? zone.toUpperCase() : `${zone.slice(0, 3)}:${zone.slice(3)}`;
}

/** The moment at which the zone's clocks show what UTC's show at `utc`; of an hour that there is twice, the first. */
function fromWallClock(utc: number, timezone: string): number {
  const dayBefore = utc - offsetAt(utc - 86_400_000, timezone);
  if (dayBefore + offsetAt(dayBefore, timezone) === utc) return dayBefore;
  return utc - offsetAt(utc + 86_400_000, timezone);
}

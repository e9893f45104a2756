import { randomFillSync } from 'node:crypto';
import { monotonicFactory } from 'ulid';

/** The unique ID of a message: a ULID in upper case, 26 characters, sortable by time. */
export type TraceId = string & { readonly __brand: 'TraceId' };

/** Random bytes are drawn in bulk: one draw for each ID is a measurable part of a session. */
const pool = Buffer.alloc(4096);
let used = pool.length;

function random(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return (pool[used++] ?? 0) / 256;
}

/** ms by which a clock may be set back before IDs follow it: until then they go on where they were. */
const SET_BACK = 60_000;
let next = monotonicFactory(random);
let latest = 0;

/**
 * Makes a new trace ID. IDs of one process sort in the order of their making, also when the clock is set back a little;
 * when it was far ahead, later IDs do not bear that time for ever.
 */
export function newTraceId(now: number = Date.now()): TraceId {
  if (now < latest - SET_BACK) {
    next = monotonicFactory(random);
    latest = 0;
  }
  latest = Math.max(latest, now);
  return next(now) as TraceId;
}

/** The text as a trace ID, or undefined when it is none. Lower case is taken, as people type it. */
export function parseTraceId(text: string): TraceId | undefined {
  const upper = text.trim().toUpperCase();
  return /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(upper) ? (upper as TraceId) : undefined;
}

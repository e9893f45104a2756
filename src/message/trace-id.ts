import { monotonicFactory } from 'ulid';

/** The unique ID of a message: a ULID in upper case, 26 characters, sortable by time. */
export type TraceId = string & { readonly __brand: 'TraceId' };

const next = monotonicFactory();

/** Makes a new trace ID; IDs of one process sort in the order of their making. */
export function newTraceId(now: number = Date.now()): TraceId {
  return next(now) as TraceId;
}

/** The text as a trace ID, or undefined when it is none. Lower case is taken, as people type it. */
export function parseTraceId(text: string): TraceId | undefined {
  const upper = text.trim().toUpperCase();
  return /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(upper) ? (upper as TraceId) : undefined;
}

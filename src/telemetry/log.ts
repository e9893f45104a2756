import { pino, type Logger } from 'pino';
import { PinoPretty } from 'pino-pretty';

export type Log = Logger;

export interface LogSettings {
  readonly level: string;
  /** Readable lines for a terminal; JSON otherwise. */
  readonly pretty: boolean;
}

/** Makes the log of a process, written to standard output. Secrets never reach it: callers hand in masked names. */
export function createLog(settings: LogSettings): Log {
  if (!settings.pretty) return pino({ level: settings.level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const stream = PinoPretty({
    colorize: process.stdout.isTTY && process.stdout.hasColors(),
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss.l',
    sync: true,
  });
  return pino({ level: settings.level, base: null }, stream);
}

/** A log that says nothing, for tests and one-shot commands. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}

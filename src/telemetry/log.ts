import type { Writable } from 'node:stream';
import { pino, type Logger } from 'pino';
import { PinoPretty } from 'pino-pretty';
import { dotActing, escapeActing } from '../config/acting-characters.js';

export type Log = Logger;

export interface LogSettings {
  readonly level: string;
  /** Readable lines for a terminal; JSON otherwise. */
  readonly pretty: boolean;
}

/**
 * Makes the log of a process, written to standard output. Secrets never reach it: callers hand in masked names. What
 * strangers say in it does not act on the terminal on which it is read, now or later.
 */
export function createLog(settings: LogSettings, output?: Writable): Log {
  if (!settings.pretty) {
    const lines = output ?? pino.destination(1);
    const options = { level: settings.level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
    return pino(options, { write: (line) => lines.write(escapeActing(line)) });
  }
  const stream = PinoPretty({
    ...(output === undefined ? {} : { destination: output }),
    colorize: process.stdout.isTTY && process.stdout.hasColors(),
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss.l',
    sync: true,
  });
  return pino(
    { level: settings.level, base: null },
    {
      write: (line) => {
        stream.write(dotActing(line));
      },
    },
  );
}

/** A log that says nothing, for tests and one-shot commands. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}

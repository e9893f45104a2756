import type { Writable } from 'node:stream';
import { pino, type Logger } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { dotActing, escapeActing } from '../config/acting-characters.js';
import { HIDDEN } from '../config/secrets.js';
import { LogOutput } from './log-output.js';

export type Log = Logger;

/** Addresses in a line of JSON, where a quoted local part stands between escaped quotes. */
const ADDRESS = /(?:\\"[^"\\]{1,80}\\"|[^\s"<>()[\],;:\\*]{1,320})@(?:\[[^\s"\]]*\]|[^\s"<>()[\],;:\\*]{1,255})/gu;

/** A process has one log. */
let withAddresses = true;

export interface LogSettings {
  readonly level: string;
  /** Whether addresses may stand in it, also in what other servers say. */
  readonly addresses?: boolean;
  /** Readable lines for a terminal; JSON otherwise. */
  readonly pretty: boolean;
}

/**
 * Makes the log of a process, written to standard output. Secrets never reach it: callers hand in masked names. What
 * strangers say in it does not act on the terminal on which it is read, now or later.
 */
export function createLog(settings: LogSettings, output?: Writable): Log {
  const shown = settings.pretty ? prettyLines() : escapeActing;
  const lines = output ?? standardOutput(settings.pretty, shown);
  const timestamp = settings.pretty ? {} : { timestamp: pino.stdTimeFunctions.isoTime };
  const write = (line: string): void => void lines.write(shown(withAddresses ? line : line.replace(ADDRESS, HIDDEN)));
  withAddresses = settings.addresses ?? true;
  return pino({ level: settings.level, base: null, ...timestamp }, { write });
}

/** Other settings for the log of this process. */
export function changeLog(log: Log, { level, addresses = true }: Omit<LogSettings, 'pretty'>): void {
  log.level = level;
  withAddresses = addresses;
}

/** A log that says nothing, for tests and one-shot commands. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}

function prettyLines(): (line: string) => string {
  const pretty = prettyFactory({
    colorize: process.stdout.isTTY && process.stdout.hasColors(),
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss.l',
  });
  return (line) => pretty(dotActing(line));
}

/** @param sync for a terminal, on which other things are printed too @param shown makes of a line what is written */
function standardOutput(sync: boolean, shown: (line: string) => string): LogOutput {
  return new LogOutput(1, {
    sync,
    notice: (lost, reason) => {
      const line = { level: 40, time: new Date().toISOString(), lost, reason, msg: 'lines of the log were lost' };
      return shown(`${JSON.stringify(line)}\n`);
    },
    onLoss: (reason) =>
      process.stderr.write(`The log cannot be written (${reason}): its lines are lost until it can be again.\n`),
  });
}

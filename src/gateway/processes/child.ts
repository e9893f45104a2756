import cluster from 'node:cluster';
import { inForceMessage, readOrder, type LogLevel, type ReadyFacts } from './messages.js';
import type { ProcessPlace } from './place.js';

/** Names of the variables by which the process above tells one of its own which it is. */
export const PLACE = {
  number: 'GATEPOST_PROCESS',
  of: 'GATEPOST_PROCESSES',
  again: 'GATEPOST_PROCESS_AGAIN',
  died: 'GATEPOST_PROCESS_DIED',
};

/** Which of several processes this one is; undefined for one that was not started by another. */
export function processPlace(environment: NodeJS.ProcessEnv = process.env): ProcessPlace | undefined {
  if (!cluster.isWorker) return undefined;
  const number = Number(environment[PLACE.number]);
  const of = Number(environment[PLACE.of]);
  const died = environment[PLACE.died];
  if (!Number.isInteger(number) || !Number.isInteger(of) || number < 1) return undefined;
  return { number, of, again: environment[PLACE.again] === 'yes', ...(died === undefined ? {} : { died }) };
}

export interface ParentLine {
  /** Resolves with who asked for the stop. */
  readonly stop: Promise<string>;
  ready(facts: ReadyFacts): void;
}

/**
 * The line to the process above. When that is gone this process ends at once, whatever it does: as with a `kill -9`
 * nothing that was acknowledged is lost, and another may take its place.
 */
export function openParentLine(reload: () => void): ParentLine {
  const stop = new Promise<string>((resolve) => {
    process.on('message', (message) => {
      const order = readOrder(message);
      if (order === 'reload') reload();
      else if (order === 'stop') resolve('the process above');
      else if (order === 'answer') process.send?.({ answer: 'here' });
    });
    // Ctrl-C of a terminal reaches all processes; the one above sees to it that the stop comes to an end.
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => resolve(name));
  });
  return {
    stop,
    ready: (facts) => void process.send?.({ ready: facts }),
  };
}

/** Tells the process above what it goes by itself of the settings in force. Nothing for one that another did not start. */
export function tellInForce({ log }: { readonly log: { readonly level: LogLevel } }): void {
  if (cluster.worker?.isConnected() === true) process.send?.(inForceMessage(log.level));
}

/** Hangs up, after all is closed: the line alone keeps a process running. Nothing for one that another did not start. */
export function leaveParent(): void {
  if (cluster.worker?.isConnected() === true) cluster.worker.disconnect();
}

import { MAX_FINDINGS } from '../detectors/results.js';
import type { Finding } from '../detectors/types.js';
import type { IntakeReport } from '../message/envelope.js';
import type { Message } from '../message/types.js';

/** What intake and the structure showed: the message is not what it pretends to be. */
export function anomalyFindings(message: Message, intake: IntakeReport): Finding[] {
  return [
    ...intake.anomalies.map((name): Finding => ({ module: 'message', status: 'anomaly', name })),
    ...message.anomalies.map(({ name, detail, object }): Finding => ({
      module: 'message',
      status: 'anomaly',
      name,
      ...(object === undefined ? {} : { object }),
      ...(detail === undefined ? {} : { detail }),
    })),
  ];
}

/**
 * What could not be looked into. Every detector depends on it, so it counts whichever modules a rule turns off.
 * @param module that bears these findings: `content` when it is configured, so that its `onError` holds, else `message`
 */
export function problemFindings(message: Message, module: string): Finding[] {
  return message.problems.slice(0, MAX_FINDINGS).map(({ kind, object, detail }): Finding => ({
    module,
    status: kind,
    ...(object === undefined ? {} : { object }),
    detail,
  }));
}

import type { Finding } from '../detectors/types.js';
import type { Envelope, IntakeReport } from '../message/envelope.js';
import type { Message, MessageText } from '../message/types.js';

/** What rules are matched against: one message with its envelope, and what the modules found so far. */
export interface RuleSubject {
  readonly envelope: Envelope;
  readonly message: Message;
  /** Given when the rule set needs it and the text could be read. */
  readonly text?: MessageText;
  readonly intake: IntakeReport;
  /** ms since the epoch. */
  readonly receivedAt: number;
  readonly findings: readonly Finding[];
}

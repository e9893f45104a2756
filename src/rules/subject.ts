import type { SubjectView } from './view.js';
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
  /**
   * What rule sets keep of it, each under a key of its own. It stands here, and not in a WeakMap of theirs: one that has
   * grown old holds what young messages have left in it until the whole heap is cleared up.
   */
  readonly views?: Map<object, SubjectView>;
}

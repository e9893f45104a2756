import type { Finding } from '../detectors/types.js';
import type { Decision, SmtpReply } from '../rules/types.js';
import type { Inspection, InspectInput } from './types.js';

/** Rule name of a decision that no rule made. */
export const NO_RULE = 'none';

/** RFC 3463 3.8: a security failure of ours that may pass. */
const SCAN_DEFERRED: SmtpReply = {
  code: 451,
  enhanced: '4.7.1',
  text: 'The message cannot be scanned now, try again later',
};

/**
 * The outcome for a message that could not even be read: everyone is deferred, and nothing of the message is looked at.
 * @param size of the message in bytes
 * @param finding says why
 */
export function deferEveryone(input: InspectInput, size: number, finding: Finding): Inspection {
  const decision: Decision = {
    rule: NO_RULE,
    ruleName: 'Not decided by a rule',
    process: 'scan',
    action: 'defer',
    quarantine: false,
    fired: [],
    reply: SCAN_DEFERRED,
    removals: [],
    tags: [],
    headers: { set: {}, add: {}, remove: [] },
    warn: [],
    disclaimer: [],
    copy: [],
    additional: [],
    notes: [finding.detail ?? 'the message could not be inspected'],
  };
  const recipients = input.envelope.recipients.map(({ address }) => address);
  return {
    traceId: input.traceId,
    findings: [...(input.findings ?? []), finding],
    modules: [{ module: finding.module, status: finding.status, milliseconds: 0 }],
    // Never delivered from here, so what it asks of the next hop does not matter.
    facts: { size, subject: '', messageId: '', from: [], eightBit: input.envelope.eightBit },
    recipients: recipients.map((recipient) => ({ recipient, decision, considered: [] })),
    copies: [{ recipients, decision, edits: [], changes: [] }],
    audit: [],
    phases: { parse: 0, detect: 0, decide: 0, edit: 0 },
  };
}

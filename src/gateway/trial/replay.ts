import type { Config } from '../../config/load.js';
import { newTraceId } from '../../message/trace-id.js';
import type { Inspection, InspectInput } from '../../pipeline/types.js';
import { canonicalMessage } from '../../smtp/canonical.js';
import { changeOf, type Change } from './change.js';
import { trialEnvelope, type TrialSession } from './envelope.js';
import type { Inspecting } from './inspecting.js';
import type { StoredMail } from './mail-files.js';
import { UnusableMessage } from './message.js';
import { storedEnvelope } from './replay-envelope.js';
import { reportFor } from './report.js';

/** What came of one stored message under two rule sets. */
export interface Replayed {
  readonly mail: StoredMail;
  readonly recipients: number;
  readonly changes: readonly Change[];
  /** It could not be compared. */
  readonly problem?: string;
}

/** What every message of a replay has in common. */
export interface ReplayParts {
  readonly inspecting: Inspecting;
  readonly config: Config;
  readonly session: Pick<TrialSession, 'client' | 'helo'>;
  /** IDs of the rules of the other set. */
  readonly otherRules: ReadonlySet<string>;
}

/** Inspects a stored message once and decides it by both rule sets. A message that is broken is told, never fatal. */
export async function replayMail(
  mail: StoredMail,
  { inspecting, config, session, otherRules }: ReplayParts,
): Promise<Replayed> {
  const broken = (problem: string): Replayed => ({ mail, recipients: 0, changes: [], problem });
  let raw: Buffer;
  try {
    raw = await mail.load();
  } catch (error) {
    if (error instanceof UnusableMessage) return broken(error.message);
    throw error;
  }
  if (raw.length === 0) return broken('it is empty');
  const { bytes, intake } = canonicalMessage(raw, config.smtp.hostname);
  const stored = storedEnvelope(bytes, config.scan, config.smtp.maxRecipients);
  if (stored.recipients.length === 0) return broken('it names no recipient (Delivered-To, X-Original-To, To, Cc)');
  const input: InspectInput = {
    traceId: newTraceId(),
    envelope: trialEnvelope({ ...stored, ...session }, config),
    intake,
    receivedAt: stored.receivedAt ?? Date.now(),
    considered: 'all',
  };
  const inspection = await inspecting.inspect(input, bytes);
  const { against } = inspection;
  if (against === undefined) return broken('it could not be scanned');
  const other: Inspection = { ...inspection, ...against };
  const changes = inspection.recipients.flatMap((outcome) => {
    const after = against.recipients.find(({ recipient }) => recipient === outcome.recipient);
    if (after === undefined) throw new Error(`nothing was decided for ${outcome.recipient}`);
    const change = changeOf(
      mail.name,
      outcome.recipient,
      reportFor(outcome, inspection, input, config),
      reportFor(after, other, input, config),
      otherRules,
    );
    return change === undefined ? [] : [change];
  });
  return { mail, recipients: inspection.recipients.length, changes };
}

import type { Config } from '../../config/load.js';
import { newTraceId } from '../../message/trace-id.js';
import type { Inspection, InspectInput } from '../../pipeline/types.js';
import { compare } from '../../rules/cases/compare.js';
import type { Coverage } from '../../rules/cases/coverage.js';
import { plainAddress } from '../../rules/cases/load.js';
import type { Difference, Reached, TestCase } from '../../rules/cases/types.js';
import { canonicalMessage } from '../../smtp/canonical.js';
import { trialEnvelope } from './envelope.js';
import type { Inspecting } from './inspecting.js';
import { readMessageFile, UnusableMessage } from './message.js';
import { reportFor } from './report.js';

/** What came out of one test case. */
export interface CaseResult {
  readonly test: TestCase;
  readonly passed: boolean;
  /** For each recipient under `expect` that came out differently. */
  readonly failed: readonly { readonly recipient: string; readonly differences: readonly Difference[] }[];
  /** The case could not be run. */
  readonly error?: string;
}

/** Runs one case through the inspection of the gateway. @param coverage notes what is reached */
export async function runCase(
  test: TestCase,
  inspecting: Inspecting,
  config: Config,
  coverage: Coverage,
): Promise<CaseResult> {
  let raw: Buffer;
  try {
    raw = 'raw' in test.message ? Buffer.from(test.message.raw) : await readMessageFile(test.message.path);
  } catch (error) {
    if (!(error instanceof UnusableMessage)) throw error;
    return { test, passed: false, failed: [], error: `the message cannot be read: ${error.message}` };
  }
  const { bytes, intake } = canonicalMessage(raw, config.smtp.hostname);
  const input: InspectInput = {
    traceId: newTraceId(),
    envelope: trialEnvelope(test.envelope, config),
    intake,
    receivedAt: test.envelope.at ?? Date.now(),
    considered: 'all',
    ...(test.findings.length === 0 ? {} : { findings: test.findings }),
  };
  const inspection = await inspecting.inspect(input, bytes);
  const reached = new Map(
    inspection.recipients.map((outcome) => [
      plainAddress(outcome.recipient),
      { outcome, audit: inspection.audit.filter(({ recipient }) => recipient === outcome.recipient) },
    ]),
  );
  const failed = Object.entries(test.expect).flatMap(([recipient, { wanted }]) => {
    const found = reached.get(plainAddress(recipient));
    if (found === undefined) throw new Error(`nothing was decided for ${recipient}`);
    coverage.decided(found.outcome.decision);
    for (const audit of found.audit) coverage.audited(audit);
    const got: Reached = { ...reportFor(found.outcome, inspection, input, config), audit: found.audit };
    const differences = compare(wanted, got);
    return differences.length === 0 ? [] : [{ recipient, differences: [...differences, ...troubles(inspection)] }];
  });
  return { test, passed: failed.length === 0, failed };
}

/** Modules that failed: a case that runs them depends on their engines. */
function troubles({ modules }: Inspection): Difference[] {
  return modules
    .filter(({ status, cause }) => (status === 'error' || status === 'timeout') && cause !== undefined)
    .map(({ module, status, cause }) => ({
      key: `module ${module}`,
      expected: 'an answer',
      got: status,
      why: `${cause ?? ''}; give its \`findings\` in the case to do without it`,
    }));
}

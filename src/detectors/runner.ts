import { formatDuration } from '../config/units.js';
import type { ModuleRun } from '../pipeline/types.js';
import { internalReason, publicReason } from './failure.js';
import { checkFindings, tellingStatus } from './results.js';
import type { ActiveDetector, DetectorInput, Finding } from './types.js';

export interface DetectorResults {
  /** In the order of the detectors; a module without findings has one of status `clean`. */
  readonly findings: readonly Finding[];
  readonly runs: readonly ModuleRun[];
}

/**
 * Runs the detectors concurrently, each within its own timeout and the time that the message has left. Never rejects:
 * a detector that throws becomes an `error` finding, one that is late a `timeout` finding, and what it says after that
 * is not heard.
 * @param left ms until the message's deadline
 */
export async function runDetectors(
  detectors: readonly ActiveDetector[],
  input: Given,
  left: number,
): Promise<DetectorResults> {
  const all = await Promise.all(detectors.map(async (active) => await runOne(active, input, left)));
  return { findings: all.flatMap((one) => one.findings), runs: all.map((one) => one.run) };
}

async function runOne(
  { spec, detector }: ActiveDetector,
  input: Given,
  left: number,
): Promise<{ readonly findings: readonly Finding[]; readonly run: ModuleRun }> {
  const started = performance.now();
  const limit = Math.max(1, Math.min(spec.timeout, left));
  const asked = new AskedInput(input, started + limit);
  let findings: readonly Finding[];
  let cause: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => {
      // Settled before the abort, so that a detector that throws on it is still counted as late.
      resolve('late');
      asked.abort();
    }, limit);
  });
  try {
    const returned = await Promise.race([detector.inspect(asked), late]);
    if (returned === 'late') {
      const detail = `the module did not answer within ${formatDuration(limit)}`;
      findings = [{ module: spec.name, status: 'timeout', detail }];
    } else findings = checkFindings(returned, spec);
  } catch (error) {
    cause = internalReason(error);
    findings = [{ module: spec.name, status: 'error', detail: publicReason(error) }];
  } finally {
    clearTimeout(timer);
  }
  if (findings.length === 0) findings = [{ module: spec.name, status: 'clean' }];
  const run: ModuleRun = {
    module: spec.name,
    status: tellingStatus(findings),
    milliseconds: Math.round((performance.now() - started) * 1000) / 1000,
    ...(cause === undefined ? {} : { cause }),
  };
  return { findings, run };
}

type Given = Omit<DetectorInput, 'signal' | 'until'>;

/** What a detector is given. A class, as it is made for each module and message. */
class AskedInput implements DetectorInput {
  readonly message: DetectorInput['message'];
  readonly envelope: DetectorInput['envelope'];
  readonly intake: DetectorInput['intake'];
  declare readonly traceId?: string;
  declare readonly receivedAt?: number;
  readonly until: number;
  #abort: AbortController | undefined;
  #over = false;

  constructor(input: Given, until: number) {
    this.message = input.message;
    this.envelope = input.envelope;
    this.intake = input.intake;
    if (input.traceId !== undefined) this.traceId = input.traceId;
    if (input.receivedAt !== undefined) this.receivedAt = input.receivedAt;
    this.until = until;
  }

  /** Most modules never wait, and so never ask for it: it costs more than they do. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#over) this.#abort.abort();
    return this.#abort.signal;
  }

  abort(): void {
    this.#over = true;
    this.#abort?.abort();
  }
}

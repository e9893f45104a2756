import { tellingStatus } from '../detectors/results.js';
import { runDetectors } from '../detectors/runner.js';
import type { ActiveDetector, Finding, OnError } from '../detectors/types.js';
import type { Message, MessageText } from '../message/types.js';
import type { CompiledRule, RuleSet } from '../rules/compile.js';
import type { FoundInMessage } from './decisions.js';
import { anomalyFindings, problemFindings } from './message-findings.js';
import type { CpuMark } from './pulse.js';
import type { InspectInput, ModuleRun } from './types.js';

/** The part of the engine that scanning needs. */
export interface ScanEngine {
  readonly ruleSet: Pick<RuleSet, 'needsText'>;
  readonly detectors: readonly ActiveDetector[];
  /** ms for one message; detectors get what is left of it. */
  readonly deadline: number;
  /** Told when the message has the CPU. */
  readonly mark: CpuMark;
  /** By module: what is done about a failure when the deciding rule has no response to it. */
  readonly onError: ReadonlyMap<string, OnError>;
}

/** What was found in a message, for rules to decide on. */
export interface Scan extends FoundInMessage {
  readonly runs: readonly ModuleRun[];
}

export const NOTHING: Scan = { byModules: [], always: [], runs: [] };

/**
 * Lets the detectors that the rules want look at the message, and adds what intake, structure and parts showed.
 * @param started `performance.now()` when the message's time began
 * @param unreadable the finding that its text cannot be read
 */
export async function scanMessage(
  input: InspectInput,
  message: Message,
  rules: ReadonlySet<CompiledRule>,
  engine: ScanEngine,
  started: number,
  unreadable: Finding | undefined,
): Promise<Scan> {
  const headerOnly = input.depth === 'header';
  const given = input.findings ?? [];
  const injected = new Set(given.map((finding) => finding.module));
  const wanted = headerOnly
    ? []
    : engine.detectors.filter(
        ({ spec }) => !injected.has(spec.name) && [...rules].some((rule) => rule.wants(spec.name)),
      );
  const left = engine.deadline - (performance.now() - started);
  const { envelope, intake, traceId, receivedAt } = input;
  const running = runDetectors(wanted, { message, envelope, intake, traceId, receivedAt }, left);
  engine.mark.end();
  const results = await running;
  engine.mark.begin();

  // Read last: looking into an object can show that it is damaged.
  const bearer = problemModule(engine);
  const problems = headerOnly || injected.has(bearer) ? [] : problemFindings(message, bearer);
  if (unreadable !== undefined) problems.push(unreadable);
  const anomalies = !headerOnly && injected.has('message') ? [] : anomalyFindings(message, intake);
  const runs = given.length === 0 ? results.runs : [...results.runs, ...givenRuns(given)];
  if (problems.length === 0) return { always: anomalies, byModules: [...results.findings, ...given], runs };
  const failed = new Set(problems.map((finding) => finding.module));
  const byModules = [...results.findings, ...given].filter(
    (finding) => finding.status !== 'clean' || !failed.has(finding.module),
  );
  return { always: [...anomalies, ...problems], byModules, runs: withFailures(runs, problems) };
}

/** The module that bears what could not be looked into: `content`, so that its `onError` holds, if it is configured. */
function problemModule(engine: ScanEngine): string {
  return engine.onError.has('content') ? 'content' : 'message';
}

/** The text of the body, where a rule needs it. That no parser can read it is a finding, never an empty text. */
export async function readText(
  message: Message,
  input: InspectInput,
  engine: ScanEngine,
): Promise<{ readonly text?: MessageText; readonly problem?: Finding }> {
  if (!engine.ruleSet.needsText || input.depth === 'header') return {};
  try {
    return { text: await message.text() };
  } catch {
    const detail = 'the text of the message cannot be read';
    return { problem: { module: problemModule(engine), status: 'error', detail } };
  }
}

/** Runs of modules whose findings were given. */
function givenRuns(given: readonly Finding[]): ModuleRun[] {
  const modules = [...new Set(given.map((finding) => finding.module))];
  return modules.map((module) => ({
    module,
    status: tellingStatus(given.filter((finding) => finding.module === module)),
    milliseconds: 0,
  }));
}

/** The runs with what could not be looked into: a clean result of the module that bears it does not stand. */
function withFailures(runs: readonly ModuleRun[], problems: readonly Finding[]): ModuleRun[] {
  const status = tellingStatus(problems);
  const bearer = problems[0]?.module ?? 'message';
  if (!runs.some((run) => run.module === bearer)) return [...runs, { module: bearer, status, milliseconds: 0 }];
  return runs.map((run) => (run.module === bearer && run.status === 'clean' ? { ...run, status } : run));
}

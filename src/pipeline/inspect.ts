import { readMessage } from '../message/read.js';
import type { ScanLimits } from '../message/types.js';
import type { RuleSet } from '../rules/compile.js';
import type { RuleSubject } from '../rules/subject.js';
import { copiesOf, shareDecisions } from './copies.js';
import { decideRecipients, scanningRules, selectRules } from './decisions.js';
import { factsOf } from './facts.js';
import { NOTHING, readText, scanMessage, type ScanEngine } from './scan.js';
import { runWithClass, spamClassOfMessage, withClass } from './spam-class.js';
import type { Inspection, InspectInput } from './types.js';

/** Share of a message's time that a second reader of its structure may take. */
const SECOND_OPINION = 0.25;

/** What a thread inspects with; made once for a set of rules and detectors. */
export interface InspectEngine extends ScanEngine {
  readonly ruleSet: RuleSet;
  readonly limits: ScanLimits;
}

/**
 * Inspects one message: reads it, chooses a rule for each recipient, lets the detectors that these rules want look at
 * it, decides for each recipient, and plans the changes of each copy. A function of its arguments (and of the engines
 * behind the detectors): it touches no queue, database or session.
 * @param bytes the canonical message; read, never written, also later through the result
 */
export async function inspect(input: InspectInput, bytes: Buffer, engine: InspectEngine): Promise<Inspection> {
  const started = performance.now();
  // Between `begin` and `end` nothing is awaited: whoever finds the thread hanging then knows by which message.
  const { mark } = engine;
  mark.begin();
  const message = readMessage(bytes, engine.limits, { depth: input.depth ?? 'full' });
  await message.secondOpinion(engine.deadline * SECOND_OPINION);
  const text = readText(message, input, engine);
  mark.end();
  const reading = await text;
  mark.begin();
  const subject: RuleSubject = {
    envelope: input.envelope,
    message,
    ...(reading.text === undefined ? {} : { text: reading.text }),
    intake: input.intake,
    receivedAt: input.receivedAt,
    findings: [],
  };
  const selected = selectRules(engine.ruleSet, subject);
  const rules = scanningRules(selected);
  const parsed = performance.now();

  const scan = rules.size === 0 ? NOTHING : await scanMessage(input, message, rules, engine, started, reading.problem);
  const detected = performance.now();

  const decided = decideRecipients(selected, subject, scan, engine.onError);
  const recipients = shareDecisions(decided.outcomes);
  const spam = spamClassOfMessage(recipients);
  const findings = [...scan.always, ...scan.byModules].map((finding) => withClass(finding, spam));
  const afterDecide = performance.now();
  const copies = copiesOf(recipients, message);
  const facts = factsOf(message, input.intake);
  mark.end();
  return {
    traceId: input.traceId,
    findings,
    modules: scan.runs.map((run) => runWithClass(run, spam)),
    facts,
    recipients,
    copies,
    audit: decided.audit,
    phases: {
      parse: parsed - started,
      detect: detected - parsed,
      decide: afterDecide - detected,
      edit: performance.now() - afterDecide,
    },
  };
}

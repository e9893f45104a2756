import { readMessage } from '../message/read.js';
import type { Message, ScanLimits } from '../message/types.js';
import type { RuleSet } from '../rules/compile.js';
import type { RuleSubject } from '../rules/subject.js';
import { editCopy, groupCopies, shareDecisions } from './copies.js';
import { decideRecipients, scanningRules, selectRules, type FoundInMessage, type Selected } from './decisions.js';
import { factsOf } from './facts.js';
import { NOTHING, readText, scanMessage, type ScanEngine } from './scan.js';
import { runWithClass, spamClassOfMessage, withClass } from './spam-class.js';
import type { BannerWriter, Inspection, InspectInput } from './types.js';

/** Share of a message's time that a second reader of its structure may take. */
const SECOND_OPINION = 0.25;

/** What a thread inspects with; made once for a set of rules and detectors. */
export interface InspectEngine extends ScanEngine {
  readonly ruleSet: RuleSet;
  /** Asked about each message as well; the modules that either set wants are run. */
  readonly against?: RuleSet;
  readonly limits: ScanLimits;
  /** Of the texts that the rules put into messages; absent where they have none. */
  readonly banners?: BannerWriter;
  readonly againstBanners?: BannerWriter;
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
  const { mark, against } = engine;
  mark.begin();
  const message = readMessage(bytes, engine.limits, { depth: input.depth ?? 'full' });
  await message.secondOpinion(engine.deadline * SECOND_OPINION);
  const text = readText(message, input, against?.needsText === true ? { ...engine, ruleSet: against } : engine);
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
    views: new Map(),
  };
  const all = input.considered === 'all';
  const selected = selectRules(engine.ruleSet, subject, all);
  const compared = against === undefined ? [] : selectRules(against, subject, all);
  const rules = scanningRules([...selected, ...compared]);
  const parsed = performance.now();

  const scan = rules.size === 0 ? NOTHING : await scanMessage(input, message, rules, engine, started, reading.problem);
  const detected = performance.now();

  const decided = decideFor(selected, subject, scan, engine);
  const spam = spamClassOfMessage(decided.recipients);
  const afterDecide = performance.now();
  const unedited: Inspection = {
    traceId: input.traceId,
    findings: [...scan.always, ...scan.byModules].map((finding) => withClass(finding, spam)),
    modules: scan.runs.map((run) => runWithClass(run, spam)),
    facts: factsOf(message, input.intake),
    ...decided,
    phases: { parse: parsed - started, detect: detected - parsed, decide: afterDecide - detected, edit: 0 },
  };
  const edited = edit(unedited, message, input, engine.banners);
  const other = against === undefined ? undefined : decideFor(compared, subject, scan, engine);
  const compare =
    other === undefined
      ? undefined
      : { ...edit({ ...unedited, ...other }, message, input, engine.againstBanners), audit: other.audit };
  mark.end();
  return {
    ...unedited,
    ...edited,
    ...(compare === undefined ? {} : { against: compare }),
    phases: { ...unedited.phases, edit: performance.now() - afterDecide },
  };
}

/** The decisions of one rule set, and the copies that they make. */
function decideFor(
  selected: readonly Selected[],
  subject: RuleSubject,
  scan: FoundInMessage,
  engine: InspectEngine,
): Pick<Inspection, 'recipients' | 'copies' | 'audit'> {
  const { outcomes, audit } = decideRecipients(selected, subject, scan, engine.onError);
  const recipients = shareDecisions(outcomes);
  return { recipients, copies: groupCopies(recipients), audit };
}

/** Plans the changes of each copy. */
function edit(
  unedited: Inspection,
  message: Message,
  input: InspectInput,
  writer: BannerWriter | undefined,
): Pick<Inspection, 'recipients' | 'copies'> {
  const subject = { inspection: unedited, envelope: input.envelope, receivedAt: input.receivedAt };
  const copies = unedited.copies.map((copy) => editCopy(copy, message, subject, writer));
  if (copies.every(({ decision }, i) => decision === unedited.copies[i]?.decision))
    return { recipients: unedited.recipients, copies };
  // Recipients and copies go on sharing their decisions.
  const decisions = new Map(unedited.copies.map(({ decision }, i) => [decision, copies[i]?.decision ?? decision]));
  const recipients = unedited.recipients.map((one) => ({
    ...one,
    decision: decisions.get(one.decision) ?? one.decision,
  }));
  return { recipients, copies };
}

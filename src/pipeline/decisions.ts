import type { Finding, OnError } from '../detectors/types.js';
import type { CompiledRule, RuleSet } from '../rules/compile.js';
import { auditOutcome, decide } from '../rules/decide.js';
import type { RuleSubject } from '../rules/subject.js';
import type { AuditOutcome, Considered } from '../rules/types.js';
import type { RecipientOutcome } from './types.js';

/** Which rule decides for a recipient, chosen by scope alone. */
export interface Selected {
  readonly recipient: string;
  readonly rule: CompiledRule;
  readonly considered: readonly Considered[];
  /** Rules before the deciding one that are not among `considered`. */
  readonly omitted: number;
  /** Rules in mode `audit` that match. */
  readonly audit: readonly CompiledRule[];
}

/** @param all every rule is among `considered`, however many there are */
export function selectRules(ruleSet: RuleSet, subject: RuleSubject, all = false): readonly Selected[] {
  return subject.envelope.recipients.map(({ address }) => {
    const selection = ruleSet.select(subject, address);
    const { considered, omitted } = all ? { considered: selection.considered, omitted: 0 } : selection.noted;
    return { recipient: address, rule: selection.rule, audit: selection.audit, considered, omitted };
  });
}

/** All rules that want the message scanned, those in mode `audit` among them: they are to say what they would do. */
export function scanningRules(selected: readonly Selected[]): ReadonlySet<CompiledRule> {
  const rules = new Set<CompiledRule>();
  for (const { rule, audit } of selected) {
    for (const one of [rule, ...audit]) if (one.process === 'scan') rules.add(one);
  }
  return rules;
}

export interface FoundInMessage {
  /** Findings of modules; a rule does not see those of modules that it has turned off. */
  readonly byModules: readonly Finding[];
  /** Findings that hold whichever modules a rule turns off. */
  readonly always: readonly Finding[];
}

/** Decides for each recipient by its rule, and says what the matching audit rules would have done. */
export function decideRecipients(
  selected: readonly Selected[],
  subject: RuleSubject,
  found: FoundInMessage,
  onError: ReadonlyMap<string, OnError>,
): { readonly outcomes: readonly RecipientOutcome[]; readonly audit: readonly AuditOutcome[] } {
  const seen = new Map<CompiledRule, readonly Finding[]>();
  const findingsFor = (rule: CompiledRule): readonly Finding[] => {
    let findings = seen.get(rule);
    if (findings === undefined) seen.set(rule, (findings = visibleTo(rule, found)));
    return findings;
  };
  const outcomes = selected.map(({ recipient, rule, considered, omitted }) => ({
    recipient,
    decision: decide(rule, subject, recipient, findingsFor(rule), onError),
    considered,
    ...(omitted === 0 ? {} : { omitted }),
  }));
  const audit = selected.flatMap(({ recipient, audit: rules }) =>
    rules.map((rule) => auditOutcome(rule, subject, recipient, findingsFor(rule), onError)),
  );
  return { outcomes, audit };
}

/** Where the rule has turned off the module that bears a finding which always holds, the message itself bears it. */
function visibleTo(rule: CompiledRule, { byModules, always }: FoundInMessage): readonly Finding[] {
  const held = always.map((finding) => (rule.wants(finding.module) ? finding : { ...finding, module: 'message' }));
  return [...held, ...byModules];
}

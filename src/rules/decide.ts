import type { Finding } from '../detectors/types.js';
import type { CompiledRule } from './compile.js';
import { foldAddress } from './addresses.js';
import { fire, type OnError } from './fire.js';
import { mustWait, splitHeld, waitNotes, waitReply } from './hold.js';
import { mergeHeaders, NO_HEADERS } from './headers.js';
import { removalsOf, type Removals } from './removals.js';
import { spamClassOf } from './spam.js';
import { finalReply, policyReply, replyTo } from './replies.js';
import type { RuleSubject } from './subject.js';
import type { Action, AuditOutcome, Decision, FiredResponse, SmtpReply } from './types.js';

/** From the mildest to the strictest. */
const STRICTNESS: readonly Action[] = ['deliver', 'delete-attachment', 'defer', 'reject', 'discard'];

/**
 * What the rule does with the message for one recipient.
 * @param findings of all modules that ran; those of modules that the rule turned off are not looked at
 * @param onError of each module: what its failure leads to where the rule has no response for it; `defer` when absent
 */
export function decide(
  rule: CompiledRule,
  subject: RuleSubject,
  recipient: string,
  findings: readonly Finding[],
  onError: OnError,
): Decision {
  const { process } = rule;
  if (process !== 'scan') return unscanned(rule);
  const { known, held } = splitHeld(rule, findings);
  const question = { view: rule.view(subject), recipient: foldAddress(recipient), rawRecipient: recipient, findings: known };
  const { responses, notes } = fire(rule, question, onError);
  const wanted = strictest(responses);
  const spam = rule.wants('antispam') ? spamClassOf(findings, rule.thresholds) : undefined;
  const removals: Removals =
    wanted === 'delete-attachment' ? removalsOf(responses, subject.message.objects) : { removals: [], impossible: [] };
  const action: Action = removals.impossible.length > 0 ? 'reject' : wanted;
  if (mustWait(action, held))
    return { ...nothingDone(rule, 'defer'), reply: waitReply(), hold: true, notes: waitNotes(held) };
  if (responses.length === 0) {
    const clean = nothingDone(rule, 'deliver', notes);
    return spam === undefined ? clean : { ...clean, spam };
  }
  return {
    ...outline(rule),
    action,
    quarantine: responses.some(({ quarantine }) => quarantine),
    fired: responses,
    ...replyOf(responses, wanted, action),
    removals: action === 'delete-attachment' ? removals.removals : [],
    ...changesOf(responses, action),
    copy: unique(responses.flatMap(({ copy }) => copy ?? [])),
    ...(spam === undefined ? {} : { spam }),
    notes: [
      ...notes,
      ...removals.impossible.map(
        (what) => `${what} names no attachment that could be deleted: the message is rejected instead`,
      ),
    ],
  };
}

/** What a rule in mode `audit` would have done for one recipient. */
export function auditOutcome(
  rule: CompiledRule,
  subject: RuleSubject,
  recipient: string,
  findings: readonly Finding[],
  onError: OnError,
): AuditOutcome {
  const { action, quarantine, tags, fired } = decide(rule, subject, recipient, findings, onError);
  return {
    recipient,
    rule: rule.id,
    action,
    quarantine,
    tags,
    notify: fired.flatMap(({ notify }) => notify),
    fired: fired.map(({ key }) => key),
  };
}

function outline(rule: CompiledRule): Pick<Decision, 'rule' | 'ruleName' | 'process' | 'additional'> {
  return { rule: rule.id, ruleName: rule.name, process: rule.process, additional: rule.data.additional };
}

/** A rule that does not scan: nothing can fire. */
function unscanned(rule: CompiledRule): Decision {
  const action: Action = rule.process === 'reject' || rule.process === 'discard' ? rule.process : 'deliver';
  return { ...nothingDone(rule, action), ...(action === 'reject' ? { reply: policyReply(rule.data.reply) } : {}) };
}

/** Most mail is clean: one plain object. */
function nothingDone(rule: CompiledRule, action: Action, notes: readonly string[] = []): Decision {
  return {
    rule: rule.id,
    ruleName: rule.name,
    process: rule.process,
    additional: rule.data.additional,
    action,
    quarantine: false,
    fired: [],
    removals: [],
    tags: [],
    headers: NO_HEADERS,
    warn: [],
    disclaimer: [],
    copy: [],
    notes,
  };
}

function strictest(fired: readonly FiredResponse[]): Action {
  let action: Action = 'deliver';
  for (const response of fired) {
    if (STRICTNESS.indexOf(response.action) > STRICTNESS.indexOf(action)) action = response.action;
  }
  return action;
}

function replyOf(fired: readonly FiredResponse[], wanted: Action, action: Action): { readonly reply?: SmtpReply } {
  if (action !== 'reject' && action !== 'defer') return {};
  if (wanted === action) return { reply: finalReply(fired, action) };
  const cause = fired.find((response) => response.action === wanted);
  return { reply: replyTo(cause?.key ?? '', action) };
}

/** Changes to the copy, in the order of the rule. A copy that is not delivered is not changed. */
function changesOf(
  fired: readonly FiredResponse[],
  action: Action,
): Pick<Decision, 'tags' | 'headers' | 'warn' | 'disclaimer' | 'redirect' | 'route'> {
  if (action !== 'deliver' && action !== 'delete-attachment')
    return { tags: [], headers: NO_HEADERS, warn: [], disclaimer: [] };
  const redirects = fired.flatMap(({ redirect }) => redirect ?? []);
  const route = fired.find((response) => response.route !== undefined)?.route;
  return {
    tags: unique(fired.flatMap(({ tag }) => tag ?? [])),
    headers: mergeHeaders(fired.flatMap(({ headers }) => headers ?? [])),
    warn: unique(fired.flatMap(({ warn }) => warn ?? [])),
    disclaimer: unique(fired.flatMap(({ disclaimer }) => disclaimer ?? [])),
    ...(redirects.length === 0 ? {} : { redirect: unique(redirects) }),
    ...(route === undefined ? {} : { route }),
  };
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

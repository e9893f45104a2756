import type { Finding } from '../detectors/types.js';
import type { CompiledEntry, CompiledRule } from './compile.js';
import type { Witnesses } from './condition.js';
import { isError, takes } from './findings.js';
import type { OnEntry, ResponseData } from './model.js';
import { replyTo } from './replies.js';
import { classify } from './spam.js';
import type { Action, FiredResponse, SmtpReply } from './types.js';
import type { Question } from './view.js';

/** What a module's failure leads to when the rule has no response for it. */
export type OnError = ReadonlyMap<string, 'defer' | 'accept'>;

export interface Fired {
  readonly responses: readonly FiredResponse[];
  /** For the trace. */
  readonly notes: readonly string[];
}

/**
 * The responses of a rule that fire on the findings, in the order of the rule. Findings of modules that the rule turned
 * off and clean ones are left out.
 */
export function fire(rule: CompiledRule, question: Question, onError: OnError): Fired {
  const classified = question.findings
    .filter(({ module }) => rule.wants(module))
    .map((finding) => classify(finding, rule.thresholds));
  const findings = classified.filter(({ status }) => status !== 'clean');
  // A clean one may bear a score below all thresholds, which content expressions can ask for.
  const asked: Question = { ...question, findings: classified };
  const responses: FiredResponse[] = [];
  const answered = new Set<Finding>();
  for (const entry of rule.on) {
    const taken = entry.when === undefined ? findings.filter((finding) => takes(entry.entry.selector, finding)) : contentFindings(entry, asked);
    for (const [response, group] of byResponse(entry, taken)) {
      responses.push(firedResponse(entry.entry, response, group));
      for (const finding of group) answered.add(finding);
    }
  }
  const open = findings.filter((finding) => isError(finding) && !answered.has(finding));
  const failures = failuresOf(open, onError);
  return { responses: [...responses, ...failures.responses], notes: failures.notes };
}

/** Each finding goes to the first response whose name mask takes it. */
function byResponse(entry: CompiledEntry, findings: readonly Finding[]): [ResponseData, Finding[]][] {
  const groups = entry.entry.responses.map((response): [ResponseData, Finding[]] => [response, []]);
  for (const finding of findings) {
    const index = entry.fits.findIndex((fits) => fits(finding.name ?? ''));
    groups[index]?.[1].push(finding);
  }
  return groups.filter(([, group]) => group.length > 0);
}

/** A content expression that holds, as findings: one for each object that its tests took, else one on the message. */
function contentFindings({ entry, when }: CompiledEntry, question: Question): Finding[] {
  if (when === undefined || entry.selector.kind !== 'content') return [];
  const witnesses: Witnesses = { objects: new Set(), findings: new Set() };
  if (!when.holds(question, witnesses)) return [];
  const base = { module: 'content', status: 'content', name: entry.selector.id };
  const found = new Map<string, Finding>();
  for (const { path, size } of witnesses.objects) found.set(path, { ...base, object: path, size, detail: entry.name });
  for (const { object, size, detail } of witnesses.findings) {
    if (object === undefined || found.has(object)) continue;
    found.set(object, {
      ...base,
      object,
      ...(size === undefined ? {} : { size }),
      detail: detail === undefined ? entry.name : `${entry.name}: ${detail}`,
    });
  }
  return found.size > 0 ? [...found.values()] : [{ ...base, detail: entry.name }];
}

function firedResponse(entry: OnEntry, response: ResponseData, findings: readonly Finding[]): FiredResponse {
  const { effect, reply } = response;
  return { ...effect, key: entry.key, name: entry.name, findings, ...replyOf(entry.key, effect.action, reply) };
}

function replyOf(
  key: string,
  action: Action,
  given: Partial<SmtpReply> | undefined,
): { readonly reply?: SmtpReply } {
  return action === 'reject' || action === 'defer' ? { reply: replyTo(key, action, given) } : {};
}

/** Failures that the rule has no response for: the module's own setting decides. */
function failuresOf(open: readonly Finding[], onError: OnError): Fired {
  const responses: FiredResponse[] = [];
  const notes: string[] = [];
  const deferring = open.filter(({ module }) => onError.get(module) !== 'accept');
  const what = ({ module, status }: Finding): string => `${module}.${status}`;
  for (const finding of open)
    if (!deferring.includes(finding)) notes.push(`${what(finding)}: accepted, as \`onError\` of the module says`);
  if (deferring.length > 0) {
    notes.push(`${[...new Set(deferring.map(what))].join(', ')}: deferred, as the rule has no response for it`);
    responses.push({
      key: 'scan-error',
      name: 'scan-error',
      findings: deferring,
      action: 'defer',
      quarantine: false,
      reply: replyTo('scan-error', 'defer'),
      notify: [],
    });
  }
  return { responses, notes };
}

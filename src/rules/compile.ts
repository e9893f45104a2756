import { compileCondition, type Evaluator } from './condition.js';
import { foldAddress } from './addresses.js';
import { RuleIndex } from './rule-index.js';
import type { OnEntry, RuleBundle, RuleData, SpamThresholds } from './model.js';
import { compileScope, type Scope } from './scope.js';
import type { RuleSubject } from './subject.js';
import { fold } from './mask.js';
import { withLists } from './list-entries.js';
import { zoneClock } from './time.js';
import { textMasks, type CompileContext } from './test-value.js';
import type { Considered } from './types.js';
import { SubjectView, type Question } from './view.js';

/** An entry of `on`, ready to be asked. */
export interface CompiledEntry {
  readonly entry: OnEntry;
  /** Of a content expression. */
  readonly when?: Evaluator;
  /** Whether the n-th response takes a finding of this name. */
  readonly fits: readonly ((name: string) => boolean)[];
}

/** A rule that can be asked quickly. */
export interface CompiledRule {
  readonly id: string;
  readonly name: string;
  readonly process: RuleData['process'];
  readonly data: RuleData;
  readonly scope: Scope;
  readonly on: readonly CompiledEntry[];
  readonly thresholds: Required<SpamThresholds>;
  /** Whether the module is to run for mail of this rule. */
  wants(module: string): boolean;
  /** Makes or reuses the view of a subject. */
  view(subject: RuleSubject): SubjectView;
}

export interface Selection {
  readonly rule: CompiledRule;
  /** All rules before the deciding one, and it. Made when read: with thousands of rules it costs more than deciding. */
  readonly considered: readonly Considered[];
  /** The same for keeping with each message: of many rules only those that the addresses leave possible. */
  readonly noted: NotedRules;
  /** Enabled rules in mode `audit` that match. */
  readonly audit: readonly CompiledRule[];
}

/** A bounded part of the rules before the deciding one, and it. */
export interface NotedRules {
  readonly considered: readonly Considered[];
  /** Rules before the deciding one that are left out. */
  readonly omitted: number;
}

/** Rules that are noted for one recipient. */
const MAX_NOTED = 50;

export interface RuleSet {
  readonly hash: string;
  readonly rules: readonly CompiledRule[];
  /** A rule reads the decoded body: `RuleSubject.text` is to be given. */
  readonly needsText: boolean;
  /** The rule that decides for a recipient. */
  select(subject: RuleSubject, recipient: string): Selection;
}

/** @throws Error when the bundle holds no rule that takes all; those of loadRules do */
export function compileRules(bundle: RuleBundle): RuleSet {
  const clock = zoneClock(bundle.timezone);
  const viewOf = (subject: RuleSubject): SubjectView => {
    const known = subject.views?.get(clock);
    if (known?.subject === subject) return known;
    const view = new SubjectView(subject, clock(subject.receivedAt));
    subject.views?.set(clock, view);
    return view;
  };
  const rules = bundle.rules.map((data) => compileRule(data, bundle, bundle.thresholds, viewOf));
  const positions = new Map(rules.map((rule, position) => [rule, position]));
  const deciding = new RuleIndex(rules.filter(decides));
  const audit = new RuleIndex(rules.filter(({ data }) => data.enabled && data.mode === 'audit'));
  const all: AllRules = { rules, positions, deciding };
  return {
    hash: bundle.hash,
    rules,
    needsText: rules.some((rule) => rule.data.enabled && readsText(rule)),
    select(subject, recipient) {
      const question: Question = { view: viewOf(subject), recipient: foldAddress(recipient), rawRecipient: recipient, findings: [] };
      const rule = deciding.first(question);
      if (rule === undefined) throw new Error('no rule takes the message, not even the built-in one');
      return new LazySelection(all, rule, question, audit.all(question));
    },
  };
}

interface AllRules {
  readonly rules: readonly CompiledRule[];
  readonly positions: ReadonlyMap<CompiledRule, number>;
  readonly deciding: RuleIndex;
}

/**
 * A class, and no literal with getters: of those V8 gives each its own shape, which lives as long as old objects do and
 * holds the message that the getters look at.
 */
class LazySelection implements Selection {
  readonly rule: CompiledRule;
  readonly audit: readonly CompiledRule[];
  private readonly all: AllRules;
  private readonly question: Question;

  constructor(all: AllRules, rule: CompiledRule, question: Question, audit: readonly CompiledRule[]) {
    this.all = all;
    this.rule = rule;
    this.question = question;
    this.audit = audit;
  }

  get considered(): readonly Considered[] {
    return consider(this.all.rules, this.rule, this.question);
  }

  get noted(): NotedRules {
    const { rules, positions, deciding } = this.all;
    return note(rules, positions, this.rule, deciding.possible(this.question), this.question);
  }
}

function decides({ data }: CompiledRule): boolean {
  return data.enabled && data.mode === 'enforce';
}

function readsText(rule: CompiledRule): boolean {
  return rule.scope.needsText || rule.on.some(({ when }) => when?.needsText === true);
}

function compileRule(
  data: RuleData,
  context: CompileContext,
  thresholds: Required<SpamThresholds>,
  view: (subject: RuleSubject) => SubjectView,
): CompiledRule {
  const off = new Set(data.off);
  return {
    id: data.id,
    name: data.name,
    process: data.process,
    data,
    scope: compileScope(data, context),
    on: data.on.map((entry) => compileEntry(entry, context)),
    thresholds: { ...thresholds, ...data.thresholds },
    wants: (module) => !off.has(module),
    view,
  };
}

function compileEntry(entry: OnEntry, context: CompileContext): CompiledEntry {
  return {
    entry,
    ...(entry.selector.kind === 'content' ? { when: compileCondition(entry.selector.when, context) } : {}),
    fits: entry.responses.map(({ names }) => {
      if (names === undefined) return () => true;
      const holds = textMasks(withLists(names, context));
      return (name) => holds(fold(name));
    }),
  };
}

/** Texts that say the same for every message are made once. */
const texts = new WeakMap<CompiledRule, Map<string, Considered>>();

function consider(rules: readonly CompiledRule[], deciding: CompiledRule, question: Question): readonly Considered[] {
  const considered: Considered[] = [];
  for (const rule of rules) {
    if (rule === deciding) {
      considered.push(said(rule, 'decides', true));
      break;
    }
    considered.push(said(rule, whyNot(rule, question), false));
  }
  return considered;
}

function note(
  rules: readonly CompiledRule[],
  positions: ReadonlyMap<CompiledRule, number>,
  deciding: CompiledRule,
  possible: readonly CompiledRule[],
  question: Question,
): NotedRules {
  const before = positions.get(deciding) ?? 0;
  if (before < MAX_NOTED) return { considered: consider(rules, deciding, question), omitted: 0 };
  const asked = possible.slice(0, possible.indexOf(deciding)).slice(-(MAX_NOTED - 1));
  return { considered: consider([...asked, deciding], deciding, question), omitted: before - asked.length };
}

function whyNot(rule: CompiledRule, question: Question): string {
  if (!rule.data.enabled) return 'the rule is disabled';
  const refusal = rule.scope.refusal(question);
  if (rule.data.mode === 'audit')
    return refusal === undefined ? 'it matches, but in mode audit it never decides' : `in mode audit, and ${refusal}`;
  return refusal ?? 'it does not match';
}

function said(rule: CompiledRule, why: string, matched: boolean): Considered {
  let kept = texts.get(rule);
  if (kept === undefined) texts.set(rule, (kept = new Map<string, Considered>()));
  let text = kept.get(why);
  if (text === undefined) kept.set(why, (text = Object.freeze({ rule: rule.id, matched, why })));
  return text;
}

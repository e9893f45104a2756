import { AddressSet } from './addresses.js';
import { ClientSet } from './clients.js';
import type { SetScope } from './cover.js';
import { compileCondition, type Evaluator } from './condition.js';
import { withLists } from './list-entries.js';
import type { MatchData, RuleData, ScopeKeys } from './model.js';
import type { CompileContext } from './test-value.js';
import { inWindow } from './time.js';
import type { Question, SubjectView } from './view.js';

/** One key of a scope: whether it holds, and what is said when it does not. */
interface Clause {
  readonly why: string;
  readonly holds: (question: Question) => boolean;
}

/** The compiled `match` of one rule. */
export interface Scope {
  /** Undefined when the rule matches; else which key did not hold, for people. */
  readonly refusal: (question: Question) => string | undefined;
  readonly needsText: boolean;
  /** Of `match.sender`, where it is given. */
  readonly sender?: AddressSet;
  readonly recipient?: AddressSet;
  readonly client?: ClientSet;
  readonly looksAtFrom: boolean;
}

export const SENDER_REFUSAL = 'the sender is not one of `sender`';
export const RECIPIENT_REFUSAL = 'the recipient is not one of `recipient`';

/** Compiles `match`. Keys are asked in this order: those that cost little come first. */
export function compileScope({ match }: RuleData, context: CompileContext): Scope {
  const sets = new SetCache(context);
  const clauses: Clause[] = [];
  const evaluators: Evaluator[] = [];
  const recipient = match.recipient === undefined ? undefined : sets.addresses(match.recipient);
  const sender = match.sender === undefined ? undefined : sets.addresses(match.sender);
  const client = match.client === undefined ? undefined : sets.clients(match.client);
  if (recipient !== undefined) clauses.push({ why: RECIPIENT_REFUSAL, holds: (q) => recipient.has(q.recipient) });
  if (sender !== undefined)
    clauses.push({ why: SENDER_REFUSAL, holds: (q) => takesSender(sender, q.view, match.senderIs) });
  if (client !== undefined)
    clauses.push({ why: 'the client is not one of `client`', holds: ({ view }) => client.has(view.clientWords) });
  const { authenticated, time, when } = match;
  if (authenticated !== undefined)
    clauses.push({
      why: authenticated ? 'the session did not log in' : 'the session logged in',
      holds: ({ view }) => (view.subject.envelope.user !== undefined) === authenticated,
    });
  if (time !== undefined)
    clauses.push({
      why: 'it is outside the hours of `time`',
      holds: ({ view }) => time.some((window) => inWindow(window, view.local)),
    });
  if (when !== undefined) {
    const condition = compileCondition(when, context);
    evaluators.push(condition);
    clauses.push({ why: '`when` does not hold', holds: (q) => condition.holds(q) });
  }
  if (match.except !== undefined) clauses.push(...exceptClauses(match.except, match, context, sets, evaluators));
  return {
    refusal: (question) => clauses.find((clause) => !clause.holds(question))?.why,
    needsText: evaluators.some((evaluator) => evaluator.needsText),
    ...(sender === undefined ? {} : { sender }),
    ...(recipient === undefined ? {} : { recipient }),
    ...(client === undefined ? {} : { client }),
    looksAtFrom: match.senderIs === 'either',
  };
}

/** The scope as sets, for comparing it with others. */
export function setScope(match: MatchData, context: CompileContext): SetScope {
  const sets = new SetCache(context);
  return { match, ...setsOf(match, sets), except: setsOf(match.except ?? {}, sets) };
}

function setsOf({ sender, recipient, client }: ScopeKeys, sets: SetCache): Pick<SetScope, 'sender' | 'recipient' | 'client'> {
  return {
    ...(sender === undefined ? {} : { sender: sets.addresses(sender) }),
    ...(recipient === undefined ? {} : { recipient: sets.addresses(recipient) }),
    ...(client === undefined ? {} : { client: sets.clients(client) }),
  };
}

/** Each key of `except` excludes by itself. */
function exceptClauses(
  except: ScopeKeys,
  match: MatchData,
  context: CompileContext,
  sets: SetCache,
  evaluators: Evaluator[],
): Clause[] {
  const clauses: Clause[] = [];
  const excluded = (key: string, holds: Clause['holds']): void => {
    clauses.push({ why: `excepted by \`except.${key}\``, holds: (question) => !holds(question) });
  };
  const { sender, recipient, client, when } = except;
  if (recipient !== undefined) {
    const set = sets.addresses(recipient);
    excluded('recipient', (q) => set.has(q.recipient));
  }
  if (sender !== undefined) {
    const set = sets.addresses(sender);
    excluded('sender', (q) => takesSender(set, q.view, match.senderIs));
  }
  if (client !== undefined) {
    const set = sets.clients(client);
    excluded('client', ({ view }) => set.has(view.clientWords));
  }
  if (when !== undefined) {
    const condition = compileCondition(when, context);
    evaluators.push(condition);
    excluded('when', (q) => condition.holds(q));
  }
  return clauses;
}

function takesSender(set: AddressSet, view: SubjectView, senderIs: MatchData['senderIs']): boolean {
  return set.has(view.sender) || (senderIs === 'either' && view.from.some((address) => set.has(address)));
}

/** A list that stands alone under a key is one set for all rules that use it. */
class SetCache {
  private readonly context: CompileContext;

  constructor(context: CompileContext) {
    this.context = context;
  }

  addresses(masks: readonly string[]): AddressSet {
    return kept(ADDRESSES, this.context, masks, () => {
      const given = withLists(masks, this.context);
      return new AddressSet(given.masks, given.lists);
    });
  }

  clients(masks: readonly string[]): ClientSet {
    return kept(CLIENTS, this.context, masks, () => new ClientSet(withLists(masks, this.context)));
  }
}

type Kept<T> = WeakMap<CompileContext, Map<string, T>>;

const ADDRESSES: Kept<AddressSet> = new WeakMap<CompileContext, Map<string, AddressSet>>();
const CLIENTS: Kept<ClientSet> = new WeakMap<CompileContext, Map<string, ClientSet>>();

function kept<T>(all: Kept<T>, context: CompileContext, masks: readonly string[], build: () => T): T {
  const [only, ...more] = masks;
  if (only === undefined || more.length > 0 || !only.startsWith('@')) return build();
  let sets = all.get(context);
  if (sets === undefined) all.set(context, (sets = new Map<string, T>()));
  let set = sets.get(only);
  if (set === undefined) sets.set(only, (set = build()));
  return set;
}

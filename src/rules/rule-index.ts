import { parentDomains, type AddressSet } from './addresses.js';
import type { CompiledRule } from './compile.js';
import type { Question } from './view.js';

/** A set with more entries is not spread over the index: its rule is asked for every message, which is one look-up. */
const MAX_SPREAD = 64;

/** Positions of rules by address, by domain, and by domain of which any subdomain is meant. */
class Positions {
  private readonly exact = new Map<string, number[]>();
  private readonly domains = new Map<string, number[]>();
  private readonly subdomains = new Map<string, number[]>();

  add(set: AddressSet, position: number): void {
    for (const address of set.exact) push(this.exact, address, position);
    for (const domain of set.domains) push(this.domains, domain, position);
    for (const domain of set.subdomains) push(this.subdomains, domain, position);
  }

  collect(address: string, into: number[]): void {
    append(into, this.exact.get(address));
    if (this.domains.size === 0 && this.subdomains.size === 0) return;
    const domain = address.slice(address.lastIndexOf('@') + 1);
    append(into, this.domains.get(domain));
    if (this.subdomains.size > 0) for (const parent of parentDomains(domain)) append(into, this.subdomains.get(parent));
  }
}

/**
 * Rules in order, of which only those are asked that the addresses leave possible: a rule whose recipients or senders
 * are plain addresses and domains is found through maps.
 */
export class RuleIndex {
  private readonly rules: readonly CompiledRule[];
  private readonly always: number[] = [];
  private readonly byRecipient = new Positions();
  private readonly bySender = new Positions();
  private readonly byFrom = new Positions();
  private readonly readsFrom: boolean;

  constructor(rules: readonly CompiledRule[]) {
    this.rules = rules;
    this.readsFrom = rules.some(({ scope }) => scope.looksAtFrom);
    for (const [position, { scope }] of rules.entries()) {
      if (canSpread(scope.recipient)) this.byRecipient.add(scope.recipient, position);
      else if (canSpread(scope.sender)) {
        this.bySender.add(scope.sender, position);
        if (scope.looksAtFrom) this.byFrom.add(scope.sender, position);
      } else this.always.push(position);
    }
  }

  /** The first rule that matches. */
  first(question: Question): CompiledRule | undefined {
    for (const position of this.candidates(question)) {
      const rule = this.rules[position];
      if (rule?.scope.refusal(question) === undefined) return rule;
    }
    return undefined;
  }

  /** All rules that match, in order. */
  all(question: Question): CompiledRule[] {
    if (this.rules.length === 0) return [];
    return this.candidates(question).flatMap((position) => {
      const rule = this.rules[position];
      return rule !== undefined && rule.scope.refusal(question) === undefined ? [rule] : [];
    });
  }

  private candidates(question: Question): readonly number[] {
    const found: number[] = [];
    this.byRecipient.collect(question.recipient, found);
    this.bySender.collect(question.view.sender, found);
    if (this.readsFrom) for (const address of question.view.from) this.byFrom.collect(address, found);
    if (found.length === 0) return this.always;
    return [...new Set([...found, ...this.always])].sort((a, b) => a - b);
  }
}

function canSpread(set: AddressSet | undefined): set is AddressSet {
  return set !== undefined && set.indexable && set.size <= MAX_SPREAD;
}

function push(map: Map<string, number[]>, key: string, position: number): void {
  const positions = map.get(key);
  if (positions === undefined) map.set(key, [position]);
  else positions.push(position);
}

function append(into: number[], positions: readonly number[] | undefined): void {
  if (positions !== undefined) for (const position of positions) into.push(position);
}

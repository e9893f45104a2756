import type { CompiledRule } from './compile.js';
import { ScopeIndex } from './scope-index.js';
import type { Question } from './view.js';

/** Rules in order, of which only those are asked that the addresses leave possible. */
export class RuleIndex {
  private readonly rules: readonly CompiledRule[];
  private readonly index: ScopeIndex;

  constructor(rules: readonly CompiledRule[]) {
    this.rules = rules;
    this.index = new ScopeIndex(rules.map(({ scope }) => scope));
  }

  /** The first rule that matches. */
  first(question: Question): CompiledRule | undefined {
    const filed = this.index.filed(question.view, question.recipient);
    let next = 0;
    for (const position of this.index.always) {
      for (let at = filed[next]; at !== undefined && at < position; at = filed[++next]) {
        const rule = this.matching(at, question);
        if (rule !== undefined) return rule;
      }
      const rule = this.matching(position, question);
      if (rule !== undefined) return rule;
    }
    for (let at = filed[next]; at !== undefined; at = filed[++next]) {
      const rule = this.matching(at, question);
      if (rule !== undefined) return rule;
    }
    return undefined;
  }

  /** All rules that match, in order. */
  all(question: Question): CompiledRule[] {
    if (this.rules.length === 0) return [];
    return this.possible(question).filter((rule) => rule.scope.refusal(question) === undefined);
  }

  /** The rules that the addresses leave possible, in order. */
  possible(question: Question): CompiledRule[] {
    return this.index.possible(question.view, question.recipient).flatMap((position) => this.rules[position] ?? []);
  }

  private matching(position: number, question: Question): CompiledRule | undefined {
    const rule = this.rules[position];
    return rule?.scope.refusal(question) === undefined ? rule : undefined;
  }
}

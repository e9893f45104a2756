import { RE2JS } from 're2js';
import { wordsOf } from '../config/networks.js';
import { AddressSet, foldAddress } from './addresses.js';
import { ClientSet } from './clients.js';
import { withLists, type MasksAndLists } from './list-entries.js';
import { compileMask, fold, type MaskTest } from './mask.js';
import { textTest } from './packed-list.js';
import type { Check, RuleBundle } from './model.js';
import type { TextValue } from './view.js';

/** What compiling needs of the rule set. */
export type CompileContext = Pick<RuleBundle, 'lists' | 'domains'>;

export type TextTest = (value: TextValue) => boolean;
export type NumberTest = (value: number) => boolean;

/**
 * Compiles the tests of a text field; all must hold for the same value. `exists` is about the field and not here.
 * @param kind `address`: masks are looked up as addresses; `ip`: they may be networks
 */
export function compileText(checks: readonly Check[], kind: 'address' | 'ip' | 'text', context: CompileContext): TextTest {
  const tests = checks.flatMap((check) => textCheck(check, kind, context) ?? []);
  return everyOf(tests);
}

/** Compiles the tests of a number field. */
export function compileNumber(checks: readonly Check[]): NumberTest {
  return everyOf(checks.flatMap((check) => numberCheck(check) ?? []));
}

function everyOf<T>(tests: readonly ((value: T) => boolean)[]): (value: T) => boolean {
  const [only, ...more] = tests;
  if (only === undefined) return () => true;
  return more.length === 0 ? only : (value) => tests.every((test) => test(value));
}

function anyOf<T>(tests: readonly ((value: T) => boolean)[]): (value: T) => boolean {
  const [only, ...more] = tests;
  return only !== undefined && more.length === 0 ? only : (value) => tests.some((test) => test(value));
}

function textCheck(check: Check, kind: 'address' | 'ip' | 'text', context: CompileContext): TextTest | undefined {
  switch (check.op) {
    case 'masks':
      return compileMasks(withLists(check.masks, context), kind);
    case 'is': {
      // An address of a machine can be written in several ways.
      if (kind === 'ip') return compileMasks({ masks: [check.value], lists: [] }, kind);
      const wanted = kind === 'address' ? foldAddress(check.value) : fold(check.value);
      return ({ folded }) => folded === wanted;
    }
    case 'in': {
      if (kind === 'ip') return compileMasks(withLists(check.values, context), kind);
      const plain = new Set(check.values.filter((value) => !value.startsWith('@')).map(kind === 'address' ? foldAddress : fold));
      const lists = check.values.filter((value) => value.startsWith('@'));
      if (lists.length === 0) return ({ folded }) => plain.has(folded);
      const masks = compileMasks(withLists(lists, context), kind);
      return (value) => plain.has(value.folded) || masks(value);
    }
    case 'contains':
      return anyOf(check.values.map(fold).map((part): TextTest => ({ folded }) => folded.includes(part)));
    case 'starts':
      return anyOf(check.values.map(fold).map((part): TextTest => ({ folded }) => folded.startsWith(part)));
    case 'ends':
      return anyOf(check.values.map(fold).map((part): TextTest => ({ folded }) => folded.endsWith(part)));
    case 'matches':
      return anyOf(check.patterns.map((pattern): TextTest => {
        const compiled = RE2JS.compile(pattern);
        return ({ raw }) => compiled.matcher(raw).find();
      }));
    default:
      return undefined;
  }
}

function compileMasks({ masks, lists }: MasksAndLists, kind: 'address' | 'ip' | 'text'): TextTest {
  if (kind === 'address') {
    const set = new AddressSet(masks, lists);
    return ({ folded }) => set.has(folded);
  }
  const clients = kind === 'ip' ? new ClientSet({ masks, lists }) : undefined;
  const holds = textMasks({ masks, lists });
  return ({ folded }) => holds(folded) || clients?.has(wordsOf(folded)) === true;
}

/** Whether one of the masks takes a folded text. */
export function textMasks({ masks, lists }: MasksAndLists): (folded: string) => boolean {
  const exact = new Set<string>();
  const tests: MaskTest[] = lists.map(textTest);
  for (const mask of masks) {
    if (/[*?]/.test(mask)) tests.push(compileMask(mask));
    else exact.add(fold(mask));
  }
  return (folded) => exact.has(folded) || tests.some((test) => test(folded));
}

function numberCheck(check: Check): NumberTest | undefined {
  switch (check.op) {
    case 'number':
      return (value) => check.values.includes(value);
    case 'over':
      return (value) => value > check.bound;
    case 'under':
      return (value) => value < check.bound;
    case 'between':
      return (value) => value >= check.from && value <= check.to;
    default:
      return undefined;
  }
}

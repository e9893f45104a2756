import type { Finding } from '../detectors/types.js';
import { domainOf } from '../message/envelope.js';
import type { Link, MessageObject } from '../message/types.js';
import { FIELDS } from './fields.js';
import { namesOf } from './findings.js';
import { fold } from './mask.js';
import type { Condition, FieldTest } from './model.js';
import { compileNumber, compileText, type CompileContext } from './test-value.js';
import { objectTexts, toValues, type Question, type SubjectView, type TextValue } from './view.js';

/** What made a condition hold: the objects and findings that its tests took. */
export interface Witnesses {
  readonly objects: Set<MessageObject>;
  readonly findings: Set<Finding>;
}

/** A compiled condition. With `witnesses` all that holds is looked at, not only the first. */
export interface Evaluator {
  readonly holds: (question: Question, witnesses?: Witnesses) => boolean;
  /** It reads the decoded body. */
  readonly needsText: boolean;
}

export function compileCondition(condition: Condition, context: CompileContext): Evaluator {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return compileList(
        condition.kind,
        condition.of.map((part) => compileCondition(part, context)),
      );
    case 'not': {
      const inner = compileCondition(condition.of, context);
      // What a negated condition takes is no reason, so it gives no witnesses.
      return { ...inner, holds: (question) => !inner.holds(question) };
    }
    case 'attachment':
      return compileAttachment(condition.tests, context);
    case 'link':
      return compileLink(condition.tests, context);
    case 'field':
      return compileField(condition.test, context);
  }
}

function compileList(kind: 'all' | 'any', parts: readonly Evaluator[]): Evaluator {
  return {
    needsText: parts.some((part) => part.needsText),
    holds: (question, witnesses) => {
      if (witnesses === undefined)
        return kind === 'all'
          ? parts.every((part) => part.holds(question))
          : parts.some((part) => part.holds(question));
      // Witnesses count only when the whole holds; of `any` those of every branch that holds do.
      const found: Witnesses = { objects: new Set(), findings: new Set() };
      let held = 0;
      for (const part of parts) {
        const mine: Witnesses = { objects: new Set(), findings: new Set() };
        if (!part.holds(question, mine)) {
          if (kind === 'all') return false;
          continue;
        }
        held++;
        for (const object of mine.objects) found.objects.add(object);
        for (const finding of mine.findings) found.findings.add(finding);
      }
      if (held === 0) return false;
      for (const object of found.objects) witnesses.objects.add(object);
      for (const finding of found.findings) witnesses.findings.add(finding);
      return true;
    },
  };
}

function compileAttachment(tests: readonly FieldTest[], context: CompileContext): Evaluator {
  const compiled = tests.map((test) => compileObjectTest(test, context));
  const fits = (object: MessageObject): boolean => compiled.every((test) => test(object));
  const holdsForNone = asksForNone(tests);
  return {
    needsText: false,
    holds: ({ view }, witnesses) => {
      const { objects } = view.subject.message;
      if (objects.length === 0) return holdsForNone;
      if (witnesses === undefined) return objects.some(fits);
      let held = false;
      for (const object of objects) {
        if (!fits(object)) continue;
        held = true;
        witnesses.objects.add(object);
      }
      return held;
    },
  };
}

function compileObjectTest(test: FieldTest, context: CompileContext): (object: MessageObject) => boolean {
  const kind = FIELDS.get(test.field)?.kind;
  if (kind === 'boolean') {
    const wanted = booleanOf(test);
    const flag = test.field === 'attachment.encrypted' ? 'encrypted' : 'macro';
    return (object) => object[flag] === wanted;
  }
  if (kind === 'number' || kind === 'size') {
    const fits = compileNumber(test.checks);
    const exists = existsOf(test);
    const key = test.field === 'attachment.depth' ? 'depth' : 'size';
    return (object) => exists !== false && fits(object[key]);
  }
  const fits = compileText(test.checks, 'text', context);
  const exists = existsOf(test);
  return (object) => some(objectTexts(object, test.field), fits, exists);
}

/** A message without attachments (or links) has no value of the field at all, which is what `exists: false` asks for. */
function asksForNone(tests: readonly FieldTest[]): boolean {
  return tests.every((test) => existsOf(test) === false);
}

function compileLink(tests: readonly FieldTest[], context: CompileContext): Evaluator {
  const compiled = tests.map((test) => {
    const fits = compileText(test.checks, 'text', context);
    const exists = existsOf(test);
    return (view: SubjectView, link: Link) => some(view.linkTexts(link, test.field), fits, exists);
  });
  const holdsForNone = asksForNone(tests);
  return {
    needsText: false,
    holds: ({ view }) => {
      // Links are read when a condition first asks for them, so that rules without one cost nothing.
      const { list } = view.subject.message.links();
      return list.length === 0 ? holdsForNone : list.some((link) => compiled.every((test) => test(view, link)));
    },
  };
}

function compileField(test: FieldTest, context: CompileContext): Evaluator {
  const kind = test.field === 'header' ? 'text' : FIELDS.get(test.field)?.kind;
  const base = { needsText: test.field === 'body' };
  if (test.field === 'finding') return { ...base, holds: findingTest(test, context) };
  const exists = existsOf(test);
  if (kind === 'boolean') {
    const wanted = booleanOf(test);
    return { ...base, holds: (question) => booleanValue(test.field, question) === wanted };
  }
  if (kind === 'number' || kind === 'size') {
    const fits = compileNumber(test.checks);
    return {
      ...base,
      holds: (question) => {
        const value = numberValue(test.field, question);
        return value === undefined ? exists === false : exists !== false && fits(value);
      },
    };
  }
  const how = kind === 'address' ? 'address' : kind === 'ip' ? 'ip' : 'text';
  const fits = compileText(test.checks, how, context);
  return { ...base, holds: (question) => some(textValues(test, question), fits, exists) };
}

/** `exists: false` holds where there is no value; otherwise one value must fit. */
function some(values: readonly TextValue[], fits: (value: TextValue) => boolean, exists: boolean | undefined): boolean {
  return exists === false ? values.length === 0 : values.some(fits);
}

function existsOf(test: FieldTest): boolean | undefined {
  for (const check of test.checks) if (check.op === 'exists') return check.value;
  return undefined;
}

function booleanOf(test: FieldTest): boolean {
  return test.checks.every((check) => check.op !== 'boolean' || check.value);
}

function findingTest(test: FieldTest, context: CompileContext): Evaluator['holds'] {
  const fits = compileText(test.checks, 'text', context);
  const exists = existsOf(test);
  return ({ findings }, witnesses) => {
    const real = findings.filter(({ status }) => status !== 'clean');
    if (exists === false) return real.length === 0;
    let held = false;
    for (const finding of real) {
      if (!namesOf(finding).some((raw) => fits({ raw, folded: fold(raw) }))) continue;
      held = true;
      if (witnesses === undefined) return true;
      witnesses.findings.add(finding);
    }
    return held;
  };
}

function textValues(test: FieldTest, { view, rawRecipient, findings }: Question): readonly TextValue[] {
  switch (test.field) {
    case 'recipient':
      return toValues(test.field, rawRecipient);
    case 'recipient.domain':
      return toValues(test.field, domainOf(rawRecipient));
    case 'recipient.name':
      return view.namesOf(['to', 'cc'], rawRecipient).flatMap((name) => toValues(test.field, name));
    case 'spf':
    case 'dkim':
    case 'dmarc':
      return findings
        .filter(({ module, status }) => module === 'authentication' && status === test.field)
        .flatMap(({ name }) => toValues('', name ?? ''));
    default:
      return view.texts(test.field, test.header);
  }
}

function numberValue(field: string, { view, findings }: Question): number | undefined {
  const { envelope, message } = view.subject;
  switch (field) {
    case 'size':
      return message.bytes.length;
    case 'recipients.count':
      return envelope.recipients.length;
    case 'attachments.count':
      return view.attachmentCount;
    case 'links.count':
      return view.linkCount;
    case 'spam.score':
      return findings.find(({ module, score }) => module === 'antispam' && score !== undefined)?.score;
    default:
      return undefined;
  }
}

function booleanValue(field: string, { view }: Question): boolean {
  const { envelope } = view.subject;
  return field === 'authenticated' ? envelope.user !== undefined : envelope.tls;
}

import type { HeaderChanges } from '../types.js';
import type { AuditReached, Difference, Expectation, ExpectedAudit, Reached } from './types.js';

/** What of an expectation does not hold, in the order in which people read a decision. What it does not name is not compared. */
export function compare(wanted: Expectation, got: Reached): Difference[] {
  const differences: Difference[] = [];
  const add = (key: string, expected: string, value: string, why?: string): void => {
    if (expected !== value) differences.push({ key, expected, got: value, ...(why === undefined ? {} : { why }) });
  };
  if (wanted.rule !== undefined) add('rule', wanted.rule, got.rule, whyNotRule(wanted.rule, got));
  if (wanted.action !== undefined) add('action', wanted.action, got.action, whyAction(got));
  if (wanted.quarantine !== undefined) add('quarantine', String(wanted.quarantine), String(got.quarantine));
  if (wanted.fired !== undefined) add('fired', set(wanted.fired), set(got.fired.map(({ response }) => response)));
  if (wanted.tags !== undefined) add('tags', list(wanted.tags), list(got.tags));
  if (wanted.headers !== undefined) compareHeaders(wanted.headers, got.headers, add);
  if (wanted.warn !== undefined) add('warn', list(wanted.warn), list(got.warn));
  if (wanted.disclaimer !== undefined) add('disclaimer', list(wanted.disclaimer), list(got.disclaimer));
  if (wanted.reply !== undefined) {
    for (const part of ['code', 'enhanced', 'text'] as const) {
      const value = wanted.reply[part];
      if (value !== undefined) add(`reply.${part}`, String(value), String(got.reply?.[part] ?? 'none'));
    }
  }
  if (wanted.redirect !== undefined) add('redirect', set(wanted.redirect), set(got.redirect ?? []));
  if (wanted.copy !== undefined) add('copy', set(wanted.copy), set(got.copy));
  if (wanted.route !== undefined) add('route', wanted.route === '' ? 'none' : wanted.route, got.route ?? 'none');
  if (wanted.notify !== undefined) compareNotify(wanted.notify, got, add);
  if (wanted.suppressed !== undefined) add('suppressed', set(wanted.suppressed), set(got.suppressed.map(({ group }) => group)));
  if (wanted.audit !== undefined) compareAudit(wanted.audit, got.audit, add);
  return differences;
}

type Add = (key: string, expected: string, got: string, why?: string) => void;

function compareHeaders(wanted: Partial<HeaderChanges>, got: HeaderChanges, add: Add): void {
  for (const kind of ['set', 'add'] as const) {
    const given = new Map(Object.entries(got[kind]).map(([name, value]) => [name.toLowerCase(), value]));
    for (const [name, value] of Object.entries(wanted[kind] ?? {}))
      add(`headers.${kind}.${name}`, list([value].flat()), list([given.get(name.toLowerCase()) ?? []].flat()));
  }
  if (wanted.remove !== undefined) add('headers.remove', set(wanted.remove.map(lower)), set(got.remove.map(lower)));
}

function compareNotify(wanted: NonNullable<Expectation['notify']>, got: Reached, add: Add): void {
  const told = got.notify.map(({ group }) => group);
  if (isList(wanted)) {
    add('notify', set(wanted), set(told), whyNotTold(wanted, got));
    return;
  }
  add('notify', set(Object.keys(wanted)), set(told), whyNotTold(Object.keys(wanted), got));
  for (const [group, { template, to }] of Object.entries(wanted)) {
    const mails = got.notify.filter((mail) => mail.group === group);
    if (mails.length === 0) continue;
    if (template !== undefined) add(`notify.${group}.template`, template, set(mails.map((mail) => mail.template)));
    if (to !== undefined) add(`notify.${group}.to`, set(to.map(lower)), set(mails.flatMap((mail) => mail.to).map(lower)));
  }
}

function compareAudit(
  wanted: Readonly<Record<string, ExpectedAudit>>,
  got: readonly AuditReached[],
  add: Add,
): void {
  add('audit', set(Object.keys(wanted)), set(got.map(({ rule }) => rule)));
  for (const [id, one] of Object.entries(wanted)) {
    const reached = got.find(({ rule }) => rule === id);
    if (reached === undefined) continue;
    const key = `audit.${id}`;
    if (one.action !== undefined) add(`${key}.action`, one.action, reached.action);
    if (one.quarantine !== undefined) add(`${key}.quarantine`, String(one.quarantine), String(reached.quarantine));
    if (one.tags !== undefined) add(`${key}.tags`, list(one.tags), list(reached.tags));
    if (one.notify !== undefined) add(`${key}.notify`, set(one.notify), set(reached.notify.map(({ group }) => group)));
  }
}

/** Why the rule that was expected did not decide. */
function whyNotRule(id: string, { considered, rule }: Reached): string {
  const seen = considered.find((one) => one.rule === id);
  return seen === undefined ? `${rule} stands before it and decides` : `${id}: ${seen.why}`;
}

function whyAction({ fired, notes }: Reached): string {
  const causes = fired.map(({ response, action }) => `${response} (${action})`).join(', ');
  return [causes === '' ? 'no response fired' : `fired: ${causes}`, ...notes].join('; ');
}

function whyNotTold(groups: readonly string[], { suppressed }: Reached): string | undefined {
  const reasons = suppressed.filter(({ group }) => groups.includes(group));
  if (reasons.length === 0) return undefined;
  return reasons.map(({ group, to, reason }) => `${group} (${to.join(', ')}): ${reason}`).join('; ');
}

function isList(notify: NonNullable<Expectation['notify']>): notify is Extract<typeof notify, readonly unknown[]> {
  return Array.isArray(notify);
}

function list(values: readonly string[]): string {
  return values.length === 0 ? 'none' : values.map((value) => JSON.stringify(value)).join(' ');
}

function set(values: readonly string[]): string {
  return values.length === 0 ? 'none' : [...new Set(values)].sort().join(', ');
}

function lower(text: string): string {
  return text.toLowerCase();
}

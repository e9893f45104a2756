import type { RecipientReport } from './report.js';

/** What is compared of two decisions, and shown. */
export type Outcome = Pick<
  RecipientReport,
  | 'rule'
  | 'action'
  | 'quarantine'
  | 'tags'
  | 'headers'
  | 'warn'
  | 'disclaimer'
  | 'notify'
  | 'reply'
  | 'redirect'
  | 'copy'
  | 'route'
>;

/** A recipient for whom two rule sets come to different outcomes. */
export interface Change {
  readonly message: string;
  readonly recipient: string;
  readonly before: Outcome;
  readonly after: Outcome;
  /** What differs: `rule`, `action`, `tags`, ... */
  readonly differs: readonly string[];
  /** Why, for people. */
  readonly reason: string;
}

/**
 * The change, or undefined where both sets do the same.
 * @param otherRules IDs of the rules of the other set
 */
export function changeOf(
  message: string,
  recipient: string,
  before: RecipientReport,
  after: RecipientReport,
  otherRules: ReadonlySet<string>,
): Change | undefined {
  const one = outcomeOf(before);
  const other = outcomeOf(after);
  const differs = KEYS.filter((key) => JSON.stringify(one[key]) !== JSON.stringify(other[key]));
  if (differs.length === 0) return undefined;
  return { message, recipient, before: one, after: other, differs, reason: whyChanged(before, after, otherRules) };
}

const KEYS = [
  'rule',
  'action',
  'quarantine',
  'tags',
  'headers',
  'warn',
  'disclaimer',
  'notify',
  'reply',
  'redirect',
  'copy',
  'route',
] as const;

function outcomeOf(report: RecipientReport): Outcome {
  const { rule, action, quarantine, tags, headers, warn, disclaimer, notify, reply, redirect, copy, route } = report;
  return {
    rule,
    action,
    quarantine,
    tags,
    headers,
    warn,
    disclaimer,
    notify,
    ...(reply === undefined ? {} : { reply }),
    ...(redirect === undefined ? {} : { redirect }),
    copy,
    ...(route === undefined ? {} : { route }),
  };
}

/** Which rule or which response made the difference. */
function whyChanged(before: RecipientReport, after: RecipientReport, otherRules: ReadonlySet<string>): string {
  const parts: string[] = [];
  if (before.rule !== after.rule) {
    const gone = after.considered.find(({ rule }) => rule === before.rule);
    const known = before.considered.find(({ rule }) => rule === after.rule);
    if (!otherRules.has(before.rule)) parts.push(`the other set has no rule ${before.rule}; ${after.rule} takes it`);
    else if (gone !== undefined) parts.push(`${before.rule} does not take it any more: ${gone.why}`);
    else if (known !== undefined) parts.push(`${after.rule} takes it now; before: ${known.why}`);
    else parts.push(`${after.rule} stands before ${before.rule} and takes it`);
  }
  const was = new Map(before.fired.map(({ response, action }) => [response, action]));
  const is = new Map(after.fired.map(({ response, action }) => [response, action]));
  for (const [response, action] of is) {
    const earlier = was.get(response);
    if (earlier === undefined) parts.push(`${response} fires (${action})`);
    else if (earlier !== action) parts.push(`${response} does ${action} instead of ${earlier}`);
  }
  for (const [response, action] of was)
    if (!is.has(response)) parts.push(`${response} does not fire any more (${action})`);
  if (parts.length > 0) return parts.join('; ');
  return is.size > 0 ? 'the same responses fire and do something else' : `${after.rule} does so without scanning`;
}

import { finishSetup } from '../gateway/setup.js';
import type { RuleData } from '../rules/model.js';
import type { Hits, RuleCounts } from '../store/types.js';
import { UsageError } from './exit.js';
import { loadSite } from './site-config.js';
import { json, out, paint, table } from './terminal.js';
import { withStore } from './with-store.js';

const DAY = 86_400_000;
/** Days without a hit after which a rule is pointed out. */
const IDLE_DAYS = 90;
const PERIODS = { '7d': 'last7', '30d': 'last30', total: 'total' } as const;
const NONE: Hits = { matched: 0, decided: 0, audited: 0 };

type Period = keyof typeof PERIODS;

export interface RulesOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly period?: string;
  readonly responses?: boolean;
}

/** A rule of the set, or one of its responses, with what it has done. */
interface Line {
  /** ID of the rule, or key of the response. */
  readonly id: string;
  readonly name: string;
  readonly counts: Pick<RuleCounts, 'last7' | 'last30' | 'total'>;
  readonly lastHit: Date | null;
}

interface RuleLine extends Line {
  readonly mode: 'enforce' | 'audit';
  readonly enabled: boolean;
  /** Since when a gateway has run it; null when none has. */
  readonly firstSeen: Date | null;
  /** It is known for that long and had no hit in all the time. */
  readonly idle: boolean;
  readonly responses: readonly Line[];
}

/** `gatepost rules`: the rules of the configured set, in order, with their counters. */
export async function listRules(options: RulesOptions): Promise<void> {
  const period = options.period ?? '30d';
  if (!isPeriod(period)) throw new UsageError(`--period: "${period}" is none of 7d, 30d and total`);
  const { config, bundle } = await finishSetup('trial', await loadSite(options.config));
  const now = new Date();
  const [counts, known] = await withStore<readonly [readonly RuleCounts[], ReadonlyMap<string, Date>]>(
    config,
    async ({ counters }) => [await counters.counts(now), await counters.known()],
    () => [[], new Map()],
  );
  const lines = linesOf(bundle.rules, counts, known, now);
  if (options.json === true) json(lines.map(ruleJson));
  else print(lines, period, options.responses === true);
}

/** @param known since when each rule is known */
export function linesOf(
  rules: readonly RuleData[],
  counts: readonly RuleCounts[],
  known: ReadonlyMap<string, Date>,
  now: Date,
): RuleLine[] {
  const found = new Map(counts.map((one) => [`${one.rule}\n${one.response}`, one]));
  const line = (rule: string, response: string, id: string, name: string): Line => {
    const one = found.get(`${rule}\n${response}`);
    const { last7 = NONE, last30 = NONE, total = NONE, lastHit = null } = one ?? {};
    return { id, name, counts: { last7, last30, total }, lastHit };
  };
  const idleFrom = now.getTime() - IDLE_DAYS * DAY;
  return rules.map((rule) => {
    const own = line(rule.id, '', rule.id, rule.name);
    const firstSeen = known.get(rule.id) ?? null;
    const since = Math.max(firstSeen?.getTime() ?? Infinity, own.lastHit?.getTime() ?? -Infinity);
    return {
      ...own,
      mode: rule.mode,
      enabled: rule.enabled,
      firstSeen,
      idle: rule.enabled && since <= idleFrom,
      responses: rule.on.map(({ key, name }) => line(rule.id, key, key, name)),
    };
  });
}

function ruleJson({ responses, counts, mode, enabled, firstSeen, idle, ...rest }: RuleLine): object {
  return {
    id: rest.id,
    name: rest.name,
    mode,
    enabled,
    ...countsJson(counts),
    lastHit: rest.lastHit,
    firstSeen,
    idle,
    responses: responses.map((one) => ({
      key: one.id,
      name: one.name,
      ...countsJson(one.counts),
      lastHit: one.lastHit,
    })),
  };
}

/** Totals at the top, where a script looks first. */
function countsJson({ total, last7, last30 }: Line['counts']): object {
  return { ...total, last7, last30 };
}

function print(lines: readonly RuleLine[], period: Period, withResponses: boolean): void {
  const rows = lines.flatMap((rule, i) => [
    { ...rule, place: String(i + 1), state: rule.enabled ? rule.mode : 'disabled' },
    ...(withResponses
      ? rule.responses.map((one) => ({ ...one, id: `  ${one.id}`, place: '', state: '', idle: false }))
      : []),
  ]);
  const hits = (line: Line): Hits => line.counts[PERIODS[period]];
  out(
    table(rows, [
      { title: '#', value: (r) => r.place, right: true },
      { title: 'rule', value: (r) => r.id },
      { title: 'mode', value: (r) => r.state },
      { title: 'matched', value: (r) => String(hits(r).matched), right: true },
      { title: 'decided', value: (r) => String(hits(r).decided), right: true },
      { title: 'audited', value: (r) => String(hits(r).audited), right: true },
      { title: 'last hit', value: (r) => (r.lastHit === null ? '-' : `${r.lastHit.toISOString().slice(0, 16)}Z`) },
      { title: 'name', value: (r) => r.name, max: 50 },
    ]),
  );
  out(`(recipients, ${period === 'total' ? 'in all' : `of the last ${period.slice(0, -1)} days`}, in UTC)`);
  const idle = lines.filter((rule) => rule.idle);
  if (idle.length === 0) return;
  out(
    `\n${paint('yellow', `No hit for ${IDLE_DAYS} days`)}: ${idle.map(({ id }) => id).join(', ')}.\n` +
      'gatepost check tells whether an earlier rule takes all their mail; gatepost explain, why a message passes a rule by.',
  );
}

function isPeriod(text: string): text is Period {
  return Object.hasOwn(PERIODS, text);
}

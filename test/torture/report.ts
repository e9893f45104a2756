import type { Verdict } from './judge.js';
import type { Kill } from './lives.js';
import type { Load } from './load.js';
import type { Records } from './records.js';

export interface ReportParts {
  readonly queue: string;
  readonly seed: number;
  readonly load: Load;
  readonly kills: readonly Kill[];
  /** How long the last gateway took to come to rest, ms. */
  readonly calmed: number;
  readonly verdict: Verdict;
  readonly records: readonly Records[];
  /** What the gateways have logged as errors. */
  readonly errors: readonly string[];
  /** Files in the folders for what is damaged: a message that was being written at a kill may lie there. */
  readonly aside: readonly string[];
}

/** The figures of a run, for people. */
export function report({ queue, seed, load, kills, calmed, verdict, records, errors, aside }: ReportParts): string {
  const receipts = records.flatMap(({ receipts: all }) => [...all.values()]).flat().length;
  const lines = [
    `kill -9, queue ${queue}, seed ${seed}`,
    `  kills           ${list(count(kills.map(({ victim }) => victim)))}`,
    `  messages        ${load.sent} sent, ${load.acknowledged.length} acknowledged, other answers: ${list(load.refused)}`,
    `  receipts        ${receipts} (mails, DSNs, notifications, for each recipient)`,
    `  lost            ${verdict.lost.length}`,
    `  duplicates      ${list(verdict.duplicates)}; unexplained ${verdict.unexplained.length}; longest from 250 to kill ${verdict.window} ms`,
    `  journal         ${verdict.unrecorded} acknowledged messages without a line; untrue ${verdict.untrue.length}`,
    `  errors logged   ${list(count(errors.map((line) => /"msg":"([^"]*)/.exec(line)?.[1] ?? '?')))}`,
    `  set aside       ${aside.length === 0 ? 'none' : aside.join(' ')}`,
    `  at rest after   ${(calmed / 1000).toFixed(1)} s`,
  ];
  return `\n${lines.join('\n')}\n`;
}

export function count(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

export function list(counts: ReadonlyMap<string, number>): string {
  return counts.size === 0 ? 'none' : [...counts].map(([name, n]) => `${name}: ${n}`).join(', ');
}

const MAX_LINES = 200;

/** What gateways have logged of the messages that these texts name. */
export function linesAbout(texts: readonly string[], log: readonly string[]): string {
  const ids = [...new Set(texts.flatMap((text) => text.match(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g) ?? []))];
  const lines = log.filter((line) => ids.some((id) => line.includes(id))).slice(0, MAX_LINES);
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

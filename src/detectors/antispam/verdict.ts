import type { Finding } from '../types.js';
import type { EngineSymbol, Verdict } from './engine.js';

/** Status that leaves the class to the thresholds of the deciding rule. */
const SCORE = 'score';
/** What a symbol must weigh to count as a finding of its own. */
const PHISHING_WEIGHT = 2;
/** Symbols that a detail names; the weightiest come first. */
const MAX_SYMBOLS = 15;
const MAX_NOTE = 160;

/**
 * The findings of a verdict: one score, which the deciding rule's thresholds turn into spam, probable-spam, bulk or
 * clean, and `phishing` where the engine is sure of it.
 * @param bulk the message bears marks of mass mail
 */
export function toFindings(engine: string, verdict: Verdict, bulk: boolean): readonly Finding[] {
  const score = Math.round(verdict.score * 100) / 100;
  const findings: Finding[] = [];
  const phishing = verdict.symbols.find((symbol) => isPhishing(symbol, verdict));
  if (phishing !== undefined) {
    findings.push({
      module: 'antispam',
      status: 'phishing',
      ...(phishing.host === undefined ? {} : { name: phishing.host }),
      detail: `${engine}: ${symbolText(phishing)}`,
    });
  }
  findings.push({
    module: 'antispam',
    status: SCORE,
    score,
    ...(bulk ? { name: 'bulk' } : {}),
    detail: detailOf(engine, score, verdict),
  });
  return findings;
}

/** Where the engine gives no weights, its own verdict on the whole must be spam. */
function isPhishing({ name, score }: EngineSymbol, verdict: Verdict): boolean {
  if (!name.includes('PHISH')) return false;
  if (score !== undefined) return score >= PHISHING_WEIGHT;
  return verdict.required !== undefined && verdict.score >= verdict.required;
}

function detailOf(engine: string, score: number, { required, action, symbols, notes }: Verdict): string {
  const sorted = [...symbols].sort((a, b) => Math.abs(b.score ?? 0) - Math.abs(a.score ?? 0));
  const named = sorted.slice(0, MAX_SYMBOLS).map(symbolText);
  if (sorted.length > MAX_SYMBOLS) named.push(`${sorted.length - MAX_SYMBOLS} more`);
  return [
    `${engine}: ${score}${required === undefined ? '' : ` of ${required}`}${action === undefined ? '' : `, ${action}`}`,
    ...notes.map((note) => note.slice(0, MAX_NOTE)),
    ...(named.length === 0 ? [] : [named.join(', ')]),
  ].join('; ');
}

function symbolText({ name, score }: EngineSymbol): string {
  return score === undefined ? name : `${name} ${Math.round(score * 100) / 100}`;
}

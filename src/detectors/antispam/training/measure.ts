import type { EmbeddedScorer } from '../embedded/embedded.js';
import type { Sample } from './corpus.js';

/** How scores fall on either side of a threshold. */
export interface Measure {
  readonly threshold: number;
  readonly spam: number;
  readonly ham: number;
  /** Spam that was found. */
  readonly found: number;
  /** Ham that was taken for spam. */
  readonly false: number;
  /** Of what was taken for spam, the share that is. */
  readonly precision: number;
  /** Of spam, the share that was found. */
  readonly recall: number;
  /** Of ham, the share that was taken for spam. */
  readonly falsePositives: number;
}

export interface Scored {
  readonly sample: Sample;
  readonly score: number;
}

/** Scores samples one after the other. */
export async function scoreAll(scorer: EmbeddedScorer, samples: Iterable<Sample>): Promise<readonly Scored[]> {
  const scored: Scored[] = [];
  for (const sample of samples) {
    const { score } = await scorer.judge({ message: sample.message });
    scored.push({ sample, score });
  }
  return scored;
}

/** Precision, recall and false-positive rate at a threshold. */
export function measure(scored: readonly Scored[], threshold: number): Measure {
  const over = scored.filter(({ score }) => score >= threshold);
  const spam = scored.filter(({ sample }) => sample.spam).length;
  const ham = scored.length - spam;
  const found = over.filter(({ sample }) => sample.spam).length;
  const wrong = over.length - found;
  return {
    threshold,
    spam,
    ham,
    found,
    false: wrong,
    precision: over.length === 0 ? 1 : found / over.length,
    recall: spam === 0 ? 1 : found / spam,
    falsePositives: ham === 0 ? 0 : wrong / ham,
  };
}

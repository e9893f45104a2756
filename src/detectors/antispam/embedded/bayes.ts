import { combine } from './chi-squared.js';
import type { Model } from './model.js';

/** A feature with a probability this near to one half says nothing. */
const INDIFFERENT = 0.1;
/** Strongest features that are combined. */
const MAX_EVIDENCE = 150;
/** Features of a text come in company: each is a fraction of independent evidence. */
const WEIGHT = 0.4;
/** With fewer known features the verdict is drawn towards one half. */
const ENOUGH = 12;

const BUCKETS = 128;
const LOG_P = Float64Array.from({ length: 256 }, (_, p) => Math.log(Math.max(1, p) / 255));
const LOG_Q = Float64Array.from({ length: 256 }, (_, p) => Math.log(Math.max(1, 255 - p) / 255));

/** What the words of a message say. */
export interface Opinion {
  /** 0 is ham, 1 is spam, 0.5 nothing is known. */
  readonly probability: number;
  /** Features that the opinion rests on. */
  readonly evidence: number;
}

/** What the model knows of these features, combined. */
export function judgeFeatures(hashes: readonly number[], model: Model): Opinion {
  // Counted by strength rather than sorted: 128 strengths, each for spam and for ham.
  const spam = new Uint16Array(BUCKETS);
  const ham = new Uint16Array(BUCKETS);
  for (const hash of hashes) {
    const p = model.lookUp(hash);
    if (p === 0) continue;
    if (p > 127) spam[p - 128] = (spam[p - 128] ?? 0) + 1;
    else ham[127 - p] = (ham[127 - p] ?? 0) + 1;
  }
  let evidence = 0;
  let logSpam = 0;
  let logHam = 0;
  for (let strength = BUCKETS - 1; strength > INDIFFERENT * 255 && evidence < MAX_EVIDENCE; strength -= 1) {
    const s = spam[strength] ?? 0;
    const h = ham[strength] ?? 0;
    evidence += s + h;
    logSpam += s * (LOG_P[strength + 128] ?? 0) + h * (LOG_P[127 - strength] ?? 0);
    logHam += s * (LOG_Q[strength + 128] ?? 0) + h * (LOG_Q[127 - strength] ?? 0);
  }
  const sure = combine({ spam: logSpam, ham: logHam }, evidence, WEIGHT);
  const trust = Math.min(1, evidence / ENOUGH);
  return { probability: 0.5 + (sure - 0.5) * trust, evidence };
}

import type { Opinion } from './bayes.js';
import type { Sign } from './sign.js';

/** Points at probabilities; between them on a straight line. */
const CURVE: readonly (readonly [probability: number, points: number])[] = [
  [0, -2],
  [0.1, -1],
  [0.4, 0],
  [0.6, 0.5],
  [0.9, 2.5],
  [0.99, 4],
  [0.999, 5],
  [1, 6],
];

/** What the words of a message count. */
export function wordSign({ probability }: Opinion): Sign {
  const name = probability >= 0.6 ? 'words-of-spam' : probability <= 0.4 ? 'words-of-mail' : 'words-undecided';
  const above = Math.max(
    1,
    CURVE.findIndex(([at]) => at >= probability),
  );
  const [fromP, fromPoints] = CURVE[above - 1] ?? [0, 0];
  const [toP, toPoints] = CURVE[above] ?? [1, 0];
  const share = toP === fromP ? 0 : (probability - fromP) / (toP - fromP);
  return { name, points: Math.round((fromPoints + share * (toPoints - fromPoints)) * 100) / 100 };
}

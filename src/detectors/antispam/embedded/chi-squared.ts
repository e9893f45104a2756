/**
 * Probability that a chi-squared variable with an even number of degrees of freedom is over `x` (Fisher's method of
 * combining probabilities, as used for mail by Gary Robinson).
 * @param half half the degrees of freedom
 */
export function chiSquaredTail(x: number, half: number): number {
  const m = x / 2;
  // In logarithms: exp(-m) alone would be 0 for long messages.
  let term = -m;
  let largest = term;
  const terms = [term];
  for (let i = 1; i < half; i += 1) {
    term += Math.log(m / i);
    if (term > largest) largest = term;
    terms.push(term);
  }
  let sum = 0;
  for (const one of terms) sum += Math.exp(one - largest);
  return Math.min(1, Math.exp(largest + Math.log(sum)));
}

/**
 * Combines the probabilities of features into one, 0 for ham and 1 for spam; evidence for both gives 0.5. Features of
 * one text depend on each other, so that each counts for less than a whole one.
 * @param logs sums of ln(p) and ln(1-p) over the features
 * @param count of features
 * @param weight of one feature, 0 to 1
 */
export function combine(logs: { readonly spam: number; readonly ham: number }, count: number, weight: number): number {
  if (count === 0) return 0.5;
  const half = Math.max(1, Math.round(count * weight));
  const scale = half / count;
  const spam = 1 - chiSquaredTail(-2 * logs.ham * scale, half);
  const ham = 1 - chiSquaredTail(-2 * logs.spam * scale, half);
  return (1 + spam - ham) / 2;
}

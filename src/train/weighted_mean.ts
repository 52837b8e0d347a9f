/** How rows count in a metric: every metric here takes weights, so that a resampled or a partial set needs no second form. */

/**
 * A metric over rows that it knows: `weights[i]` says how often row i counts (not negative, fractions allowed); each
 * counts once where no weights are given. NaN where it is not defined, e.g. an AUC without pairs of different people.
 */
export type Metric = (weights?: Float64Array) => number;

/** The mean of values in which rows without one (NaN) are left out; NaN where none is left. */
export function weightedMean(values: ArrayLike<number>, weights?: Float64Array): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    const weight = weights === undefined ? 1 : weights[row]!;
    if (Number.isNaN(value) || weight === 0) continue;
    sum += weight * value;
    total += weight;
  }
  return sum / total;
}

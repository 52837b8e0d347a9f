/** LFW's ten-fold accuracy: the share of pairs judged rightly, by a threshold that was chosen on the other folds. */

import type { RankedPairs } from './verification.js';

export interface FoldAccuracy {
  readonly fold: number;
  /** Chosen on the other folds; pairs at or below it are taken for one person. */
  readonly threshold: number;
  readonly accuracy: number;
}

export interface TenFoldAccuracy {
  /** The mean of the folds' accuracies. */
  readonly accuracy: number;
  /** The folds' standard deviation over the root of their number, as LFW has it reported. */
  readonly standardError: number;
  readonly folds: readonly FoldAccuracy[];
}

/**
 * Huang, Ramesh, Berg and Learned-Miller, "Labeled Faces in the Wild", UMass Technical Report 07-49, section 4: each of
 * the folds (ten in LFW, any number from two on here) is tested once, with whatever is chosen chosen on the others.
 * The threshold is the lowest of those that are best there, half way to the next distance. `fold` is by row, any numbers.
 * Folds whose rows all have weight 0 are left out.
 */
export function tenFoldAccuracy(
  pairs: RankedPairs,
  fold: ArrayLike<number>,
  weights?: Float64Array,
): TenFoldAccuracy {
  if (fold.length !== pairs.order.length)
    throw new RangeError(`${fold.length} folds for ${pairs.order.length} pairs`);
  const names = [...new Set(Array.from(fold))].sort((a, b) => a - b);
  if (names.length < 2) throw new RangeError('a threshold can be chosen on other folds where there are two');
  const folds: FoldAccuracy[] = [];
  for (const name of names) {
    const threshold = bestThreshold(pairs, fold, name, weights);
    const accuracy = accuracyWithin(pairs, fold, name, threshold, weights);
    if (!Number.isNaN(accuracy)) folds.push({ fold: name, threshold, accuracy });
  }
  const mean = folds.reduce((sum, { accuracy }) => sum + accuracy, 0) / folds.length;
  const squares = folds.reduce((sum, { accuracy }) => sum + (accuracy - mean) ** 2, 0);
  const standardError = Math.sqrt(squares / (folds.length - 1) / folds.length);
  return { accuracy: mean, standardError, folds };
}

function bestThreshold(
  { order, distances, same }: RankedPairs,
  fold: ArrayLike<number>,
  left: number,
  weights: Float64Array | undefined,
): number {
  // Right minus wrong, from a threshold that accepts nothing on; only differences matter.
  let gain = 0;
  let best = 0;
  let threshold = Number.NaN;
  let here = Number.NaN;
  for (const row of order) {
    const weight = weights === undefined ? 1 : weights[row]!;
    if (fold[row] === left || weight === 0) continue;
    const distance = distances[row]!;
    if (Number.isNaN(here)) threshold = distance - 1;
    // All that is at one distance is accepted together.
    else if (distance !== here && gain > best + GAIN_TOLERANCE) {
      best = gain;
      threshold = Number.isFinite(distance) ? here + (distance - here) / 2 : here;
    }
    here = distance;
    gain += same[row] === 1 ? weight : -weight;
  }
  return gain > best + GAIN_TOLERANCE ? here : threshold;
}

/** Sums of fractional weights that should be equal differ by less. */
const GAIN_TOLERANCE = 1e-9;

function accuracyWithin(
  { distances, same }: RankedPairs,
  fold: ArrayLike<number>,
  name: number,
  threshold: number,
  weights: Float64Array | undefined,
): number {
  let right = 0;
  let total = 0;
  for (let row = 0; row < distances.length; row++) {
    if (fold[row] !== name) continue;
    const weight = weights === undefined ? 1 : weights[row]!;
    total += weight;
    if ((distances[row]! <= threshold ? 1 : 0) === same[row]) right += weight;
  }
  return right / total;
}

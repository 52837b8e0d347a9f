/** What a guess would score: the floor that stands beside every number. */

/** A triplet whose three distances are in random order. */
export const TRIPLET_CHANCE = 1 / 3;

/** AUC and equal error rate of distances that say nothing; TAR at a FAR is then that FAR. */
export const AUC_CHANCE = 0.5;
export const EQUAL_ERROR_CHANCE = 0.5;

/** Share of rows rightly judged by the one answer that is right most often. */
export function majorityShare(labels: ArrayLike<number>): number {
  return Math.max(...labelCounts(labels).values()) / labels.length;
}

/** Scores of answers that are drawn with the labels' own shares, in the limit of many rows. */
export interface ClassificationChance {
  /** Of the one answer that is right most often, which is the better guess. */
  readonly accuracy: number;
  readonly balancedAccuracy: number;
  /** Precision and recall of each class are then its share p, and so is its F1; the shares add up to 1. */
  readonly macroF1: number;
  readonly cohensKappa: number;
}

export function classificationChance(labels: ArrayLike<number>): ClassificationChance {
  const classes = labelCounts(labels).size;
  return {
    accuracy: majorityShare(labels),
    balancedAccuracy: 1 / classes,
    macroF1: 1 / classes,
    cohensKappa: 0,
  };
}

/**
 * By row: the probability that a random order of the other rows has one of the row's own label among the first k, which is
 * 1 − C(n − r, k) ⁄ C(n, k) for r of n; NaN where r is 0, as `recallAtK` has it.
 */
export function recallAtKChance(labels: ArrayLike<number>, k: number): Float64Array {
  const others = labels.length - 1;
  return byLabel(labels, (wanted) => {
    let none = 1;
    for (let at = 0; at < Math.min(k, others); at++)
      none *= Math.max(0, others - wanted - at) / (others - at);
    return 1 - none;
  });
}

/**
 * By row: the expected average precision of a random order of the other rows. A wanted row at rank i, which is one with
 * probability r ⁄ n, has (i − 1)(r − 1) ⁄ (n − 1) others before it on average; summed over ranks, with H the harmonic number
 * of n: (H + (r − 1)(n − H) ⁄ (n − 1)) ⁄ n (as Bestgen, Scientometrics 103, 2015). NaN where r is 0.
 */
export function averagePrecisionChance(labels: ArrayLike<number>): Float64Array {
  const others = labels.length - 1;
  let harmonic = 0;
  for (let rank = 1; rank <= others; rank++) harmonic += 1 / rank;
  return byLabel(labels, (wanted) =>
    others === 1 ? 1 : (harmonic + ((wanted - 1) * (others - harmonic)) / (others - 1)) / others,
  );
}

function byLabel(labels: ArrayLike<number>, value: (wanted: number) => number): Float64Array {
  const counts = labelCounts(labels);
  return Float64Array.from(labels, (label) => {
    const wanted = counts.get(label)! - 1;
    return wanted === 0 ? Number.NaN : value(wanted);
  });
}

function labelCounts(labels: ArrayLike<number>): Map<number, number> {
  const counts = new Map<number, number>();
  for (let row = 0; row < labels.length; row++) counts.set(labels[row]!, (counts.get(labels[row]!) ?? 0) + 1);
  return counts;
}

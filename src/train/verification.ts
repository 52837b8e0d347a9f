/** Verification: how well a distance tells pairs of one person from pairs of two. ROC, AUC, EER, TAR at FAR. */

/** Pairs in the order of their distance, ready to be measured under many weights. */
export interface RankedPairs {
  /** Rows by ascending distance. */
  readonly order: Uint32Array;
  readonly distances: Float64Array;
  /** By row: 1 where both are of one person. */
  readonly same: Uint8Array;
}

/** A threshold's place on the ROC curve: pairs at or below it are accepted. */
export interface RocPoint {
  /** −Infinity for the point that accepts nothing. */
  readonly threshold: number;
  /** Share of the pairs of different people that are accepted: the false accept rate. */
  readonly far: number;
  /** Share of the pairs of one person that are accepted: the true accept rate. */
  readonly tar: number;
}

/** A distance that is NaN counts as farther than any other: a model that gives no number recognises nobody. */
export function rankPairs(distances: ArrayLike<number>, same: ArrayLike<number | boolean>): RankedPairs {
  if (distances.length !== same.length)
    throw new RangeError(`${distances.length} distances of ${same.length} pairs`);
  const values = Float64Array.from(distances, (d) => (Number.isNaN(d) ? Number.POSITIVE_INFINITY : d));
  const order = Uint32Array.from(values, (_, row) => row).sort((i, j) => {
    const [a, b] = [values[i]!, values[j]!];
    return a < b ? -1 : a > b ? 1 : i - j;
  });
  return { order, distances: values, same: Uint8Array.from(same, Number) };
}

/**
 * The curve from (0, 0) to (1, 1): a point for each distinct distance, so that pairs at one distance are accepted together
 * (Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006). Empty where there is no pair of one kind.
 */
export function* rocCurve(
  { order, distances, same }: RankedPairs,
  weights?: Float64Array,
): Generator<RocPoint, void, undefined> {
  let positives = 0;
  let negatives = 0;
  for (const row of order) {
    const weight = weights === undefined ? 1 : weights[row]!;
    if (same[row] === 1) positives += weight;
    else negatives += weight;
  }
  if (positives === 0 || negatives === 0) return;
  yield { threshold: Number.NEGATIVE_INFINITY, far: 0, tar: 0 };
  let accepted = 0;
  let wrongly = 0;
  for (let at = 0; at < order.length; ) {
    const threshold = distances[order[at]!]!;
    let counted = 0;
    for (; at < order.length && distances[order[at]!] === threshold; at++) {
      const row = order[at]!;
      const weight = weights === undefined ? 1 : weights[row]!;
      counted += weight;
      if (same[row] === 1) accepted += weight;
      else wrongly += weight;
    }
    if (counted > 0) yield { threshold, far: wrongly / negatives, tar: accepted / positives };
  }
}

/**
 * The area under the ROC curve by the trapezium rule: the probability that a pair of one person is nearer than a pair of
 * two, ties counting half (Hanley and McNeil, Radiology 143, 1982). Chance is 0.5; NaN where there is no pair of one kind.
 */
export function rocAuc(pairs: RankedPairs, weights?: Float64Array): number {
  let area = Number.NaN;
  let before: RocPoint | undefined;
  for (const point of rocCurve(pairs, weights)) {
    area = before === undefined ? 0 : area + ((point.far - before.far) * (point.tar + before.tar)) / 2;
    before = point;
  }
  return area;
}

/**
 * The equal error rate: where as many pairs of two people are accepted as pairs of one are refused, between two points
 * of the curve by the straight line through them. Chance is 0.5; NaN where there is no pair of one kind.
 */
export function equalErrorRate(pairs: RankedPairs, weights?: Float64Array): number {
  let before: RocPoint = { threshold: Number.NEGATIVE_INFINITY, far: 0, tar: 0 };
  for (const point of rocCurve(pairs, weights)) {
    if (point.far >= 1 - point.tar) {
      const share = (1 - before.tar - before.far) / (point.far - before.far + point.tar - before.tar);
      return before.far + share * (point.far - before.far);
    }
    before = point;
  }
  return Number.NaN;
}

/** What a distance accepts rightly while it accepts at most so much wrongly. */
export interface TarAtFar {
  readonly far: number;
  /** NaN where the pairs are too few for such a rate: see `caution`. */
  readonly tar: number;
  /** Pairs at or below it are accepted. */
  readonly threshold: number;
  /** Pairs of different people accepted, of how many. */
  readonly falseAccepts: number;
  readonly negatives: number;
  /** Why the number is not to be relied on; undefined where nothing speaks against it. */
  readonly caution: string | undefined;
}

/**
 * The true accept rate at the largest threshold whose false accept rate is at most `far` (0 < far < 1). Nothing is
 * interpolated: between two thresholds there is no third. A rate below one pair can't be measured and gives NaN; one that
 * rests on fewer than 30 accepted pairs is said to: Doddington's rule of 30 (NIST speaker recognition evaluations, Speech
 * Communication 31, 2000) asks for 30 errors to be within 30 % of the true rate with 90 % confidence.
 */
export function tarAtFar(pairs: RankedPairs, far: number): TarAtFar {
  const found = lastPointWithin(pairs, far);
  const negatives = pairs.same.reduce((count, isSame) => count + 1 - isSame, 0);
  const falseAccepts = Math.round((found?.far ?? 0) * negatives);
  const caution =
    found === undefined
      ? 'there are no pairs of one kind'
      : negatives * far < 1
        ? `a false accept rate of ${far} needs ${Math.ceil(1 / far)} pairs of different people; there are ${negatives}`
        : negatives * far < RULE_OF_30
          ? `it rests on ${Math.floor(negatives * far)} false accepts; with fewer than ${RULE_OF_30} it may be far from the truth`
          : undefined;
  const tar = found === undefined || negatives * far < 1 ? Number.NaN : found.tar;
  return { far, tar, threshold: found?.threshold ?? Number.NaN, falseAccepts, negatives, caution };
}

const RULE_OF_30 = 30;

/** The same rate alone, as a metric of weights; NaN where there is no pair of one kind. */
export function tarAtFarValue(pairs: RankedPairs, far: number, weights?: Float64Array): number {
  return lastPointWithin(pairs, far, weights)?.tar ?? Number.NaN;
}

function lastPointWithin(pairs: RankedPairs, far: number, weights?: Float64Array): RocPoint | undefined {
  let last: RocPoint | undefined;
  for (const point of rocCurve(pairs, weights)) {
    // A sum of weights may round to just above a rate that it is equal to.
    if (point.far > far * (1 + 1e-12)) break;
    last = point;
  }
  return last;
}

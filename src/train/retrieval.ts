/** Retrieval: whether a picture's nearest neighbours are of the same identity or label. Recall at k and mean average precision. */

import { type Embeddings, embeddingShape, squaredDistance } from './embeddings.js';

/** What each row finds when it is the query and all other rows are searched. */
export interface Retrieval {
  /** By row: where the first row of its own label stands, from 1; NaN where no other row has its label. */
  readonly firstRank: Float64Array;
  /** By row: average precision in [0, 1]; NaN where no other row has its label. `weightedMean` of it is the mAP. */
  readonly averagePrecision: Float64Array;
  /** Rows that have something to find. */
  readonly queries: number;
}

/**
 * Every row asks once, and is not searched itself. Rows at one distance: those of other labels come first in the rank, so
 * that one embedding for everything is no success; average precision takes them in together, as scikit-learn's
 * `average_precision_score` does, and is then the share of the label. A distance that is NaN is the farthest. Time grows
 * with rows² × dimensions: some 20 s for 10,000 rows of 128.
 */
export function retrieve(embeddings: Embeddings, labels: ArrayLike<number>): Retrieval {
  const [rows] = embeddingShape(embeddings);
  if (labels.length !== rows) throw new RangeError(`${labels.length} labels for ${rows} embeddings`);
  const firstRank = new Float64Array(rows).fill(Number.NaN);
  const averagePrecision = new Float64Array(rows).fill(Number.NaN);
  let queries = 0;
  const distances = new Float64Array(rows);
  for (let query = 0; query < rows; query++) {
    for (let row = 0; row < rows; row++) {
      const distance = squaredDistance(embeddings, query, embeddings, row);
      distances[row] = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
    }
    const wanted = distances.filter((_, row) => row !== query && labels[row] === labels[query]).sort();
    if (wanted.length === 0) continue;
    queries += 1;
    const before = othersBefore(wanted, distances, labels, labels[query]!);
    firstRank[query] = 1 + before[0]!;
    averagePrecision[query] = precisionOf(wanted, before);
  }
  return { firstRank, averagePrecision, queries };
}

/**
 * 1 where a row of the query's label is among its `k` nearest, 0 where none is, NaN where there is none: `weightedMean`
 * of it is recall at k as in metric learning (Jégou, Douze and Schmid, PAMI 33, 2011).
 */
export function recallAtK({ firstRank }: Retrieval, k: number): Float64Array {
  return firstRank.map((rank) => (Number.isNaN(rank) ? Number.NaN : rank <= k ? 1 : 0));
}

/** For each wanted distance (ascending), how many rows of other labels are at it or nearer. */
function othersBefore(
  wanted: Float64Array,
  distances: Float64Array,
  labels: ArrayLike<number>,
  label: number,
): Float64Array {
  const counts = new Float64Array(wanted.length);
  for (let row = 0; row < distances.length; row++) {
    if (labels[row] === label) continue;
    const at = firstNotBelow(wanted, distances[row]!);
    if (at < counts.length) counts[at]! += 1;
  }
  for (let at = 1; at < counts.length; at++) counts[at]! += counts[at - 1]!;
  return counts;
}

function firstNotBelow(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function precisionOf(wanted: Float64Array, before: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < wanted.length; ) {
    let end = at + 1;
    while (end < wanted.length && wanted[end] === wanted[at]) end++;
    // Of several at one distance, `before` of the first has the others that are no farther.
    sum += ((end - at) * end) / (end + before[at]!);
    at = end;
  }
  return sum / wanted.length;
}

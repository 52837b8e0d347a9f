/** The nearest class mean: the plainest classifier there is, so that pixels and band powers stand beside a trained one. */

import { type Embeddings, embeddingShape } from './embeddings.js';

export interface ClassMeans {
  /** Classes × dimensions, in units of `spread`; NaN for a class without rows, which is then never answered. */
  readonly means: Float64Array;
  /** By dimension: the standard deviation within classes; 1 where there is none. */
  readonly spread: Float64Array;
  readonly classes: number;
}

/**
 * Means of each class, each dimension measured by how it varies within classes, so that none counts more for its unit. With
 * the classes taken as equally frequent it is diagonal linear discriminant analysis (Dudoit, Fridlyand and Speed, Journal of
 * the American Statistical Association 97, 2002). @param labels class numbers from 0. @throws RangeError for others.
 */
export function fitClassMeans(
  embeddings: Embeddings,
  labels: ArrayLike<number>,
  classes: number,
): ClassMeans {
  const [rows, dimensions] = embeddingShape(embeddings);
  if (labels.length !== rows) throw new RangeError(`${labels.length} labels for ${rows} embeddings`);
  const counts = new Float64Array(classes);
  for (let row = 0; row < rows; row++) {
    const label = labels[row]!;
    if (!(Number.isInteger(label) && label >= 0 && label < classes))
      throw new RangeError(`class ${label} of row ${row}, where there are ${classes} classes`);
    counts[label]! += 1;
  }
  const means = new Float64Array(classes * dimensions);
  for (let row = 0; row < rows; row++)
    for (let d = 0; d < dimensions; d++)
      means[labels[row]! * dimensions + d]! += embeddings.data[row * dimensions + d]!;
  for (let at = 0; at < means.length; at++) means[at]! /= counts[Math.floor(at / dimensions)]!;
  const spread = new Float64Array(dimensions);
  for (let row = 0; row < rows; row++)
    for (let d = 0; d < dimensions; d++)
      spread[d]! +=
        (embeddings.data[row * dimensions + d]! - means[labels[row]! * dimensions + d]!) ** 2 / rows;
  for (let d = 0; d < dimensions; d++) spread[d] = Math.sqrt(spread[d]!) || 1;
  return { means: means.map((mean, at) => mean / spread[at % dimensions]!), spread, classes };
}

/** The class whose mean is nearest to each row; of equally near ones the first. */
export function nearestClass({ means, spread, classes }: ClassMeans, embeddings: Embeddings): Uint32Array {
  const [rows, dimensions] = embeddingShape(embeddings);
  if (dimensions !== spread.length)
    throw new RangeError(`embeddings of ${dimensions} dimensions, where the means have ${spread.length}`);
  return Uint32Array.from({ length: rows }, (_, row) => {
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let one = 0; one < classes; one++) {
      let distance = 0;
      for (let d = 0; d < dimensions; d++)
        distance += (embeddings.data[row * dimensions + d]! / spread[d]! - means[one * dimensions + d]!) ** 2;
      if (!(distance < least)) continue;
      least = distance;
      best = one;
    }
    return best;
  });
}

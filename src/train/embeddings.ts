/** Embeddings as metrics take them, and the distance that they are compared by. */

import type { Tensor } from '../problems/decoded.js';

/** Of shape [rows, dimensions]. Pixels and band powers are embeddings too: baselines are measured like models. */
export type Embeddings = Tensor<Float32Array>;

/** Rows and dimensions. @throws RangeError where the data does not have that shape. */
export function embeddingShape({ data, shape }: Embeddings): readonly [rows: number, dimensions: number] {
  const [rows, dimensions] = shape;
  if (
    shape.length !== 2 ||
    rows === undefined ||
    dimensions === undefined ||
    data.length !== rows * dimensions
  )
    throw new RangeError(`embeddings of shape [${shape}] with ${data.length} numbers`);
  return [rows, dimensions];
}

/** The squared Euclidean distance of row i of `x` and row j of `y`, which have as many dimensions; summed in 64 bits. */
export function squaredDistance(x: Embeddings, i: number, y: Embeddings, j: number): number {
  const dimensions = x.shape[1]!;
  const [a, b] = [x.data, y.data];
  let sum = 0;
  for (let d = 0, at = i * dimensions, to = j * dimensions; d < dimensions; d++) {
    const difference = a[at + d]! - b[to + d]!;
    sum += difference * difference;
  }
  return sum;
}

/** The squared distance of each row of `x` to the same row of `y`. @throws RangeError where shapes differ. */
export function pairDistances(x: Embeddings, y: Embeddings): Float64Array {
  const [rows, dimensions] = embeddingShape(x);
  const [others, otherDimensions] = embeddingShape(y);
  if (rows !== others || dimensions !== otherDimensions)
    throw new RangeError(`embeddings of shapes [${x.shape}] and [${y.shape}] make no pairs`);
  return Float64Array.from({ length: rows }, (_, row) => squaredDistance(x, row, y, row));
}

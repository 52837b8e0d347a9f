/** An example as training sees it: pictures decoded, numbers in typed arrays, and what may be done to it on the way. */

import type { Random } from '../io/random.js';

/** Numbers with a shape, row by row; the last dimension varies fastest. */
export interface Tensor<Data extends TensorData = TensorData> {
  readonly data: Data;
  readonly shape: readonly number[];
}

/**
 * A picture is `Uint8Array` (height × width × channels, 0 … 255), a `float32` feature `Float32Array`, an `int64` feature
 * `Float64Array` (exact up to 2^53; a value beyond is refused).
 */
export type TensorData = Uint8Array | Float32Array | Float64Array;

/** `text` features are strings or lists of them, `bytes` features bytes; undefined where an optional one is missing. */
export type DecodedValue =
  | Tensor
  | string
  | readonly string[]
  | Uint8Array
  | readonly Uint8Array[]
  | undefined;

export type DecodedExample = Readonly<Record<string, DecodedValue>>;

/** tensor2tensor's modes: augmentations belong to `train` alone. */
export type Mode = 'train' | 'eval' | 'predict';

/**
 * One step on the way from a stored example to a training example. It draws from `random` alone, which is seeded by
 * (seed, epoch, the record's number): the same example comes out on any worker, and again after a restart.
 */
export type Augmentation = (example: DecodedExample, random: Random) => DecodedExample;

/** Bytes have a length and no shape, lists and texts neither. */
export function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'shape' in value && 'data' in value;
}

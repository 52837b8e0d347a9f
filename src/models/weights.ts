/** A network's weights by name: made from a seed, the same on every machine whatever else the network holds. */

import * as tf from '@tensorflow/tfjs-core';
import { type Random, seededRandom } from '../io/random.js';
import { product, type WeightSpec } from './network.js';

/** Tensors by the names of `networkWeights`. */
export type Weights = ReadonlyMap<string, tf.Tensor>;

/** New weights. Each depends on the seed and its name alone. The caller disposes of them (`disposeWeights`). */
export function initialWeights(specs: readonly WeightSpec[], seed: number): Weights {
  return new Map(
    specs.map((spec) => [
      spec.name,
      tf.keep(tf.tensor(initialValues(spec, seed), [...spec.shape], 'float32')),
    ]),
  );
}

/** One weight's values before training, row by row. */
export function initialValues({ name, shape, initialiser, fan }: WeightSpec, seed: number): Float32Array {
  const values = new Float32Array(product(shape));
  const random = seededRandom(`weights/${seed}/${name}`);
  const [fanIn, fanOut] = fan;
  switch (initialiser) {
    case 'zeros':
      return values;
    case 'ones':
      return values.fill(1);
    // He et al., "Delving Deep into Rectifiers", 2015: variance 2 / fan-in.
    case 'heNormal':
      return values.map(() => normal(random) * Math.sqrt(2 / fanIn));
    // Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010: ±√(6 / (fan-in + fan-out)).
    case 'glorotUniform':
      return values.map(() => (2 * random.next() - 1) * Math.sqrt(6 / (fanIn + fanOut)));
  }
}

/**
 * A weight cut to its `maxNorm`: what leads to one output is shortened where it is longer (Srivastava et al., "Dropout",
 * 2014, section 5.1). A new tensor.
 */
export function withinMaxNorm({ name, maxNorm }: WeightSpec, weight: tf.Tensor): tf.Tensor {
  if (maxNorm === undefined) return weight.clone();
  // A depthwise kernel, [height, width, channels, multiplier], has an output for each channel and filter.
  const last = name.endsWith('depthwise_kernel') ? 2 : 1;
  const axes = weight.shape.slice(0, -last).map((_, axis) => axis);
  return tf.tidy(() => {
    const length = tf.sqrt(tf.sum(tf.square(weight), axes, true));
    return tf.mul(weight, tf.div(tf.minimum(length, maxNorm), tf.maximum(length, LEAST_LENGTH)));
  });
}

/** Of a weight of zeros, which stays as it is. */
const LEAST_LENGTH = 1e-7;

export function disposeWeights(weights: Weights): void {
  for (const weight of weights.values()) weight.dispose();
}

/** Box and Muller's transform, one of its two numbers: mean 0, variance 1. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

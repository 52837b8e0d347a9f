/** Sums of gradients and their common length: accumulation over batches, and clipping by the global norm. */

import * as tf from '@tensorflow/tfjs-core';
import type { Weights } from '../models/weights.js';

/** The sums of two sets of gradients of the same weights. Disposes of what it was given. */
export function addGradients(sum: Weights | undefined, gradients: Weights): Weights {
  if (sum === undefined) return gradients;
  const added = new Map<string, tf.Tensor>();
  for (const [name, gradient] of gradients) {
    const before = sum.get(name) as tf.Tensor;
    added.set(name, tf.add(before, gradient));
    before.dispose();
    gradient.dispose();
  }
  return added;
}

/**
 * The mean of gradients that were summed over `count` batches, drawn in to a common length of `mostNorm` where they are longer
 * (Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", ICML 2013), with the length
 * that they had. 0 is no limit. Where the length is not finite the gradients stay as they are. Disposes of what it was
 * given.
 */
export function clipByGlobalNorm(
  summed: Weights,
  { count, mostNorm }: { readonly count: number; readonly mostNorm: number },
): { readonly gradients: Weights; readonly norm: number } {
  const total = tf.tidy(() => tf.addN([...summed.values()].map((gradient) => tf.sum(tf.square(gradient)))));
  const squares = total.dataSync()[0]!;
  total.dispose();
  const norm = Math.sqrt(squares) / count;
  const limit = mostNorm > 0 && Number.isFinite(norm) && norm > mostNorm ? mostNorm / norm : 1;
  const factor = limit / count;
  if (factor === 1) return { gradients: summed, norm };
  const gradients = new Map<string, tf.Tensor>();
  for (const [name, gradient] of summed) {
    gradients.set(name, tf.mul(gradient, factor));
    gradient.dispose();
  }
  return { gradients, norm };
}

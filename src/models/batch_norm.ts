/** Batch normalisation in training: by the batch's own moments, with a gradient that knows of them. */

import * as tf from '@tensorflow/tfjs-core';

export interface BatchNormalised {
  readonly y: tf.Tensor;
  /** Of the batch, [channels], the variance divided by the count. */
  readonly mean: tf.Tensor;
  readonly variance: tf.Tensor;
}

/**
 * x, [..., channels], with mean 0 and variance 1 in each channel, then scaled and moved by `scale` and `offset`, [channels]
 * (Ioffe and Szegedy, "Batch Normalization", 2015). `epsilon` is added to the variance.
 */
export function batchNormTraining(
  x: tf.Tensor,
  scale: tf.Tensor,
  offset: tf.Tensor,
  epsilon: number,
): BatchNormalised {
  if (tf.getKernel(KERNEL, tf.getBackend()) !== undefined) {
    const outputs = tf.engine().runKernel(KERNEL, { x, scale, offset }, { epsilon });
    const [y, mean, variance] = outputs as unknown as [tf.Tensor, tf.Tensor, tf.Tensor];
    return { y, mean, variance };
  }
  const axes = x.shape.slice(0, -1).map((_, axis) => axis);
  const { mean, variance } = tf.moments(x, axes);
  return { y: batchNormInference(x, { mean, variance, scale, offset }, epsilon), mean, variance };
}

/** The same by moments that are given, each [channels]. */
export function batchNormInference(
  x: tf.Tensor,
  given: Readonly<Record<'mean' | 'variance' | 'scale' | 'offset', tf.Tensor>>,
  epsilon: number,
): tf.Tensor {
  const { mean, variance, scale, offset } = given as Readonly<Record<keyof typeof given, tf.Tensor1D>>;
  return tf.batchNorm(x, mean, variance, offset, scale, epsilon);
}

/** One of ours, which the WASM backend gets; elsewhere TF.js composes it. */
const KERNEL = 'BatchNormTraining';

tf.registerGradient({
  kernelName: KERNEL,
  inputsToSave: ['x', 'scale'],
  outputsToSave: [false, true, true],
  gradFunc: (dys, saved, attrs) => {
    const [dy] = dys as tf.Tensor[];
    const [x, scale, mean, variance] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const inputs = { dy: dy as tf.Tensor, x, scale, mean, variance };
    const gradients = tf.engine().runKernel('BatchNormTrainingGradient', inputs, attrs);
    const [dx, dscale, doffset] = gradients as unknown as [tf.Tensor, tf.Tensor, tf.Tensor];
    return { x: () => dx, scale: () => dscale, offset: () => doffset };
  },
});

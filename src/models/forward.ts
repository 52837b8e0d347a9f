/** Runs a network: a pure function of weights and a batch, for training with dropout and batch statistics or without. */

import * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../io/random.js';
import { batchNormInference, batchNormTraining } from './batch_norm.js';
import type { Layer, Network } from './network.js';
import type { Weights } from './weights.js';

/** What training adds to a pass through the network. */
export interface Training {
  /** For dropout. */
  readonly random: Random;
  /** Filled with the batch's moments; pass it to `movedAverages` after the step. Kept: it is for the caller to dispose of. */
  readonly moments: BatchMoments;
}

/** By the name of the batch normalisation. */
export type BatchMoments = Map<string, { readonly mean: tf.Tensor; readonly variance: tf.Tensor }>;

/**
 * The output for x, [batch, ...inputShape], values in single precision: [batch, ...outputShape]. Without `training` moving
 * averages normalise, and nothing is dropped.
 */
export function forward(network: Network, weights: Weights, x: tf.Tensor, training?: Training): tf.Tensor {
  const values = new Map<string, tf.Tensor>([['input', x]]);
  let output = x;
  for (const { name, layer, from } of network.nodes) {
    const inputs = from.map((source) => values.get(source) as tf.Tensor);
    const weight = (role: string): tf.Tensor => {
      const found = weights.get(`${name}/${role}`);
      if (found === undefined) throw new RangeError(`the weights lack ${name}/${role}`);
      return found;
    };
    output = applyLayer(layer, inputs, { name, weight, training });
    values.set(name, output);
  }
  return output;
}

/**
 * The moving averages after a step, by weight name: old · momentum + batch · (1 − momentum). Disposes of the moments.
 * @returns new tensors; the caller puts them in the place of the old.
 */
export function movedAverages(network: Network, weights: Weights, moments: BatchMoments): Weights {
  const moved = new Map<string, tf.Tensor>();
  for (const { name, layer } of network.nodes) {
    const batch = moments.get(name);
    if (layer.op !== 'batchNorm' || batch === undefined) continue;
    const { momentum } = layer;
    for (const [role, value] of [
      ['moving_mean', batch.mean],
      ['moving_variance', batch.variance],
    ] as const) {
      const old = weights.get(`${name}/${role}`) as tf.Tensor;
      const next = tf.tidy(() => tf.add(tf.mul(old, momentum), tf.mul(value, 1 - momentum)));
      moved.set(`${name}/${role}`, tf.keep(next));
      value.dispose();
    }
  }
  moments.clear();
  return moved;
}

/** x with rows of length 1, [batch, features]; a row of zeros stays. */
export function l2Normalise(x: tf.Tensor): tf.Tensor {
  return tf.mul(x, tf.rsqrt(tf.maximum(tf.sum(tf.square(x), -1, true), LEAST_SQUARE)));
}

/** As Keras's UnitNormalization and TensorFlow's l2_normalize have it. */
const LEAST_SQUARE = 1e-12;

interface LayerContext {
  readonly name: string;
  readonly weight: (role: string) => tf.Tensor;
  readonly training: Training | undefined;
}

function applyLayer(layer: Layer, inputs: readonly tf.Tensor[], context: LayerContext): tf.Tensor {
  const x = inputs[0] as tf.Tensor;
  const picture = x as tf.Tensor4D;
  const { weight } = context;
  switch (layer.op) {
    case 'conv2d': {
      const y = tf.conv2d(picture, weight('kernel') as tf.Tensor4D, [...layer.strides], layer.padding);
      return layer.bias === 'none' ? y : tf.add(y, weight('bias'));
    }
    case 'depthwiseConv2d': {
      const kernel = weight('depthwise_kernel') as tf.Tensor4D;
      return tf.depthwiseConv2d(picture, kernel, [...layer.strides], layer.padding);
    }
    case 'dense':
      return tf.add(tf.matMul(x as tf.Tensor2D, weight('kernel') as tf.Tensor2D), weight('bias'));
    case 'batchNorm':
      return batchNorm(layer, x, context);
    case 'relu':
      return tf.relu(x);
    case 'elu':
      return tf.elu(x);
    case 'square':
      return tf.square(x);
    case 'log':
      return tf.log(tf.maximum(x, layer.least));
    case 'maxPool':
      return tf.maxPool(picture, [...layer.kernel], [...layer.strides], layer.padding);
    case 'averagePool':
      return tf.avgPool(picture, [...layer.kernel], [...layer.strides], layer.padding);
    case 'globalAveragePool':
      return tf.mean(x, [1, 2]);
    case 'flatten':
      return tf.reshape(x, [x.shape[0] as number, -1]);
    case 'dropout':
      return dropout(x, layer.rate, context.training);
    case 'add':
      return tf.add(x, inputs[1] as tf.Tensor);
    case 'l2Normalise':
      return l2Normalise(x);
  }
}

function batchNorm(
  { epsilon }: Extract<Layer, { op: 'batchNorm' }>,
  x: tf.Tensor,
  { name, weight, training }: LayerContext,
): tf.Tensor {
  const [scale, offset] = [weight('gamma'), weight('beta')];
  if (training === undefined) {
    const given = { mean: weight('moving_mean'), variance: weight('moving_variance'), scale, offset };
    return batchNormInference(x, given, epsilon);
  }
  const { y, mean, variance } = batchNormTraining(x, scale, offset, epsilon);
  training.moments.set(name, { mean: tf.keep(mean), variance: tf.keep(variance) });
  return y;
}

function dropout(x: tf.Tensor, rate: number, training: Training | undefined): tf.Tensor {
  if (training === undefined || rate === 0) return x;
  const { random } = training;
  const mask = Float32Array.from({ length: x.size }, () => (random.next() < rate ? 0 : 1 / (1 - rate)));
  return tf.mul(x, tf.tensor(mask, x.shape));
}

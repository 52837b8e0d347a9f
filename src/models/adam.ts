/** Adam as a pure function of weights, gradients and its moments, so that a checkpoint can hold all that the next step needs. */

import * as tf from '@tensorflow/tfjs-core';
import type { Weights } from './weights.js';

export interface AdamOptions {
  readonly learningRate: number;
  /** Shares of the old that the moving averages of gradients and of their squares keep. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Share of the learning rate by which weights shrink, apart from the gradient; biases and scales (vectors) don't. */
  readonly weightDecay: number;
}

/** Of Kingma and Ba, section 2, with TensorFlow's epsilon. */
export const ADAM_OPTIONS: AdamOptions = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-7,
  weightDecay: 0,
};

/** Averages by weight name; empty before the first step. */
export interface AdamState {
  /** Steps taken. */
  readonly step: number;
  readonly first: Weights;
  readonly second: Weights;
}

export const ADAM_START: AdamState = { step: 0, first: new Map(), second: new Map() };

/**
 * Weights and state after one step (Kingma and Ba, "Adam", 2015; weight decay as in Loshchilov and Hutter, "Decoupled Weight
 * Decay Regularization", 2019). Only the weights that `gradients` names are given back. Nothing given is disposed of.
 */
export function adamStep(
  weights: Weights,
  gradients: Weights,
  state: AdamState,
  options: AdamOptions = ADAM_OPTIONS,
): { readonly weights: Weights; readonly state: AdamState } {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = options;
  const step = state.step + 1;
  const correct1 = 1 - beta1 ** step;
  const correct2 = 1 - beta2 ** step;
  const next = { weights: new Map<string, tf.Tensor>(), first: new Map(), second: new Map() };
  for (const [name, gradient] of gradients) {
    const weight = weights.get(name) as tf.Tensor;
    const [moved, first, second] = tf.tidy(() => {
      const first = average(state.first.get(name), gradient, beta1);
      const second = average(state.second.get(name), tf.square(gradient), beta2);
      const root = tf.sqrt(tf.div(second, correct2));
      const change = tf.div(tf.div(first, correct1), tf.add(root, epsilon));
      const decayed =
        weightDecay > 0 && weight.rank > 1 ? tf.add(change, tf.mul(weight, weightDecay)) : change;
      return [tf.sub(weight, tf.mul(decayed, learningRate)), first, second] as const;
    }) as unknown as readonly [tf.Tensor, tf.Tensor, tf.Tensor];
    next.weights.set(name, tf.keep(moved));
    next.first.set(name, tf.keep(first));
    next.second.set(name, tf.keep(second));
  }
  return { weights: next.weights, state: { step, first: next.first, second: next.second } };
}

function average(old: tf.Tensor | undefined, value: tf.Tensor, share: number): tf.Tensor {
  const fresh = tf.mul(value, 1 - share);
  return old === undefined ? fresh : tf.add(tf.mul(old, share), fresh);
}

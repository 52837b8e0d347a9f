/** One step of training: a loss and its gradients by weight name, and the weights after it. Loops are built of these two. */

import * as tf from '@tensorflow/tfjs-core';
import { ADAM_START, type AdamOptions, type AdamState, adamStep } from './adam.js';
import { type BatchMoments, movedAverages } from './forward.js';
import type { Network, WeightSpec } from './network.js';
import { disposeWeights, initialWeights, type Weights, withinMaxNorm } from './weights.js';

/** All that the next step depends on, besides its batch: what a checkpoint holds. */
export interface LearnerState {
  /** The network's, and those of the loss. */
  readonly weights: Weights;
  readonly adam: AdamState;
}

/** The state before the first step. @param specs `networkWeights`, and the loss's own where it has some. */
export function startState(specs: readonly WeightSpec[], seed: number): LearnerState {
  return { weights: initialWeights(specs, seed), adam: ADAM_START };
}

/**
 * The loss, and the gradient of each trainable weight. The caller disposes of both.
 * @param loss of the weights; in it all of `specs` that are trainable must be used.
 */
export function lossAndGradients(
  specs: readonly WeightSpec[],
  weights: Weights,
  loss: (weights: Weights) => tf.Scalar,
): { readonly loss: tf.Scalar; readonly gradients: Weights } {
  const names = specs.filter(({ trainable }) => trainable).map(({ name }) => name);
  const given = names.map((name) => weights.get(name) as tf.Tensor);
  const lossOf = (...traced: tf.Tensor[]): tf.Scalar =>
    tf.tidy(() => {
      const all = new Map(weights);
      for (const [i, name] of names.entries()) all.set(name, traced[i] as tf.Tensor);
      return loss(all);
    });
  const { value, grads } = tf.valueAndGrads(lossOf)(given);
  return {
    loss: value as tf.Scalar,
    gradients: new Map(names.map((name, i) => [name, grads[i] as tf.Tensor])),
  };
}

/**
 * The state after a step by Adam, with longest weights cut and moving averages moved. Disposes of what it was given: the
 * old state, the gradients and the moments.
 */
export function nextState(
  network: Network,
  specs: readonly WeightSpec[],
  state: LearnerState,
  step: { readonly gradients: Weights; readonly moments: BatchMoments; readonly options: AdamOptions },
): LearnerState {
  const { gradients, moments, options } = step;
  const stepped = adamStep(state.weights, gradients, state.adam, options);
  const averages = movedAverages(network, state.weights, moments);
  const weights = new Map(state.weights);
  for (const [name, weight] of [...stepped.weights, ...averages]) weights.set(name, weight);
  for (const spec of specs) {
    if (spec.maxNorm === undefined) continue;
    const long = weights.get(spec.name) as tf.Tensor;
    weights.set(spec.name, tf.keep(withinMaxNorm(spec, long)));
    long.dispose();
  }
  disposeWeights(gradients);
  disposeWeights(state.adam.first);
  disposeWeights(state.adam.second);
  for (const [name, old] of state.weights) if (weights.get(name) !== old) old.dispose();
  return { weights, adam: stepped.state };
}

export function disposeState({ weights, adam }: LearnerState): void {
  for (const held of [weights, adam.first, adam.second]) disposeWeights(held);
}

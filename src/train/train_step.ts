/** One step on a learner: gradients of some batches, clipped, and the state after them; nothing is kept but the state. */

import * as tf from '@tensorflow/tfjs-core';
import { seededRandom } from '../io/random.js';
import type { BatchMoments } from '../models/forward.js';
import { type LearnerState, lossAndGradients, nextState } from '../models/train_step.js';
import { disposeWeights, type Weights } from '../models/weights.js';
import { addGradients, clipByGlobalNorm } from './clip_gradients.js';
import type { Learner, LearnerBatch } from './learner.js';

export interface StepOutcome {
  /** Mean over the batches. */
  readonly loss: number;
  /** Length of all gradients before clipping. */
  readonly norm: number;
  /** The state after the step; undefined where loss or gradients are not finite: the state before is then as it was. */
  readonly next: LearnerState | undefined;
}

/**
 * Disposes of `state` where there is a next one. What dropout does follows from `name` alone. The moving averages of batch
 * normalisation move once, by the last batch.
 */
export async function trainStep(
  learner: Learner,
  state: LearnerState,
  batches: AsyncIterable<LearnerBatch>,
  { name, learningRate }: { readonly name: string; readonly learningRate: number },
): Promise<StepOutcome> {
  const { hparams, specs, network } = learner;
  let sum: Weights | undefined;
  let lossSum = 0;
  let count = 0;
  let moments: BatchMoments = new Map();
  for await (const batch of batches) {
    disposeMoments(moments);
    moments = new Map();
    const pass = { random: seededRandom(`${name}/dropout/${count}`), moments };
    const { loss, gradients } = lossAndGradients(specs, state.weights, (weights) =>
      learner.loss(weights, batch, learner.forward(weights, batch, pass)),
    );
    lossSum += loss.dataSync()[0]!;
    loss.dispose();
    sum = addGradients(sum, gradients);
    count += 1;
  }
  if (sum === undefined) throw new RangeError('a step without a batch');
  const loss = lossSum / count;
  const { gradients, norm } = clipByGlobalNorm(sum, { count, mostNorm: hparams.clip_gradient_norm });
  if (!(Number.isFinite(loss) && Number.isFinite(norm))) {
    disposeWeights(gradients);
    disposeMoments(moments);
    return { loss, norm, next: undefined };
  }
  const options = {
    learningRate,
    beta1: hparams.adam_beta1,
    beta2: hparams.adam_beta2,
    epsilon: hparams.adam_epsilon,
    weightDecay: hparams.weight_decay,
  };
  return { loss, norm, next: nextState(network, specs, state, { gradients, moments, options }) };
}

function disposeMoments(moments: BatchMoments): void {
  for (const { mean, variance } of moments.values()) tf.dispose([mean, variance]);
}

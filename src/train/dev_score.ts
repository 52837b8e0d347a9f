/** How a learner does on dev while it is trained: one score, by which the best checkpoint is chosen, and the loss. */

import * as tf from '@tensorflow/tfjs-core';
import type { Weights } from '../models/weights.js';
import type { Batch } from '../reading/collate.js';
import type { Pipeline } from '../reading/pipeline.js';
import { balancedAccuracy, confusionMatrix } from './classification.js';
import type { Embeddings } from './embeddings.js';
import type { Learner } from './learner.js';
import { recallAtK, retrieve } from './retrieval.js';
import { tripletOutcomes } from './triplet_accuracy.js';
import { weightedMean } from './weighted_mean.js';

export interface DevScore {
  readonly metric: 'triplet_accuracy' | 'balanced_accuracy' | 'recall_at_1';
  /** Higher is better; from 0 to 1. */
  readonly score: number;
  /** Null where it is no number, or of two augmented views. */
  readonly loss: number | null;
  readonly examples: number;
}

/** @param batches of the split in the mode eval; undefined is given where there are none. */
export async function devScore(
  learner: Learner,
  weights: Weights,
  batches: Pipeline<Batch>,
): Promise<DevScore | undefined> {
  const outputs: Float32Array[][] = [];
  const targets: number[] = [];
  let lossSum = 0;
  let dimensions = 0;
  const hasLoss = learner.hparams.loss !== 'nt_xent';
  for await (const batch of batches) {
    const input = learner.batch(batch);
    const [output, loss] = tf.tidy(() => {
      const output = learner.forward(weights, input);
      return hasLoss ? [output, learner.loss(weights, input, output)] : [output];
    }) as [tf.Tensor, tf.Scalar | undefined];
    dimensions = output.shape[1]!;
    outputs.push(parts(output.dataSync() as Float32Array, input.rows / input.targets.length));
    targets.push(...input.targets);
    lossSum += (loss?.dataSync()[0] ?? 0) * input.targets.length;
    tf.dispose([output, loss]);
  }
  if (targets.length === 0) return undefined;
  const embeddings = (part: number): Embeddings => ({
    data: concat(outputs.map((each) => each[part]!)),
    shape: [targets.length, dimensions],
  });
  return {
    ...scoreOf(learner, embeddings, targets),
    loss: hasLoss && Number.isFinite(lossSum) ? lossSum / targets.length : null,
    examples: targets.length,
  };
}

/** The class of the largest logit of each row, the first of equal ones. */
export function answersOf({ data, shape: [rows = 0, classes = 0] }: Embeddings): Uint32Array {
  return Uint32Array.from({ length: rows }, (_, row) => {
    let best = 0;
    for (let one = 1; one < classes; one++)
      if (data[row * classes + one]! > data[row * classes + best]!) best = one;
    return best;
  });
}

function scoreOf(
  { inputs, hparams }: Learner,
  embeddings: (part: number) => Embeddings,
  targets: readonly number[],
): Pick<DevScore, 'metric' | 'score'> {
  if (inputs.names.length === 3) {
    // The learner puts the odd one last.
    const odd = targets.map(() => 3);
    const outcomes = tripletOutcomes({ a: embeddings(0), b: embeddings(1), c: embeddings(2), odd });
    return { metric: 'triplet_accuracy', score: weightedMean(outcomes) };
  }
  if (hparams.loss !== 'cross_entropy') {
    const score = weightedMean(recallAtK(retrieve(embeddings(0), targets), 1));
    return { metric: 'recall_at_1', score: Number.isNaN(score) ? 0 : score };
  }
  const logits = embeddings(0);
  const matrix = confusionMatrix({ labels: targets, answers: answersOf(logits), classes: logits.shape[1]! });
  return { metric: 'balanced_accuracy', score: balancedAccuracy(matrix) };
}

function parts(data: Float32Array, count: number): Float32Array[] {
  const size = data.length / count;
  return Array.from({ length: count }, (_, part) => data.slice(part * size, (part + 1) * size));
}

export function concat(pieces: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** A learner: a model fitted to a Problem, as the functions that training and evaluation are made of. */

import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../io/errors.js';
import type { Random } from '../io/random.js';
import { type BatchMoments, forward } from '../models/forward.js';
import type { Hparams } from '../models/hparams.js';
import {
  crossEntropy,
  fecHinges,
  fecMargin,
  hardTriplets,
  ntXent,
  positioningWeights,
  relativePositioning,
  semiHardTriplets,
  softMarginTriplets,
} from '../models/losses.js';
import { type Model, type ModelInputs, modelInputs, networkOutput } from '../models/model.js';
import { type Network, networkWeights, outputShape, product, type WeightSpec } from '../models/network.js';
import type { Weights } from '../models/weights.js';
import type { Problem } from '../problems/problem.js';
import type { Batch } from '../reading/collate.js';
import { inputNumbers, numberRows, textRows } from './model_input.js';

/** A batch as the network takes it: plain numbers, so that it can be saved where a loss is not a number. */
export interface LearnerBatch {
  /**
   * Examples one behind the other; of triplets first all that are alike, then their partners, then the odd ones, so that
   * the network runs once. Of `nt_xent` all first views, then all second ones.
   */
  readonly input: Float32Array;
  /** Rows in `input`. */
  readonly rows: number;
  /** Class, or the place of the odd one: of each example. */
  readonly targets: Float64Array;
  /** δ of each triplet, of `fec_hinges`. */
  readonly margins: Float32Array;
}

/** What chance and the batch's moments come from while training. */
export interface LearnerPass {
  readonly random: Random;
  readonly moments: BatchMoments;
}

export interface Learner {
  readonly problem: Problem;
  readonly hparams: Hparams;
  readonly inputs: ModelInputs;
  readonly network: Network;
  /** The network's weights and those of the loss. */
  readonly specs: readonly WeightSpec[];
  /** Names of the features that training reads. */
  readonly features: readonly string[];
  /** @param batches one, or for `nt_xent` two views of the same examples. */
  batch(...batches: readonly Batch[]): LearnerBatch;
  /** The network's output by row of `input`; without a pass as in evaluation. To be called within a tidy. */
  forward(weights: Weights, batch: LearnerBatch, pass?: LearnerPass): tf.Tensor;
  /** Mean over the batch. To be called within a tidy. */
  loss(weights: Weights, batch: LearnerBatch, output: tf.Tensor): tf.Scalar;
}

/** How many examples of each class the train split has; none for losses without classes. */
export type ClassCounts = readonly number[];

/**
 * @param classes counts of the train split, see `countClasses`; needed for `cross_entropy`.
 * @throws UserError where model, loss and Problem don't suit each other.
 */
export function createLearner(options: {
  readonly problem: Problem;
  readonly model: Model;
  readonly hparams: Hparams;
  readonly classes: ClassCounts;
}): Learner {
  const { problem, model, hparams, classes } = options;
  const inputs = inputsOf(options);
  const network = model.build(inputs.shape, hparams, networkOutput(hparams, classes.length));
  const ofLoss =
    hparams.loss === 'relative_positioning' ? positioningWeights(product(outputShape(network))) : [];
  const hasType = hparams.loss === 'fec_hinges' && Object.hasOwn(problem.features, 'type');
  const names = [...inputs.names, inputs.target, ...(hasType ? ['type'] : [])];
  return {
    problem,
    hparams,
    inputs,
    network,
    specs: [...networkWeights(network), ...ofLoss],
    features: Object.hasOwn(problem.features, 'key') ? ['key', ...names] : names,
    batch(...batches) {
      const batch = learnerBatch(inputs, hparams, batches);
      if (hparams.loss === 'cross_entropy') checkClasses(problem, batch, classes);
      return batch;
    },
    forward: (weights, batch, pass) =>
      forward(network, weights, tf.tensor(batch.input, [batch.rows, ...inputs.shape]), pass),
    loss: (weights, batch, output) =>
      lossOf(output, batch, { weights, hparams, classWeights: classWeightsOf(hparams, classes) }),
  };
}

/** What the model reads of the Problem. @throws UserError where they don't suit each other. */
export function inputsOf({
  problem,
  model,
  hparams,
}: {
  readonly problem: Problem;
  readonly model: Model;
  readonly hparams: Hparams;
}): ModelInputs {
  if (hparams.distil_weight > 0)
    throw new UserError('training with a teacher is not built yet', {
      remedy: 'leave distil_weight at 0',
      exitCode: 2,
    });
  return modelInputs(model, { problem: problem.name, features: problem.features, hparams });
}

/** Inverse to the frequencies, of mean 1 over the examples; a class without examples has 0. */
export function classWeightsOf(hparams: Hparams, counts: ClassCounts): number[] | undefined {
  if (hparams.class_weights === 'none') return undefined;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const present = counts.filter((count) => count > 0).length;
  return counts.map((count) => (count === 0 ? 0 : total / (present * count)));
}

function learnerBatch(inputs: ModelInputs, hparams: Hparams, batches: readonly Batch[]): LearnerBatch {
  const [first] = batches as [Batch];
  const targets = numberRows(first, inputs.target);
  const size = product(inputs.shape);
  if (inputs.names.length === 1) {
    const views = batches.map((batch) => inputNumbers(batch, inputs.names[0], inputs.shape));
    const input = new Float32Array(views.length * targets.length * size);
    for (const [view, numbers] of views.entries()) input.set(numbers, view * targets.length * size);
    return { input, rows: views.length * targets.length, targets, margins: new Float32Array() };
  }
  const places = inputs.names.map((name) => inputNumbers(first, name, inputs.shape));
  const input = new Float32Array(3 * targets.length * size);
  for (const [row, odd] of targets.entries())
    for (const [role, place] of rolesOf(odd).entries()) {
      const numbers = places[place]!.subarray(row * size, (row + 1) * size);
      input.set(numbers, (role * targets.length + row) * size);
    }
  const { margin: otherwise, margin_one_class: oneClass } = hparams;
  const types = textRows(first, 'type');
  const margins = Float32Array.from(targets, (_, row) =>
    fecMargin(types[row] ?? '', { oneClass, otherwise }),
  );
  return { input, rows: 3 * targets.length, targets, margins };
}

function checkClasses({ name }: Problem, { targets }: LearnerBatch, { length }: ClassCounts): void {
  const unknown = targets.find((target) => !(target < length));
  if (unknown === undefined) return;
  throw new UserError(
    `${name} has an example of class ${unknown}, but its train split has only ${length} classes`,
    {
      remedy: 'make the data so that train has every class',
    },
  );
}

/** The places, from 0, of the two that belong together, and of the odd one. @throws UserError for a code that is none. */
function rolesOf(odd: number): readonly [number, number, number] {
  if (odd === 1) return [1, 2, 0];
  if (odd === 2) return [0, 2, 1];
  if (odd === 3) return [0, 1, 2];
  throw new UserError(`the odd one of a triplet is ${odd}, where 1, 2 or 3 is wanted`);
}

function lossOf(
  output: tf.Tensor,
  batch: LearnerBatch,
  given: {
    readonly weights: Weights;
    readonly hparams: Hparams;
    readonly classWeights: readonly number[] | undefined;
  },
): tf.Scalar {
  const { hparams, weights, classWeights } = given;
  const part = (index: number): tf.Tensor => {
    const count = batch.targets.length;
    return tf.slice(output, [index * count, 0], [count, output.shape[1] as number]);
  };
  const labels = (): tf.Tensor => tf.tensor1d(Int32Array.from(batch.targets), 'int32');
  switch (hparams.loss) {
    case 'fec_hinges':
      return fecHinges({ a: part(0), b: part(1), c: part(2) }, tf.tensor1d(batch.margins));
    case 'soft_margin':
      return softMarginTriplets({ a: part(0), b: part(1), c: part(2) });
    case 'semi_hard':
      return semiHardTriplets(output, labels(), hparams.margin);
    case 'hard':
      return hardTriplets(output, labels(), hparams.margin);
    case 'nt_xent':
      return ntXent(part(0), part(1), hparams.temperature);
    case 'cross_entropy':
      return crossEntropy(
        output,
        labels(),
        classWeights === undefined ? undefined : tf.tensor1d([...classWeights]),
      );
    case 'relative_positioning': {
      // The anchor with its near partner, and one of the two with the far one: as many near as far pairs.
      const count = batch.targets.length;
      const isNear = tf.concat([tf.ones([count]), tf.zeros([count])]);
      return relativePositioning(tf.concat([part(0), part(0)]), tf.concat([part(1), part(2)]), isNear, {
        weights: weights.get('positioning/kernel') as tf.Tensor,
        bias: weights.get('positioning/bias') as tf.Tensor,
      });
    }
  }
}
